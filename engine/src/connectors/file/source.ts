import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ReefError } from '../../errors.ts';
import { text } from '../../spec/fields.ts';
import { type Source, type SourceContext, source } from '../../spec/node.ts';
import { fileError } from './file-error.ts';
import { type FileList, listFiles } from './file-list.ts';
import { WholeFiles } from './whole-files.ts';

const settings = {
  path: text(
    'The file to read, a folder (its files, without those in folders below it and hidden ones), or a glob such as `logs/**/*.jsonl`; a relative path starts at the folder of the punchline.',
  ),
};

type Context = SourceContext<typeof settings>;

export default source({
  summary: 'Reads rows from files.',
  settings,
  codecs: ['json', 'line'],
  delivery:
    'At least once: a replay starts at the byte behind the last row that every required sink had when the last checkpoint was saved.',
  examples: [
    {
      title: 'All rows of a file',
      yaml: 'id: in\nkind: source\ntype: file\nsettings:\n  path: earthquakes.jsonl\nout:\n  - id: next\n',
    },
  ],
  open: openWholeFiles,
});

async function openWholeFiles(context: Context): Promise<Source> {
  const { id, folder, log } = context;
  const path = resolve(folder, context.settings.path);
  const list = await listFiles(path).catch((error: unknown) => {
    throw fileError(`open file source "${id}"`, path, error, 'config');
  });
  if (list.paths.length === 0)
    log.warn(`File source "${id}" has nothing to read: no file ${list.kind === 'glob' ? 'matches' : 'in'} ${path}`);
  return new WholeFiles({ id, folder, log, list, totalBytes: await sizeOf(id, list) });
}

async function sizeOf(id: string, list: FileList): Promise<number> {
  let total = 0;
  for (const path of list.paths) {
    try {
      const found = await stat(path);
      if (found.isFile()) total += found.size;
      else if (list.kind === 'file')
        throw new ReefError('config', `Cannot open file source "${id}": ${path} is no regular file, expected one`);
    } catch (error) {
      // A file that has gone since it was listed is met again, and told of, when its turn comes.
      if (list.kind === 'file') throw fileError(`open file source "${id}"`, path, error, 'config');
    }
  }
  return total;
}
