import type { Batch } from '../batch/batch.ts';
import { loadFunctionKernel, type TokenBatch, unlessFull, withFunctionKernel } from '../batch/function-kernel.ts';
import { kindOf, type Tokens } from '../batch/tokens.ts';
import { choice, list, type Settings, text } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import type { SettingIssue } from '../spec/node.ts';
import { rowsOnly } from '../spec/security.ts';
import { buildProgram, buildTree, type NameTree, treeDepth } from './nest-program.ts';
import { onErrorDoc } from './row-problems.ts';
import { copyToken, layOver, noTokens } from './row-tokens.ts';

const settings = {
  columns: list(text('A name with a separator in it.'), 'The columns that go into objects, in this order.', { min: 1 }),
  separator: text('Stands between the parts of a name.', { default: '.', pattern: /^./su }),
  on_error: choice(['reject', 'keep'], onErrorDoc, { default: 'reject' }),
};

type NestSettings = Settings<typeof settings>;

/** An object that is made, and the columns that go into it. */
interface Nest {
  readonly target: string;
  readonly tree: NameTree;
  readonly columns: readonly string[];
}

export default batchFunction({
  summary: 'Makes objects of columns with dotted names.',
  settings,
  security: rowsOnly,
  examples: [
    {
      title: 'One object of three columns',
      yaml: 'id: nested\nkind: function\ntype: nest\nsettings:\n  columns: [source.ip, source.port, source.geo.country]\n',
      input: [{ 'source.ip': '192.0.2.1', 'source.geo.country': 'FR' }, { host: 'web1' }],
    },
  ],
  check,
  reads: ({ columns }) => columns,
  writes: (given) => nestsOf(given).map(({ target }) => ({ name: target, type: 'any' })),
  removes: ({ columns, on_error: onError }) => (onError === 'reject' ? columns : []),
  open: ({ settings: given }) => {
    loadFunctionKernel();
    const nests = nestsOf(given);
    return {
      apply: (batch) => {
        for (const nest of nests) apply(batch, nest, given.on_error);
      },
    };
  },
});

function apply(batch: Batch, { target, tree, columns }: Nest, onError: NestSettings['on_error']): void {
  const view = batch as Batch & TokenBatch;
  const { arena, rows, rowsPointer } = view;
  if (rows.length === 0) return;
  const tokens = new Map(columns.map((name) => [name, view.tokens(name)]));
  if (!Array.from(tokens.values()).some((one) => one !== undefined)) return;
  const keyOf = (name: string): { pointer: number; length: number } => arena.text(`${JSON.stringify(name.toWellFormed())}:`);
  const steps = buildProgram(tree, { tokens, keyOf });
  const program = arena.copyOf(steps.words);
  const stack = arena.take(treeDepth(tree) * 8 + 8);
  const objects = noTokens(view);
  const { starts, ends, kinds } = objects;
  withFunctionKernel(view, (kernel) =>
    unlessFull(kernel.nestColumns(program, steps.count, rowsPointer, rows.length, stack, starts, ends, kinds)),
  );
  const taken = refuseTaken(batch, view.tokens(target), objects, { target, onError, first: columns[0]! });
  for (const name of columns) {
    if (taken.length === 0) batch.drop(name);
    else if (tokens.get(name) !== undefined) view.setTokens(name, leftWhere(view, tokens.get(name)!, taken));
  }
  layOver(view, target, objects);
}

/** Rows that have a value where the object would go; they get none. */
function refuseTaken(
  batch: Batch,
  own: Tokens | undefined,
  objects: Tokens,
  { target, onError, first }: { readonly target: string; readonly onError: NestSettings['on_error']; readonly first: string },
): number[] {
  const { arena, rows } = batch as Batch & TokenBatch;
  if (own === undefined) return [];
  const taken: number[] = [];
  for (const row of rows) {
    const kind = kindOf(arena, own, row);
    if (kind === 0 || kind === 6 || kindOf(arena, objects, row) === 0) continue;
    taken.push(row);
    arena.bytes[objects.kinds + row] = 0;
    if (onError === 'reject') {
      batch.reject(
        row,
        `column ${JSON.stringify(target)} stands beside ${JSON.stringify(first)} and the like, expected it to be absent`,
      );
    }
  }
  return taken;
}

/** The column in these rows only. */
function leftWhere(view: TokenBatch, tokens: Tokens, where: readonly number[]): Tokens {
  const left = noTokens(view);
  for (const row of where) copyToken(view, tokens, left, row);
  return left;
}

function nestsOf({ columns, separator }: NestSettings): Nest[] {
  const trees = buildTree(columns, separator);
  return Array.from(trees.children, ([target, tree]) => ({
    target,
    tree,
    columns: columns.filter((name) => name.split(separator)[0] === target),
  }));
}

function check({ columns, separator }: NestSettings): SettingIssue[] {
  const issues: SettingIssue[] = [];
  for (const [i, name] of columns.entries()) {
    const complain = (problem: string): void => {
      issues.push({ path: ['columns', i], message: `columns[${i}] is "${name}", ${problem}` });
    };
    if (!name.includes(separator)) complain(`expected a name with "${separator}" in it`);
    else if (columns.indexOf(name) < i) complain('which stands there twice');
    const inside = columns.find((other) => other.startsWith(name + separator));
    if (inside !== undefined) complain(`which would be a value and the object of "${inside}", expected one of both`);
  }
  return issues;
}
