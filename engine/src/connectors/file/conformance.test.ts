import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withoutServer } from '../testing/conformance/checks.ts';
import { sinkConforms, sourceConforms } from '../testing/conformance/conforms.ts';
import { jsonLines, parseLines } from '../testing/conformance/rows.ts';

sourceConforms({
  type: 'file',
  open: (_, folder) => ({
    settings: () => ({ path: join(folder, 'in.jsonl'), mode: 'tail' }),
    write: async (rows) => appendFileSync(join(folder, 'in.jsonl'), jsonLines(rows)),
  }),
  except: {
    ...withoutServer('It reads files of this machine.'),
    acks: 'Nobody is told what was read of a file: it goes on where the checkpoint says.',
  },
});

const takes = 'A disk takes what it is given, or says at once that it cannot.';

sinkConforms({
  type: 'file',
  open: (_, folder) => ({
    settings: () => ({ path: join(folder, 'out.jsonl') }),
    async read() {
      const file = join(folder, 'out.jsonl');
      if (!existsSync(file)) return [];
      return parseLines(readFileSync(file, 'utf8'));
    },
  }),
  except: {
    ...withoutServer('It writes files of this machine.'),
    acks: takes,
    outage: `${takes} What a full disk does stands in its own tests.`,
    pressure: takes,
    drain: takes,
  },
});
