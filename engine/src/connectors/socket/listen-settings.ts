/** Settings of sources that take messages over sockets. */
import { checkExposure } from '../../net/listener.ts';
import { serverTls } from '../../net/server-tls.ts';
import { choice, integer, number, type Settings, text } from '../../spec/fields.ts';
import type { SettingIssue } from '../../spec/node.ts';

const DEFAULT_MESSAGE_BYTES = 1024 * 1024;

export const listenSettings = {
  proto: choice(['tcp', 'udp', 'unix'], 'How messages come: `tcp`, `udp`, or `unix`, a stream socket that is a file.', {
    default: 'tcp',
  }),
  host: text('The address to listen on; `0.0.0.0` is every one of this machine. `127.0.0.1`: only this machine itself.', {
    default: '127.0.0.1',
  }),
  port: integer('The port to listen on; 0: any that is free, which the log then says. `tcp` and `udp` need it.', {
    optional: true,
    min: 0,
    max: 65535,
  }),
  path: text('For `unix`, which needs it: the path of the socket. A relative one starts at the folder of the punchline.', {
    optional: true,
  }),
  path_mode: text('For `unix`: who may connect, as the octal rights of the file.', { default: '0660', pattern: /^0?[0-7]{3}$/ }),
  tls: serverTls,
  max_connections: integer('Most connections at once; further ones are closed.', { default: 1024, min: 1 }),
  max_message_bytes: integer(
    'The longest message. Of a longer one so much goes on, the rest is dropped, and the log says so. Lines may be longer by what comes in one piece.',
    { default: DEFAULT_MESSAGE_BYTES, min: 64, max: 16 * DEFAULT_MESSAGE_BYTES, unit: 'bytes' },
  ),
  idle_timeout_secs: number('A connection on which nothing comes for so long is closed. 0: none is.', {
    default: 0,
    min: 0,
    unit: 'seconds',
  }),
  message_timeout_secs: number('A message that has begun must be complete within this time, else its connection is closed.', {
    default: 60,
    min: 0.05,
    unit: 'seconds',
  }),
  handshake_timeout_secs: number('A client must have shaken hands for TLS within this time.', {
    default: 10,
    min: 0.05,
    unit: 'seconds',
  }),
  receive_buffer_bytes: integer(
    'For `udp`: memory of the system for datagrams that are not read yet. The system has a bound for it (`net.core.rmem_max`).',
    { optional: true, min: 4096, unit: 'bytes' },
  ),
  gather_ms: number('Rows wait so long for others, and up to four times as long while more keep coming.', {
    default: 5,
    min: 0,
    max: 10_000,
    unit: 'ms',
  }),
};

export type ListenSettings = Settings<typeof listenSettings>;

export function checkListen(given: ListenSettings): SettingIssue[] {
  const { proto, host, port, path, tls } = given;
  const issues: SettingIssue[] = [];
  if (proto === 'unix' && path === undefined)
    issues.push({ path: [], message: 'has proto unix but no path, expected that of the socket' });
  if (proto !== 'unix' && port === undefined)
    issues.push({ path: [], message: `has proto ${proto} but no port, expected the one to listen on` });
  if (proto !== 'unix' && path !== undefined)
    issues.push({ path: ['path'], message: `is for proto unix, but proto is ${proto}` });
  if (proto !== 'tcp' && tls !== undefined)
    issues.push({ path: ['tls'], message: `is for proto tcp, but proto is ${proto}: expected tcp` });
  if (issues.length > 0 || proto === 'unix') return issues;
  return exposure({ host, tls: tls !== undefined, authenticated: tls?.ca_file !== undefined });
}

/** There is no `auth` here: who may send is said by certificates. */
function exposure({ host, tls, authenticated }: { host: string; tls: boolean; authenticated: boolean }): SettingIssue[] {
  return checkExposure({ host, path: ['host'], tls, authenticated }).map((issue) => ({
    ...issue,
    message: issue.message.replace('"auth"', '"tls.ca_file"'),
  }));
}
