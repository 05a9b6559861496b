/** `encoding` of a node: its codec, and what else is to be said of some codecs. */
import { choice, type Field, type Fields, flag, list, text } from './fields.ts';
import type { SettingIssue } from './node.ts';
import type { NodeSpec } from './node-spec.ts';
import type { Codec, CsvCodec, Json, JsonForm } from './plan.ts';

/** The setting that every node with codecs has beside its own; the first codec is the default. */
export const ENCODING = 'encoding';

const SEPARATOR = `${ENCODING}.separator`;
const HEADER = `${ENCODING}.header`;
const COLUMNS = `${ENCODING}.columns`;
const FORM = `${ENCODING}.form`;

/** What each option is for. */
const codecOf: Readonly<Record<string, Codec['name']>> = {
  [SEPARATOR]: 'csv',
  [HEADER]: 'csv',
  [COLUMNS]: 'csv',
  [FORM]: 'json',
};

const DEFAULT_SEPARATOR = ',';

/** The codec and its options, under their dotted names; empty for a node without codecs. */
export function encodingFields(spec: NodeSpec): Fields {
  if (spec.kind === 'function' || spec.codecs.length === 0) return {};
  const reads = spec.kind === 'source';
  const doc = (reads ? readDoc : writeDoc)(spec.codecs);
  const codec: Field<unknown> = choice(spec.codecs, doc, { default: spec.codecs[0]! });
  return {
    [ENCODING]: codec,
    ...(spec.codecs.includes('csv') ? csvFields(reads) : {}),
    ...(reads && spec.documents ? { [FORM]: formField } : {}),
  };
}

function csvFields(reads: boolean): Fields {
  return {
    [SEPARATOR]: text('Of `csv`: what stands between fields, one character of ASCII (no letter, digit or quote). Default `,`.', {
      optional: true,
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a tab is a usual separator
      pattern: /^[\u0001-\u0009 !#-/:-@[-`{-~]$/,
    }),
    [HEADER]: flag(
      reads
        ? 'Of `csv`: the first row names the columns. Default true.'
        : 'Of `csv`: the first row of every file names the columns. Default true.',
      { optional: true },
    ),
    [COLUMNS]: list(
      text('The name of a column.'),
      reads
        ? 'Of `csv` without a header: the names of its columns, in order. Default: those that the first `out` with columns declares.'
        : 'Of `csv`: the columns that are written, in order. Default: those that every `out` to this node declares.',
      { optional: true, min: 1, max: 4096 },
    ),
  };
}

const formField = choice(
  ['lines', 'document'],
  'Of `json`: `lines`: each line is an object; `document`: the whole is an array of objects, or objects one behind the other, over any number of lines. Default `lines`.',
  { optional: true },
);

/** The codec that settings in the shape of {@link encodingFields} say. */
export function readCodec(settings: Readonly<Record<string, Json>>): Codec {
  const name = settings[ENCODING] as Codec['name'];
  if (name === 'csv') {
    const columns = settings[COLUMNS] as readonly string[] | undefined;
    const codec: CsvCodec = {
      name,
      separator: (settings[SEPARATOR] as string | undefined) ?? DEFAULT_SEPARATOR,
      header: (settings[HEADER] as boolean | undefined) ?? true,
    };
    return columns ? { ...codec, columns } : codec;
  }
  const form = settings[FORM] as JsonForm | undefined;
  return name === 'json' && form ? { name, form } : { name };
}

/** Options of another codec than the node's, and columns that cannot be. */
export function encodingIssues(spec: NodeSpec, settings: Readonly<Record<string, Json>>): SettingIssue[] {
  const issues: SettingIssue[] = [];
  for (const [option, codec] of Object.entries(codecOf)) {
    if (settings[option] === undefined || settings[ENCODING] === codec) continue;
    const message = `is only for ${ENCODING} "${codec}", expected it left out with "${settings[ENCODING]}"`;
    issues.push({ path: [option], message });
  }
  const columns = settings[COLUMNS] as readonly string[] | undefined;
  const twice = columns?.findIndex((name, index) => columns.indexOf(name) !== index) ?? -1;
  if (twice >= 0) issues.push({ path: [COLUMNS, twice], message: `is "${columns![twice]}" again, expected names that differ` });
  if (columns && spec.kind === 'source' && settings[HEADER] !== false && settings[ENCODING] === 'csv') {
    issues.push({ path: [COLUMNS], message: 'is given though the header names the columns, expected header: false beside it' });
  }
  return issues;
}

/** Of a source with the setting `rows`: bytes have no lines. */
export function rawRowIssues({ rows }: { readonly rows: 'one' | 'lines' }, codec: Codec | undefined): SettingIssue[] {
  if (codec?.name !== 'raw' || rows === 'one') return [];
  return [{ path: ['rows'], message: `is "lines" with ${ENCODING} "raw", expected "one": bytes have no lines` }];
}

type Codecs = readonly Codec['name'][];

const CSV = '`csv`: RFC 4180, quoted fields may hold line ends (see docs/codecs.md).';

function readDoc(codecs: Codecs): string {
  return [
    'How bytes become rows.',
    ...(codecs.includes('json') ? ['`json`: each line is a JSON object.'] : []),
    ...(codecs.includes('line')
      ? ['`line`: each line is the text of one column, the first that `out` declares (`message` where none is declared).']
      : []),
    ...(codecs.includes('csv') ? [CSV] : []),
    ...(codecs.includes('raw')
      ? [
          '`raw`: the whole (a file, a body, a message) is one row, whatever bytes it holds: they are the column `content`, in JSON as base64.',
        ]
      : []),
  ].join(' ');
}

function writeDoc(codecs: Codecs): string {
  return [
    'How rows become bytes.',
    ...(codecs.includes('json') ? ['`json`: each as a JSON object on a line.'] : []),
    ...(codecs.includes('line') ? ['`line`: as the bare text of their column where they have only one, else as `json`.'] : []),
    ...(codecs.includes('csv') ? [CSV] : []),
    ...(codecs.includes('raw')
      ? ['`raw`: as the bytes of their one column, or of `content` where they have several, with nothing behind them.']
      : []),
  ].join(' ');
}
