import { resolve } from 'node:path';
import { bulkLimits, bulkSettings } from '../../spec/bulk-settings.ts';
import type { Bulk, BulkSink, RefusedRow } from '../../spec/bulk-sink.ts';
import { bulkSink, type SinkContext } from '../../spec/sink.ts';
import { checkConnect, connectSettings } from './connect-settings.ts';
import { DatagramClient } from './datagram-client.ts';
import { checkFraming, framing } from './framing.ts';
import { framed, messageFramer } from './message-framer.ts';
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
  codecs: ['json', 'line'],
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
  check: (given) => [...checkFraming(given.framing), ...checkConnect(given)],
  open: (context) => openSocketSink(context),
  probe: (context) => probeConnecting(context),
});

async function openSocketSink(context: Context): Promise<BulkSink> {
  const { id, settings: given, folder, log } = context;
  const limits = bulkLimits({ batch: given.batch, concurrency: 1, ordered: true });
  if (given.proto === 'udp') {
    const client = new DatagramClient({ id, settings: given, log });
    return { limits, send: (bulk) => client.send(rowsOf(bulk)), close: async () => client.close() };
  }
  const path = given.proto === 'unix' ? resolve(folder, given.path ?? '') : undefined;
  const client = await StreamClient.open({ id, settings: given, folder, path, log });
  const framer = messageFramer(given.framing);
  return {
    limits,
    async send(bulk, signal) {
      if (given.framing.by === 'line') {
        await client.send(bulk.bytes, signal);
        return undefined;
      }
      const rows = rowsOf(bulk);
      const refused: RefusedRow[] = [];
      for (const [row, { length }] of rows.entries()) {
        if (length > framer.most)
          refused.push({
            row,
            reason: `the row has ${length} bytes, of which the length before it can say ${framer.most} at most`,
          });
      }
      const good = refused.length === 0 ? rows : rows.filter(({ length }) => length <= framer.most);
      await client.send(framed(good, framer), signal);
      return refused.length === 0 ? undefined : { refused };
    },
    close: () => client.close(),
  };
}

/** Each row without its newline. */
function rowsOf({ bytes, offsets, rows }: Bulk): Uint8Array[] {
  return Array.from({ length: rows }, (_, row) => bytes.subarray(offsets[row]!, offsets[row + 1]! - 1));
}
