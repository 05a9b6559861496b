import type { Batch } from '../batch/batch.ts';
import { columnArguments, loadFunctionKernel, type TokenBatch } from '../batch/function-kernel.ts';
import { copyTokens, kindOf, type Tokens } from '../batch/tokens.ts';
import { choice, flag, integer, list, type Settings, text } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import type { SettingIssue } from '../spec/node.ts';
import { rowsOnly } from '../spec/security.ts';
import { readFields } from './parse/parser.ts';
import { layOver } from './row-tokens.ts';

const settings = {
  columns: list(text('Name of a column.'), 'Columns that hold objects. A row in which one holds something else keeps it.', {
    min: 1,
  }),
  separator: text('Stands between the parts of a name.', { default: '.' }),
  prefix: text('Stands before the names instead of the name of the column and the separator; may be empty.', { optional: true }),
  max_depth: integer('Levels that are taken apart; what is nested deeper stays an object.', { default: 16, min: 1, max: 64 }),
  lists: choice(
    ['keep', 'index'],
    '`keep`: lists stay as they are. `index`: their elements become columns too, numbered from 0.',
    {
      default: 'keep',
    },
  ),
  keep_column: flag('Whether the column stays beside its members.', { default: false }),
  max_fields: integer(
    'Most different columns that one column may become in a batch of rows; a row with more goes to the error table.',
    {
      default: 256,
      min: 1,
      max: 1024,
    },
  ),
};

type FlattenSettings = Settings<typeof settings>;

const OBJECT = 7;
const LIST = 8;

export default batchFunction({
  summary: 'Makes columns with dotted names of the objects in columns.',
  settings,
  security: rowsOnly,
  examples: [
    {
      title: 'source.ip and source.port',
      yaml: 'id: flat\nkind: function\ntype: flatten\nsettings:\n  columns: [source]\n',
      input: [{ source: { ip: '192.0.2.1', port: 443, geo: { country: 'FR' } } }, { source: 'unknown' }],
    },
  ],
  check,
  reads: ({ columns }) => columns,
  writes: () => [],
  writesOthers: () => true,
  open: ({ settings: given }) => {
    loadFunctionKernel();
    return {
      apply: (batch) => {
        for (const column of given.columns) flatten(batch, column, given);
      },
    };
  },
});

function flatten(batch: Batch, column: string, given: FlattenSettings): void {
  const view = batch as Batch & TokenBatch;
  const tokens = view.tokens(column);
  const { arena, size, rows } = view;
  if (tokens === undefined || rows.length === 0) return;
  const prefix = arena.text(given.prefix ?? column);
  const bare = given.prefix === undefined ? 0 : 1;
  const joint = arena.text(given.separator);
  const problems = arena.take(size * 4);
  const indexed = given.lists === 'index' ? 1 : 0;
  const fields = readFields(view, { names: undefined, limit: given.max_fields }, (kernel) =>
    // biome-ignore format: one argument list
    kernel.flattenObjects(
      ...columnArguments(view, tokens), prefix.pointer, prefix.length, joint.pointer, joint.length, given.max_depth, indexed, bare, problems,
    ),
  );
  for (const row of rows) {
    if (arena.words[(problems >>> 2) + row] === 0) continue;
    batch.reject(
      row,
      `column ${JSON.stringify(column)} holds more different members than max_fields (${given.max_fields}) allows`,
    );
  }
  if (!given.keep_column) removeObjects(view, column, tokens, indexed === 1);
  for (const { name, tokens: members } of fields) layOver(view, name, members);
}

/** What was taken apart is gone from its column. */
function removeObjects(view: TokenBatch, column: string, tokens: Tokens, lists: boolean): void {
  const { arena, size, rows } = view;
  const left = copyTokens(arena, tokens, size);
  for (const row of rows) {
    const kind = kindOf(arena, tokens, row);
    if (kind === OBJECT || (lists && kind === LIST)) arena.bytes[left.kinds + row] = 0;
  }
  view.setTokens(column, left);
}

function check({ columns, prefix }: FlattenSettings): SettingIssue[] {
  const twice = columns.findIndex((name, i) => columns.indexOf(name) !== i);
  if (twice >= 0)
    return [{ path: ['columns', twice], message: `columns[${twice}] is "${columns[twice]}", which stands there twice` }];
  if (prefix === undefined || columns.length === 1) return [];
  return [{ path: ['prefix'], message: 'prefix would give members of several columns the same names, expected one column' }];
}
