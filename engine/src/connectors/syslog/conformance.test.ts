import { syslogCutter } from '../socket/syslog-cutter.ts';
import { socketsConform } from '../socket/testing/sockets-conform.ts';
import type { Row } from '../testing/conformance/rows.ts';

const LONGEST = 16 * 1024 * 1024;

/** The text is the message, whatever bytes it holds. */
const message = ({ n, text }: Row): Buffer => Buffer.from(`<13>1 2026-10-11T22:14:15Z host app - ${n} - ${text}`);

/** Octet counting. */
function frame(row: Row): Buffer {
  const bytes = message(row);
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes]);
}

socketsConform({
  type: 'syslog',
  datagram: message,
  frame,
  read: ({ msgid, message: text }) => ({ n: Number(msgid), text: String(text ?? '') }),
  newCutter: () => syslogCutter(LONGEST, { counts: true }),
  // A row without a message is its own message.
  rowOf: (text) => JSON.parse(text.slice(text.indexOf('{'))) as Row,
  begun: '200 <13>1 2026-10-11T22:14:15Z host',
  endless: { head: '1000000000 <13>1 - - - - - - ', piece: Buffer.alloc(256 * 1024, 'x') },
});
