/** Where rows go as files: to one, or to a set of them whose names come from the rows and the time. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ChunkEncoder } from '../../codecs/chunk-encoder.ts';
import { choice, integer, text } from '../../spec/fields.ts';
import type { SettingIssue } from '../../spec/node.ts';
import { type Sink, type SinkContext, sink } from '../../spec/sink.ts';
import { writerSink } from '../stdout/sink.ts';
import { openStandardOutput } from '../stdout/standard-output.ts';
import { compressionToWrite, writtenCompression } from './compression.ts';
import { errorNumber, fileError } from './file-error.ts';
import { columnsInName, isTemplate } from './name-template.ts';
import { probeFileToWrite } from './probe.ts';
import { openSingleFile } from './single-file.ts';
import { openSpecialFile } from './special-file.ts';

const settings = {
  path: text(
    'The file to write; a relative path starts at the folder of the punchline. Missing folders are created. Devices and named pipes work too. `%{column}` stands for the text of a column of the row (`_` where it has none), `%{+yyyy-MM-dd}` for the time at which the row is written, in UTC: each name is a file of its own. No row leads out of the folder in front of the first of them.',
  ),
  mode: choice(
    ['append', 'overwrite'],
    'What a fresh start does with a file that is there: `append` writes behind it (after a newline if it does not end with one), `overwrite` empties it. The default is `overwrite` in a BatchPunchline and `append` in a StreamPunchline. A start that resumes a run goes on where that run was; a sink that was not in it (it may have had another name) writes behind what is there.',
    { optional: true },
  ),
  compression: writtenCompression,
  rotate_bytes: integer(
    'Largest size of a file; rows go on in the next one. Files are then numbered before their ending (`out-000001.jsonl`). A file holds one row at least; one that is compressed holds whole batches.',
    { optional: true, min: 1, unit: 'bytes' },
  ),
  rotate_secs: integer(
    'Longest time that rows go into one file, seen when the next row comes. Files are then numbered before their ending (`out-000001.jsonl`).',
    { optional: true, min: 1, unit: 's' },
  ),
  max_open_files: integer(
    'Files that are open at once, where the path holds columns or times; the one that was not used for longest is closed for another.',
    { default: 64, min: 1, max: 65_536 },
  ),
  sync: choice(
    ['checkpoint', 'write', 'never'],
    'When rows are made safe against a loss of power. `checkpoint`: before each checkpoint that covers them; `write`: before they count as delivered, batch by batch; `never`: when the system gets to it. A crash of the process alone loses nothing in any case.',
    { default: 'checkpoint' },
  ),
};

type Context = SinkContext<typeof settings>;
type Given = Context['settings'];

export default sink({
  summary: 'Writes rows to files, one per line: to one, or to one for each name that their columns and the time give.',
  settings,
  codecs: ['json', 'line', 'csv', 'raw'],
  delivery:
    'At least once: how long each file is stands in every checkpoint, and after a crash files are cut back to that length, so no line and no compressed member is torn. With one partition (one input file) no row appears twice; with several, rows of one that were not yet committed may.',
  security:
    'It writes wherever the rights of the process allow. What comes from rows is one part of a path at most, with separators, dots at its beginning and control characters escaped, so no row leads out of the folder that the path begins with. Files are made with the rights that the umask leaves.',
  examples: [
    { title: 'JSON lines beside the punchline', yaml: 'id: out\nkind: sink\ntype: file\nsettings:\n  path: out.jsonl\n' },
    {
      title: 'A compressed file for each kind of row and day',
      yaml: 'id: out\nkind: sink\ntype: file\nsettings:\n  path: "%{kind}-%{+yyyy}.csv.gz"\n  encoding: {codec: csv, columns: [kind, n]}\n  rotate_bytes: 100000000\n',
      input: [
        { kind: 'a', n: 1 },
        { kind: 'b', n: 2 },
      ],
    },
    {
      title: 'Write behind what is there',
      yaml: 'id: archive\nkind: sink\ntype: file\nsettings:\n  path: /var/log/archive.jsonl\n  mode: append\n',
      needs: 'the right to write there',
    },
  ],
  check({ path }): SettingIssue[] {
    try {
      columnsInName(path);
      return [];
    } catch (error) {
      return [{ path: ['path'], message: (error as Error).message }];
    }
  },
  reads: ({ path }) => columnsInName(path),
  sideColumns: ({ path }) => columnsInName(path),
  needsOffsets: (given) => isSet(given),
  probe: ({ id, folder, settings: { path } }) => probeFileToWrite({ id, folder, path }),
  open: openFileSink,
});

/** More than one file may come of it. */
function isSet({ path, rotate_bytes, rotate_secs }: Given): boolean {
  return isTemplate(path) || rotate_bytes !== undefined || rotate_secs !== undefined;
}

async function openFileSink(context: Context): Promise<Sink> {
  const { id, codec, folder, log, memory, punchlineKind, resume, settings } = context;
  const { compression = 'auto', sync = 'checkpoint', max_open_files: mostOpen = 64 } = settings;
  const fresh = settings.mode ?? (punchlineKind === 'BatchPunchline' ? 'overwrite' : 'append');
  // What is there may be of the run that goes on, whose sink had another name: its rows do not come again.
  const isNew = context.goesOn === true && resume === undefined;
  const mode = isNew ? 'append' : fresh;
  if (isNew && fresh === 'overwrite')
    log.warn(
      `File sink "${id}" had no part in the run that goes on: it writes behind what is there, and has no rows from before`,
    );
  if (isSet(settings)) {
    const { openFileSet } = await import('./file-set.ts');
    const { path: name, rotate_bytes: rotateBytes, rotate_secs: rotateSecs } = settings;
    const forgets = punchlineKind === 'BatchPunchline';
    return openFileSet({
      id,
      name,
      folder,
      codec,
      mode,
      compression,
      sync,
      rotateBytes,
      rotateSecs,
      mostOpen,
      resume,
      memory,
      forgets,
      log,
    });
  }
  const path = resolve(folder, settings.path);
  const encoder = new ChunkEncoder(codec, compressionToWrite(compression, path));
  if (path === '/dev/stdout') return writerSink(await openStandardOutput(1), encoder);
  if (path === '/dev/stderr') return writerSink(await openStandardOutput(2), encoder);
  const found = await stat(path).catch((error: unknown) => {
    if (errorNumber(error) === 'ENOENT') return undefined;
    throw fileError(`open file sink "${id}"`, path, error, 'config');
  });
  if (found !== undefined && !found.isFile() && !found.isDirectory()) {
    return openSpecialFile(path, { subject: `file sink "${id}" (${path})`, isPipe: found.isFIFO(), encoder });
  }
  return openSingleFile({ id, path, mode, encoder, sync, resume, log });
}
