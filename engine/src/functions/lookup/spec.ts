import type { Batch } from '../../batch/batch.ts';
import { kindOfJson } from '../../batch/column-data.ts';
import { loadFunctionKernel, TextOf, type TokenBatch, takeTexts } from '../../batch/function-kernel.ts';
import { KIND_RAW } from '../../batch/kernel-exports.ts';
import { kindOf, tokenText } from '../../batch/tokens.ts';
import { choice, integer, json, list, map, type Settings, text } from '../../spec/fields.ts';
import { batchFunction } from '../../spec/function.ts';
import type { SettingIssue } from '../../spec/node.ts';
import type { Json } from '../../spec/plan.ts';
import { missingText } from '../row-problems.ts';
import { layOver, noTokens, setToken } from '../row-tokens.ts';
import { ExactIndex, type KeyIndex } from './index-of-keys.ts';
import { NetworkIndex } from './index-of-networks.ts';
import { readTable, type Table, type TableOptions } from './table.ts';

const settings = {
  column: text('The column whose value is looked for in the table. Values that are no strings count as they are spelled.'),
  file: text(
    'Path of the table: CSV whose first line names the columns, or JSON (a list of objects, or one object on each line). It is read once, when the punchline starts.',
  ),
  format: choice(
    ['auto', 'csv', 'json'],
    'How to read it; `auto` tells by the ending: `.json`, `.jsonl` and `.ndjson` are JSON, others CSV.',
    {
      default: 'auto',
    },
  ),
  separator: text('The character between values of CSV.', { default: ',', pattern: /^[^"\r\n]$/ }),
  key_column: text("The table's column that is compared with the value. Each key may stand there once."),
  match: choice(
    ['exact', 'cidr'],
    '`exact`: the key is the value. `cidr`: the key is a network such as `10.0.0.0/8`, the value an address; the smallest network counts.',
    { default: 'exact' },
  ),
  columns: list(text('Name of a column.'), "The table's columns that rows get.", { min: 1 }),
  prefix: text('Stands before the names of the columns that rows get.', { default: '' }),
  on_missing: choice(
    ['leave', 'default', 'reject'],
    'What becomes of a row whose value is not in the table. `leave`: it goes on as it was. `default`: it gets `defaults`. `reject`: it goes to the error table, with the reason.',
    { default: 'leave' },
  ),
  defaults: map(json('The value.'), "Values by names of the table's columns, for `on_missing: default`.", { default: {} }),
  max_file_bytes: integer('Largest size of the table: every worker keeps it in memory.', {
    default: 64 << 20,
    min: 1,
    unit: 'bytes',
  }),
};

type LookupSettings = Settings<typeof settings>;

export default batchFunction({
  summary: 'Adds columns from a table that is looked up by the value of a column.',
  settings,
  security: 'It reads the one file that `file` names, before the first row, and opens no connections.',
  examples: [
    {
      title: 'Names of stations',
      yaml: 'id: stations\nkind: function\ntype: lookup\nsettings:\n  column: station\n  file: stations.csv\n  key_column: code\n  columns: [name, country]\n  on_missing: default\n  defaults: {name: unknown}\n',
      needs: 'the file stations.csv',
    },
    {
      title: 'The site of a network',
      yaml: 'id: sites\nkind: function\ntype: lookup\nsettings:\n  column: source_ip\n  file: networks.json\n  key_column: network\n  match: cidr\n  columns: [site]\n  prefix: source_\n',
      needs: 'the file networks.json',
    },
  ],
  check,
  reads: ({ column }) => [column],
  writes: ({ columns, prefix }) => columns.map((name) => ({ name: prefix + name, type: 'any' })),
  examine: async ({ settings: given, folder }) => {
    const { keys } = await readTable(folder, tableOptions(given));
    return [`table ${JSON.stringify(given.file)} has ${keys.length} rows`];
  },
  prepare: ({ settings: given, folder }) => readTable(folder, tableOptions(given)),
  open: ({ settings: given, prepared }) => {
    loadFunctionKernel();
    const table = prepared as Table;
    const index = given.match === 'cidr' ? new NetworkIndex(table.keys) : new ExactIndex(table.keys);
    const columns = given.columns.map((name, i) => ({
      target: given.prefix + name,
      values: table.values[i]!,
      fallback:
        given.on_missing === 'default' && Object.hasOwn(given.defaults, name) ? JSON.stringify(given.defaults[name]) : undefined,
    }));
    return { apply: (batch) => apply(batch, index, columns, given) };
  },
});

interface AddedColumn {
  readonly target: string;
  /** JSON texts by row of the table. */
  readonly values: readonly (string | undefined)[];
  readonly fallback: string | undefined;
}

const SHOWN_CHARACTERS = 60;

function apply(
  batch: Batch,
  index: KeyIndex,
  columns: readonly AddedColumn[],
  { column, on_missing: onMissing }: LookupSettings,
): void {
  const view = batch as Batch & TokenBatch;
  const { rows, arena } = view;
  if (rows.length === 0) return;
  const from = view.tokens(column);
  const texts = from === undefined ? noTokens(view) : takeTexts(view, from, TextOf.values);
  const found = index.find(view, texts);
  if (onMissing === 'reject') {
    for (const row of rows) {
      if (found[row]! >= 0) continue;
      const kind = kindOf(arena, texts, row);
      const shown = kind === KIND_RAW && JSON.stringify(tokenText(arena, texts, row).slice(0, SHOWN_CHARACTERS));
      batch.reject(
        row,
        shown ? `column ${JSON.stringify(column)} is ${shown}, which is not in the table` : missingText(kind, column, 'a key'),
      );
    }
  }
  for (const { target, values, fallback } of columns) {
    const tokens = noTokens(view);
    const written = new Map<number, readonly [number, number, number]>();
    for (const row of rows) {
      const at = found[row]!;
      let token = written.get(at);
      if (token === undefined) {
        token = writeToken(view, at < 0 ? fallback : values[at]);
        written.set(at, token);
      }
      setToken(view, tokens, row, token);
    }
    layOver(view, target, tokens);
  }
}

/** Each value that a batch needs is written once. */
function writeToken({ arena }: TokenBatch, jsonText: string | undefined): readonly [number, number, number] {
  if (jsonText === undefined) return [0, 0, 0];
  const { pointer, length } = arena.text(jsonText);
  return [pointer, pointer + length, kindOfJson(jsonText)];
}

function tableOptions({ file, format, separator, key_column, match, columns, max_file_bytes }: LookupSettings): TableOptions {
  return { file, format, separator, keyColumn: key_column, match, columns, maxBytes: max_file_bytes };
}

function check({ columns, defaults, on_missing: onMissing, prefix, column }: LookupSettings): SettingIssue[] {
  const issues: SettingIssue[] = [];
  for (const name of Object.keys(defaults as Record<string, Json>)) {
    if (!columns.includes(name))
      issues.push({
        path: ['defaults', name],
        message: `defaults.${name} is none of columns, expected one of ${columns.join(', ')}`,
      });
  }
  const given = Object.keys(defaults).length > 0;
  if (given && onMissing !== 'default')
    issues.push({ path: ['defaults'], message: `defaults are for on_missing: default, but it is ${onMissing}` });
  if (!given && onMissing === 'default')
    issues.push({ path: ['on_missing'], message: 'on_missing is default, but there are no defaults' });
  const twice = columns.findIndex((name, i) => columns.indexOf(name) !== i);
  if (twice >= 0)
    issues.push({ path: ['columns', twice], message: `columns[${twice}] is "${columns[twice]}", which stands there twice` });
  if (columns.some((name) => prefix + name === column))
    issues.push({ path: ['columns'], message: `columns would replace "${column}" itself, expected a prefix` });
  return issues;
}
