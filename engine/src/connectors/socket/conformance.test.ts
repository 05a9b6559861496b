import { freePort } from '../../testing/servers/free-port.ts';
import { sinkConforms, sourceConforms } from '../testing/conformance/conforms.ts';
import type { Row } from '../testing/conformance/rows.ts';
import type { SettingsOptions } from '../testing/conformance/sides.ts';
import { cutterFor } from './cutter-for.ts';
import { sinkExceptions, sourceExceptions } from './testing/exceptions.ts';
import { startMessageStore } from './testing/message-store.ts';
import { sendMessages } from './testing/send-messages.ts';

const LONGEST = 16 * 1024 * 1024;
const lines = { by: 'line', length_bytes: '4', byte_order: 'big', delimiter: '\\n' } as const;

sourceConforms({
  type: 'socket',
  async open(t) {
    const port = await freePort();
    let over = false;
    t.after(() => {
      over = true;
    });
    return {
      settings: () => ({ port }),
      write: (rows) =>
        sendMessages(
          rows.map((row) => Buffer.from(`${JSON.stringify(row)}\n`)),
          { port, over: () => over },
        ),
    };
  },
  except: sourceExceptions,
});

sinkConforms({
  type: 'socket',
  async open(t) {
    const store = await startMessageStore(t, {
      newCutter: () => cutterFor(lines, LONGEST),
      rowOf: (message) => JSON.parse(message) as Row,
    });
    const settings = ({ port }: SettingsOptions) => ({ port });
    return {
      settings,
      serverPort: store.port,
      server: store,
      read: async () => store.rows,
      tls: ({ port, caFile }) => ({ host: 'localhost', port, tls: { ca_file: caFile } }),
    };
  },
  except: sinkExceptions,
});
