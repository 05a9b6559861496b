import { withoutServer } from '../testing/conformance/checks.ts';
import { sourceConforms } from '../testing/conformance/conforms.ts';
import { jsonLines } from '../testing/conformance/rows.ts';

const gone = 'What was read of a pipe cannot be read again: rows that are not delivered when the process ends are lost with it.';

sourceConforms({
  type: 'stdin',
  open: () => ({
    settings: () => ({}),
    write: (rows, reef) =>
      new Promise((resolve, reject) => {
        reef.stdin.write(jsonLines(rows), (error) => (error ? reject(error) : resolve()));
      }),
  }),
  except: {
    ...withoutServer('It reads its standard input.'),
    acks: 'Whoever writes to a pipe hears nothing.',
    outage: gone,
    kill: gone,
    stop: gone,
    drain: gone,
  },
});
