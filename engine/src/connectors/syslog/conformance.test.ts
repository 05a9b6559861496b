import { freePort } from '../../testing/servers/free-port.ts';
import { syslogCutter } from '../socket/syslog-cutter.ts';
import { sinkExceptions, sourceExceptions } from '../socket/testing/exceptions.ts';
import { startMessageStore } from '../socket/testing/message-store.ts';
import { sendMessages } from '../socket/testing/send-messages.ts';
import { sinkConforms, sourceConforms } from '../testing/conformance/conforms.ts';
import type { Row } from '../testing/conformance/rows.ts';
import type { SettingsOptions } from '../testing/conformance/sides.ts';

const LONGEST = 16 * 1024 * 1024;

/** Octet counting; the text is the message, whatever bytes it holds. */
function frame({ n, text }: Row): Buffer {
  const message = `<13>1 2026-10-11T22:14:15Z host app - ${n} - ${text}`;
  return Buffer.from(`${Buffer.byteLength(message)} ${message}`);
}

sourceConforms({
  type: 'syslog',
  async open(t) {
    const port = await freePort();
    let over = false;
    t.after(() => {
      over = true;
    });
    return {
      settings: () => ({ port }),
      write: (rows) => sendMessages(rows.map(frame), { port, over: () => over }),
      read: ({ msgid, message }) => ({ n: Number(msgid), text: String(message ?? '') }),
    };
  },
  except: sourceExceptions,
});

sinkConforms({
  type: 'syslog',
  async open(t) {
    const store = await startMessageStore(t, {
      newCutter: () => syslogCutter(LONGEST, { counts: true }),
      // A row without a message is its own message.
      rowOf: (message) => JSON.parse(message.slice(message.indexOf('{'))) as Row,
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
