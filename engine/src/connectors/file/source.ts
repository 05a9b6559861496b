import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ReefError } from '../../errors.ts';
import { choice, number, text } from '../../spec/fields.ts';
import type { SettingIssue } from '../../spec/node.ts';
import { type Source, type SourceContext, source } from '../../spec/source.ts';
import { claim, type Release } from './claims.ts';
import { compressionByName, compressionWords } from './compression.ts';
import { fileError } from './file-error.ts';
import { type FileList, listFiles } from './file-list.ts';
import { probeFilesToRead } from './probe.ts';
import { QuickFiles } from './quick-files.ts';
import { TailedFiles } from './tailed-files.ts';
import { WholeFiles } from './whole-files.ts';

const settings = {
  path: text(
    'The file to read, a folder (its files, without those in folders below it and hidden ones), or a glob such as `logs/**/*.jsonl`; a relative path starts at the folder of the punchline.',
  ),
  mode: choice(
    ['whole', 'tail'],
    '`whole` reads each file once, in name order, and ends; `tail` follows files as they grow and are rotated, and never ends. The default is `whole` in a BatchPunchline and `tail` in a StreamPunchline.',
    { optional: true },
  ),
  from: choice(
    ['beginning', 'end'],
    'Where `tail` starts, at the very first start, in files that are already there. Files that appear later are read from their beginning, and a restart goes on where it was.',
    { default: 'beginning' },
  ),
  compression: choice(
    compressionWords,
    'How files are compressed, in mode `whole`. `auto`: as their first bytes say, zlib also by the ending of the name (`.zz`). Parts one behind the other are read as one, and what stands before the place where a file is cut off or damaged is delivered before the run fails.',
    { default: 'auto' },
  ),
  watcher_interval_s: number(
    'How often `tail` looks for new and rotated files when the system does not tell of them, and how long a file that was renamed or deleted must be silent until its last row counts as complete.',
    { default: 5, min: 0.01, unit: 's' },
  ),
};

type Context = SourceContext<typeof settings>;

export default source({
  summary: 'Reads rows from files: whole ones, or as they grow.',
  settings,
  codecs: ['json', 'line', 'csv', 'raw'],
  documents: true,
  delivery:
    'At least once: a replay starts at the byte behind the last row that every required sink had when the last checkpoint was saved. With `tail`, rows of a file that is deleted or truncated before they are read are lost.',
  security: 'It reads whatever the rights of the process allow: `path` comes from the punchline. Links are followed.',
  examples: [
    {
      title: 'All rows of a file',
      yaml: 'id: in\nkind: source\ntype: file\nsettings:\n  path: earthquakes.jsonl\nout:\n  - id: next\n',
    },
    {
      title: 'Whole files of any kind, each a row',
      yaml: 'id: in\nkind: source\ntype: file\nsettings:\n  path: images/*.png\n  mode: whole\n  encoding: raw\n  compression: none\nout:\n  - id: next\n    columns:\n      - {name: content, type: bytes}\n',
      needs: 'such files',
    },
    {
      title: 'Follow log files',
      yaml: 'id: in\nkind: source\ntype: file\nsettings:\n  path: /var/log/app/*.log\n  encoding: line\n  mode: tail\n  from: end\nout:\n  - id: next\n',
      needs: 'files that grow',
    },
  ],
  check({ mode, compression }, codec) {
    if (mode !== 'tail') return [];
    const issues: SettingIssue[] = [];
    if (compression !== 'auto' && compression !== 'none')
      issues.push({
        path: ['compression'],
        message: `is "${compression}", which mode tail cannot read, expected mode: whole`,
      });
    if (codec?.name === 'raw')
      issues.push({
        path: ['mode'],
        message: 'is "tail" with encoding "raw", which makes a row of a whole file, expected whole',
      });
    return issues;
  },
  probe: ({ id, folder, settings: { path } }) => probeFilesToRead({ id, folder, path }),
  async open(context) {
    const { settings, punchlineKind } = context;
    const mode = settings.mode ?? (punchlineKind === 'BatchPunchline' ? 'whole' : 'tail');
    return mode === 'whole' ? openWholeFiles(context) : openTailedFiles(context);
  },
});

function openTailedFiles({ id, codec, folder, log, settings }: Context): Source {
  const { compression, from, watcher_interval_s } = settings;
  const cannot = (what: string, expected: string): ReefError =>
    new ReefError('config', `Cannot open file source "${id}": ${what}, expected ${expected}`);
  if (compression !== 'auto' && compression !== 'none')
    throw cannot(`compression is "${compression}", which mode tail cannot read`, 'mode: whole');
  if (codec.name === 'json' && codec.form === 'document') throw cannot('mode tail reads no JSON documents', 'mode: whole');
  if (codec.name === 'raw') throw cannot('mode tail reads no whole files, which encoding "raw" makes rows of', 'mode: whole');
  if (codec.name === 'csv' && codec.header && from === 'end')
    throw cannot('from: end leaves out the header of its CSV', 'from: beginning, or header: false and columns');
  return new TailedFiles({ id, folder, log, path: resolve(folder, settings.path), from, intervalMs: watcher_interval_s * 1000 });
}

async function openWholeFiles(context: Context): Promise<Source> {
  const { id, folder, log } = context;
  const path = resolve(folder, context.settings.path);
  const list = await listFiles(path).catch((error: unknown) => {
    throw fileError(`open file source "${id}"`, path, error, 'config');
  });
  if (list.paths.length === 0)
    log.warn(`File source "${id}" has nothing to read: no file ${list.kind === 'glob' ? 'matches' : 'in'} ${path}`);
  const claimed: Release[] = [];
  try {
    const totalBytes = await claimAll(id, list, claimed);
    const { compression } = context.settings;
    const document = context.codec.name === 'json' && context.codec.form === 'document';
    const raw = context.codec.name === 'raw';
    const through =
      document || raw || (compression !== 'none' && list.paths.some((file) => compression !== 'auto' || compressionByName(file)));
    return new WholeFiles({
      id,
      folder,
      log,
      list,
      totalBytes: through ? undefined : totalBytes,
      compression,
      document,
      raw,
      claimed,
    });
  } catch (error) {
    for (const release of claimed) release();
    throw error;
  }
}

/** Takes the files for reading, and gives their length in all. */
async function claimAll(id: string, list: FileList, claimed: Release[]): Promise<number> {
  let total = 0;
  const quick = new QuickFiles();
  const mine = { owner: `file source "${id}"`, writes: false };
  for (const path of list.paths) {
    try {
      const found = (await quick.stat(path)) ?? (await stat(path, { bigint: true }));
      if (found.isFile()) {
        total += Number(found.size);
        claimed.push(claim(path, found, mine));
      } else if (list.kind === 'file')
        throw new ReefError('config', `Cannot open file source "${id}": ${path} is no regular file, expected one`);
    } catch (error) {
      // A file that has gone since it was listed is met again, and told of, when its turn comes.
      if (list.kind === 'file' || error instanceof ReefError) throw fileError(`open file source "${id}"`, path, error, 'config');
    }
  }
  return total;
}
