import { resolve } from 'node:path';
import { bulkLimits, bulkSettings } from '../../spec/bulk-settings.ts';
import type { Bulk, BulkSink, RefusedRow } from '../../spec/bulk-sink.ts';
import type { SettingIssue } from '../../spec/node.ts';
import { type Codec, rowEndBytes } from '../../spec/plan.ts';
import { bulkSink, type SinkContext } from '../../spec/sink.ts';
import { checkConnect, connectSettings } from './connect-settings.ts';
import { DatagramClient } from './datagram-client.ts';
import { checkFraming, framing } from './framing.ts';
import { framed, messageFramer, unframeable } from './message-framer.ts';
import { probeConnecting } from './probe.ts';
import { StreamClient } from './stream-client.ts';

const settings = {
  ...connectSettings,
  framing,
  batch: bulkSettings({ rows: 10_000, bytes: 1024 * 1024, timeoutMs: 20, concurrency: 1 }).batch,
};

type Context = SinkContext<typeof settings>;

export default bulkSink({
  summary: 'Sends rows over TCP, UDP or a Unix socket.',
  settings,
  codecs: ['json', 'line', 'raw'],
  delivery:
    'Rows count as delivered when the system has taken them: the other side confirms nothing. While it is away rows wait, and while it does not read too. When a connection is cut, what was sent in the last `resend_secs` is sent again on the next one, at most `resend_bytes`: so rows may come twice, and what was lost before that stays lost. Datagrams are sent once.',
  security:
    'Without `tls` all can be read on the way, and whoever answers gets the rows. With it the server must have a certificate of a known authority for its name, and gets `tls.certificate_file` to see. UDP has neither.',
  examples: [
    {
      title: 'JSON lines over TCP',
      yaml: 'id: out\nkind: sink\ntype: socket\nsettings:\n  port: 9000\n',
      needs: 'somebody who listens',
    },
    {
      title: 'With TLS and a certificate of its own, each message behind its length',
      yaml: 'id: out\nkind: sink\ntype: socket\nsettings:\n  host: collector.example\n  port: 9443\n  framing: {by: length}\n  tls:\n    ca_file: authority.pem\n    certificate_file: client.pem\n    key_file: client.key\n',
      needs: 'certificates and somebody who listens',
    },
  ],
  check: (given, codec) => [...checkFraming(given.framing), ...checkConnect(given), ...checkRaw(given, codec)],
  open: (context) => openSocketSink(context),
  probe: (context) => probeConnecting(context),
});

async function openSocketSink(context: Context): Promise<BulkSink> {
  const { id, settings: given, codec, folder, log } = context;
  const rowEnd = rowEndBytes(codec);
  const limits = bulkLimits({ batch: given.batch, concurrency: 1, ordered: true });
  if (given.proto === 'udp') {
    const client = new DatagramClient({ id, settings: given, log });
    return { limits, send: (bulk) => client.send(rowsOf(bulk, rowEnd)), close: async () => client.close() };
  }
  const path = given.proto === 'unix' ? resolve(folder, given.path ?? '') : undefined;
  const client = await StreamClient.open({ id, settings: given, folder, path, log });
  const framer = messageFramer(given.framing);
  return {
    limits,
    async send(bulk, signal) {
      if (given.framing.by === 'line' && rowEnd > 0) {
        await client.send(bulk.bytes, signal);
        return undefined;
      }
      const refused: RefusedRow[] = [];
      const good: Uint8Array[] = [];
      for (const [row, message] of rowsOf(bulk, rowEnd).entries()) {
        const reason = unframeable(message, framer);
        if (reason === undefined) good.push(message);
        else refused.push({ row, reason });
      }
      await client.send(framed(good, framer), signal);
      return refused.length === 0 ? undefined : { refused };
    },
    close: () => client.close(),
  };
}

/** Each row without the newline that ends it. */
function rowsOf({ bytes, offsets, rows }: Bulk, rowEnd: number): Uint8Array[] {
  return Array.from({ length: rows }, (_, row) => bytes.subarray(offsets[row]!, offsets[row + 1]! - rowEnd));
}

/** Datagrams need no frames. */
function checkRaw({ proto, framing: { by } }: Context['settings'], codec: Codec | undefined): SettingIssue[] {
  if (codec?.name !== 'raw' || proto === 'udp' || by !== 'line') return [];
  const message = 'is "line" with encoding "raw", expected "length" or "octets": rows that hold a newline go to the error table';
  return [{ path: ['framing', 'by'], message, severity: 'warning' }];
}
