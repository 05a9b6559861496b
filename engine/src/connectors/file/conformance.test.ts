import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { withoutServer } from '../testing/conformance/checks.ts';
import { sourceConforms } from '../testing/conformance/conforms.ts';
import { jsonLines } from '../testing/conformance/rows.ts';

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
