import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { bulkLimits, bulkSettings } from '../../spec/bulk-settings.ts';
import type { BulkSink } from '../../spec/bulk-sink.ts';
import { choice, text } from '../../spec/fields.ts';
import { bulkSink, type SinkContext } from '../../spec/sink.ts';
import { checkConnect, connectSettings } from '../socket/connect-settings.ts';
import { DatagramClient } from '../socket/datagram-client.ts';
import { framed, messageFramer } from '../socket/message-framer.ts';
import { probeConnecting } from '../socket/probe.ts';
import { StreamClient } from '../socket/stream-client.ts';
import { columnsOf, messageWriter } from './message-writer.ts';

const settings = {
  ...connectSettings,
  standard: choice(
    ['rfc5424', 'rfc3164'],
    'The header of messages. RFC 3164 has no year, no zone (times are UTC) and no structured data.',
    {
      default: 'rfc5424',
    },
  ),
  framing: choice(
    ['octets', 'line'],
    'How messages are told apart over `tcp` and `unix`. `octets`: by their length (octet counting of RFC 6587, what RFC 5425 wants over TLS); `line`: by newlines, so those within a message become blanks.',
    { default: 'octets' },
  ),
  facility: text('`kern` to `local7`, or a number. As all that follow, a constant or `%{column}`; without one in a row `user`.', {
    default: '%{facility}',
  }),
  severity: text('`emerg` to `debug`, or a number; without one in a row `notice`.', { default: '%{severity}' }),
  timestamp: text('The time: ISO, or seconds or milliseconds since 1970; without one in a row that at which it is sent.', {
    default: '%{timestamp}',
  }),
  hostname: text('The host; without one in a row the name of this machine.', { default: '%{hostname}' }),
  appname: text('The program.', { default: '%{appname}' }),
  procid: text('Its process.', { default: '%{procid}' }),
  msgid: text('The kind of message.', { default: '%{msgid}' }),
  structured_data: text('An object of objects of values, as the source gives it.', { default: '%{structured_data}' }),
  message: text('The message; without one in a row the whole row.', { default: '%{message}' }),
  batch: bulkSettings({ rows: 10_000, bytes: 1024 * 1024, timeoutMs: 20, concurrency: 1 }).batch,
};

type Context = SinkContext<typeof settings>;

export default bulkSink({
  summary: 'Sends rows as syslog, RFC 5424 or RFC 3164, over TCP, TLS, UDP or a Unix socket.',
  settings,
  codecs: ['json', 'line'],
  sideColumns: (given) => columnsOf(given),
  delivery:
    'Rows count as delivered when the system has taken them: syslog confirms nothing. While the other side is away rows wait, and while it does not read too. When a connection is cut, what was sent in the last `resend_secs` is sent again on the next one, at most `resend_bytes`: so messages may come twice, and what was lost before that stays lost. Datagrams are sent once.',
  security:
    'Without `tls` all can be read on the way, and whoever answers gets the rows. With it (RFC 5425) the server must have a certificate of a known authority for its name, and gets `tls.certificate_file` to see. UDP has neither. What rows say in headers is reduced to printable characters, so no row can make two messages of itself.',
  examples: [
    {
      title: 'To a collector on this machine, rows as they are',
      yaml: 'id: out\nkind: sink\ntype: syslog\nsettings:\n  port: 514\n  appname: reef\n',
      needs: 'somebody who listens',
    },
    {
      title: 'With TLS, and fields from columns of other names',
      yaml: 'id: out\nkind: sink\ntype: syslog\nsettings:\n  host: collector.example\n  port: 6514\n  facility: local0\n  severity: "%{level}"\n  message: "%{text}"\n  tls: {ca_file: authority.pem}\n',
      needs: 'a certificate and somebody who listens',
    },
  ],
  check: (given) => checkConnect(given),
  open: (context) => openSyslogSink(context),
  probe: (context) => probeConnecting(context),
});

async function openSyslogSink({ id, settings: given, folder, log }: Context): Promise<BulkSink> {
  const limits = bulkLimits({ batch: given.batch, concurrency: 1, ordered: true });
  const byLine = given.framing === 'line' && given.proto !== 'udp';
  const messagesOf = messageWriter({ ...given, ownHost: hostname(), oneLine: byLine || given.standard === 'rfc3164' });
  if (given.proto === 'udp') {
    const client = new DatagramClient({ id, settings: given, log });
    return { limits, send: (bulk) => client.send(messagesOf(bulk)), close: async () => client.close() };
  }
  const path = given.proto === 'unix' ? resolve(folder, given.path ?? '') : undefined;
  const client = await StreamClient.open({ id, settings: given, folder, path, log });
  const framer = messageFramer({ by: given.framing, length_bytes: '4', byte_order: 'big', delimiter: '\\0' });
  return {
    limits,
    async send(bulk, signal) {
      await client.send(framed(messagesOf(bulk), framer), signal);
      return undefined;
    },
    close: () => client.close(),
  };
}
