import { syslogCutter } from '../socket/syslog-cutter.ts';
import { sinkExceptions, sourceExceptions } from '../socket/testing/exceptions.ts';
import { messageSink, messageSource } from '../socket/testing/sides.ts';
import { sinkConforms, sourceConforms } from '../testing/conformance/conforms.ts';
import type { Row } from '../testing/conformance/rows.ts';

const LONGEST = 16 * 1024 * 1024;

/** Octet counting; the text is the message, whatever bytes it holds. */
function frame({ n, text }: Row): Buffer {
  const message = `<13>1 2026-10-11T22:14:15Z host app - ${n} - ${text}`;
  return Buffer.from(`${Buffer.byteLength(message)} ${message}`);
}

sourceConforms({
  type: 'syslog',
  open: async (t) => ({
    ...(await messageSource(t, frame)),
    read: ({ msgid, message }) => ({ n: Number(msgid), text: String(message ?? '') }),
  }),
  except: sourceExceptions,
});

sinkConforms({
  type: 'syslog',
  open: (t) =>
    messageSink(t, {
      newCutter: () => syslogCutter(LONGEST, { counts: true }),
      // A row without a message is its own message.
      rowOf: (message) => JSON.parse(message.slice(message.indexOf('{'))) as Row,
    }),
  except: sinkExceptions,
});
