/** Settings of sinks that send over sockets. */

import { checkClientTls, optionalClientTls } from '../../net/client-tls.ts';
import { isLoopback } from '../../net/listener.ts';
import { choice, integer, number, type Settings, text } from '../../spec/fields.ts';
import type { SettingIssue } from '../../spec/node.ts';

const MIB = 1024 * 1024;
/** What fits a datagram over IPv4. */
const DATAGRAM_BYTES = 65_507;

export const connectSettings = {
  proto: choice(['tcp', 'udp', 'unix'], 'How rows are sent: `tcp`, `udp`, or `unix`, a stream socket that is a file.', {
    default: 'tcp',
  }),
  host: text('The host to send to.', { default: '127.0.0.1' }),
  port: integer('Its port. `tcp` and `udp` need it.', { optional: true, min: 1, max: 65535 }),
  path: text('For `unix`, which needs it: the path of the socket. A relative one starts at the folder of the punchline.', {
    optional: true,
  }),
  tls: optionalClientTls,
  connect_timeout_secs: number('A connection must be there within this time, TLS included.', {
    default: 10,
    min: 0.05,
    unit: 'seconds',
  }),
  resend_secs: number(
    'When a connection is cut, what was sent on it in this time is sent again on the next: the system may have had it still.',
    { default: 10, min: 0, unit: 'seconds' },
  ),
  resend_bytes: integer('Most bytes that are kept for that. 0: nothing is sent again.', {
    default: MIB,
    min: 0,
    max: 256 * MIB,
    unit: 'bytes',
  }),
  max_datagram_bytes: integer('For `udp`: rows that are longer are refused, and go to the error table.', {
    default: DATAGRAM_BYTES,
    min: 1,
    max: DATAGRAM_BYTES,
    unit: 'bytes',
  }),
};

export type ConnectSettings = Settings<typeof connectSettings>;

export function checkConnect(given: ConnectSettings): SettingIssue[] {
  const { proto, host, port, path, tls } = given;
  const issues: SettingIssue[] = tls ? checkClientTls(tls) : [];
  if (proto === 'unix' && path === undefined)
    issues.push({ path: [], message: 'has proto unix but no path, expected that of the socket' });
  if (proto !== 'unix' && port === undefined)
    issues.push({ path: [], message: `has proto ${proto} but no port, expected the one to send to` });
  if (proto !== 'unix' && path !== undefined)
    issues.push({ path: ['path'], message: `is for proto unix, but proto is ${proto}` });
  if (proto !== 'tcp' && tls !== undefined)
    issues.push({ path: ['tls'], message: `is for proto tcp, but proto is ${proto}: expected tcp` });
  if (proto !== 'unix' && tls === undefined && !isLoopback(host)) {
    const message = `is "${host}", so anyone in between can read and change what is sent: expected "tls" beside it, with proto tcp`;
    issues.push({ path: ['host'], message, severity: 'warning' });
  }
  return issues;
}
