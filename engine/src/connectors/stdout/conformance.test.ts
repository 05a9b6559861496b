import { withoutServer } from '../testing/conformance/checks.ts';
import { sinkConforms } from '../testing/conformance/conforms.ts';
import { parseLines } from '../testing/conformance/rows.ts';

const takes = 'Whoever reads the pipe decides: as long as it is not read, everything waits.';

sinkConforms({
  type: 'stdout',
  open: () => ({ settings: () => ({}), read: async (reef) => parseLines(reef.stdout) }),
  except: {
    ...withoutServer('It writes to its standard output.'),
    acks: 'A row counts as delivered when the pipe has it.',
    outage: takes,
    pressure: takes,
    drain: takes,
  },
});
