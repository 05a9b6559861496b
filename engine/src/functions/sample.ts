import type { Batch } from '../batch/batch.ts';
import {
  columnArguments,
  loadFunctionKernel,
  TextOf,
  type TokenBatch,
  takeTexts,
  withFunctionKernel,
} from '../batch/function-kernel.ts';
import { KIND_RAW } from '../batch/kernel-exports.ts';
import { kindOf, type Tokens } from '../batch/tokens.ts';
import { integer, json, number, type Settings, text } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import type { SettingIssue } from '../spec/node.ts';
import { rowsOnly } from '../spec/security.ts';
import { type Condition, conditionColumns, evaluate, parseCondition } from './condition.ts';

const settings = {
  rate: number('Share of the rows that pass.', { optional: true, min: 0, max: 1 }),
  one_of: integer('One of so many rows passes: about every n-th, not exactly. Another way to write a rate.', {
    optional: true,
    min: 1,
  }),
  key_column: text(
    'Column whose value decides: rows with the same value all pass or all do not. Without it, and where a row does not have it, the place of the row in its source decides (`_ppf_id`), so that a replay chooses the same rows.',
    { optional: true },
  ),
  always: json('Rows that fulfil this condition (as `filter` takes it) pass whatever the rate.', { optional: true }),
  seed: integer(
    'Another number makes another choice. Two `sample` nodes behind each other need different ones: what passes the first would all pass the second.',
    { default: 0, min: 0 },
  ),
};

type SampleSettings = Settings<typeof settings>;

const ID_COLUMN = '_ppf_id';

export default batchFunction({
  summary: 'Lets a share of the rows pass, the same ones at every replay.',
  settings,
  security: rowsOnly,
  examples: [
    { title: 'One row of a hundred', yaml: 'id: some\nkind: function\ntype: sample\nsettings:\n  one_of: 100\n' },
    {
      title: 'All rows of a tenth of the users, and all errors',
      yaml: 'id: some\nkind: function\ntype: sample\nsettings:\n  rate: 0.1\n  key_column: user\n  always: {column: level, op: eq, value: error}\n',
    },
  ],
  check,
  reads: (given) => {
    const condition = conditionOf(given);
    return Array.from(
      new Set([
        ID_COLUMN,
        ...(given.key_column === undefined ? [] : [given.key_column]),
        ...(condition ? conditionColumns(condition) : []),
      ]),
    );
  },
  writes: () => [],
  open: ({ settings: given }) => {
    loadFunctionKernel();
    const { key_column: key, rate, one_of: oneOf = 1, seed } = given;
    const always = conditionOf(given);
    const bound = Math.round((rate ?? 1 / oneOf) * 2 ** 32);
    return {
      apply(batch) {
        const keep = choose(batch, key, { seed, bound });
        if (always !== undefined) {
          const passes = evaluate(always, batch);
          for (let row = 0; row < keep.length; row++) keep[row]! |= passes[row]!;
        }
        batch.filter(keep);
      },
    };
  },
});

/** 1 where the hash of the key is below the bound. */
function choose(batch: Batch, key: string | undefined, { seed, bound }: { seed: number; bound: number }): Uint8Array {
  const view = batch as Batch & TokenBatch;
  const { arena, size, rows } = view;
  const keep = new Uint8Array(size);
  const hashes = arena.take(size * 8);
  const byKey = key === undefined ? undefined : view.tokens(key);
  let open: Uint32Array = rows;
  if (byKey !== undefined) {
    const texts = takeTexts(view, byKey, TextOf.values);
    hash(view, texts, seed, hashes);
    for (const row of rows) if (kindOf(arena, texts, row) === KIND_RAW) keep[row] = 2;
    open = rows.filter((row) => keep[row] === 0);
    decide(rows.filter((row) => keep[row] === 2));
  }
  if (open.length > 0) {
    hash(view, takeTexts(view, view.tokens(ID_COLUMN)!), seed, hashes);
    decide(open);
  }
  return keep;

  function decide(decided: Uint32Array): void {
    // The high half of each hash, whose bits are as good as the others.
    for (const row of decided) keep[row] = arena.words[(hashes >>> 2) + row * 2 + 1]! < bound ? 1 : 0;
  }
}

function hash(view: TokenBatch, texts: Tokens, seed: number, out: number): void {
  withFunctionKernel(view, (kernel) => kernel.hashTexts(...columnArguments(view, texts), seed, out));
}

function conditionOf({ always }: SampleSettings): Condition | undefined {
  return always === undefined ? undefined : parseCondition(always, ['always']).condition;
}

function check({ rate, one_of: oneOf, always }: SampleSettings): SettingIssue[] {
  const issues = always === undefined ? [] : [...parseCondition(always, ['always']).issues];
  if (rate === undefined && oneOf === undefined) issues.push({ path: [], message: 'says no share, expected rate or one_of' });
  if (rate !== undefined && oneOf !== undefined) {
    issues.push({ path: ['one_of'], message: 'one_of stands beside rate, expected one of both' });
  }
  return issues;
}
