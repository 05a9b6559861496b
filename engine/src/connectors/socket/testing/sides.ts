/** Both sides of the sockets' connectors in the conformance suite: only how a row becomes a message, and back, differs between them. */
import type { TestContext } from 'node:test';
import { freePort } from '../../../testing/servers/free-port.ts';
import type { Row } from '../../testing/conformance/rows.ts';
import type { SettingsOptions, SinkSide, SourceSide } from '../../testing/conformance/sides.ts';
import { type MessageStoreOptions, startMessageStore } from './message-store.ts';
import { sendMessages } from './send-messages.ts';

/** Of a source that listens over TCP. */
export async function messageSource(t: TestContext, frame: (row: Row) => Uint8Array): Promise<SourceSide> {
  const port = await freePort();
  let over = false;
  t.after(() => {
    over = true;
  });
  return {
    settings: () => ({ port }),
    write: (rows) => sendMessages(rows.map(frame), { port, over: () => over }),
  };
}

/** Of a sink that connects over TCP or TLS. */
export async function messageSink(t: TestContext, options: MessageStoreOptions): Promise<SinkSide> {
  const store = await startMessageStore(t, options);
  return {
    settings: ({ port }: SettingsOptions) => ({ port }),
    serverPort: store.port,
    server: store,
    read: async () => store.rows,
    tls: ({ port, caFile }) => ({ host: 'localhost', port, tls: { ca_file: caFile } }),
  };
}
