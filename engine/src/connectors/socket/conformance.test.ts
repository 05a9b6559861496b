import { sinkConforms, sourceConforms } from '../testing/conformance/conforms.ts';
import type { Row } from '../testing/conformance/rows.ts';
import { LineCutter } from './line-cutter.ts';
import { sinkExceptions, sourceExceptions } from './testing/exceptions.ts';
import { messageSink, messageSource } from './testing/sides.ts';

const LONGEST = 16 * 1024 * 1024;

sourceConforms({
  type: 'socket',
  open: (t) => messageSource(t, (row) => Buffer.from(`${JSON.stringify(row)}\n`)),
  except: sourceExceptions,
});

sinkConforms({
  type: 'socket',
  open: (t) =>
    messageSink(t, {
      newCutter: () => new LineCutter(LONGEST),
      rowOf: (message) => JSON.parse(message) as Row,
    }),
  except: sinkExceptions,
});
