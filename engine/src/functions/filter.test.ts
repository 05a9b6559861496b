import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../spec/plan.ts';
import filter from './filter.ts';
import { run } from './testing.ts';

/** Which of the rows pass, by number. */
async function passing(settings: Readonly<Record<string, Json>>, rows: readonly Json[]): Promise<number[]> {
  const text = rows.map((row, n) => `${JSON.stringify({ ...(row as object), n })}\n`).join('');
  const outcome = await run(filter, settings, text);
  assert.equal(outcome.filtered, rows.length - outcome.rows.length);
  return outcome.rows.map((row) => (row as { n: number }).n);
}

const rows: Json[] = [
  { v: 5 },
  { v: 5.0 },
  { v: 6 },
  { v: 'abc' },
  { v: 'b"\n' },
  { v: true },
  { v: false },
  { v: null },
  {},
  { v: ['abc'] },
];

const cases: [string, Json, number[]][] = [
  ['eq', 5, [0, 1]],
  ['eq', 'abc', [3]],
  ['eq', true, [5]],
  ['ne', 5, [2]],
  ['ne', 'abc', [4]],
  ['ne', true, [6]],
  ['lt', 6, [0, 1]],
  ['le', 6, [0, 1, 2]],
  ['gt', 5, [2]],
  ['ge', 5, [0, 1, 2]],
  ['lt', 'b', [3]],
  ['ge', 'b', [4]],
  ['in', ['abc', 6, false], [2, 3, 6]],
  ['in', [], []],
  ['contains', '"', [4]],
  ['starts_with', 'ab', [3]],
  ['ends_with', '\n', [4]],
  ['matches', '^a.c$', [3]],
];

for (const [op, value, expected] of cases) {
  test(`${op} ${JSON.stringify(value)} lets the right rows pass`, async () => {
    assert.deepEqual(await passing({ condition: { column: 'v', op, value } }, rows), expected);
  });
}

test('matches looks at strings as they are without their escapes, anywhere in them', async () => {
  const texts = [{ v: 'say "é\\n"' }, { v: 'x\n1' }, { v: 12 }, {}, { v: '😀' }];
  const matching = (value: string) => passing({ condition: { column: 'v', op: 'matches', value } }, texts);
  assert.deepEqual(await matching('"\u00e9\\\\n"$'), [0]);
  assert.deepEqual(await matching('(?m)^\\d'), [1]);
  assert.deepEqual(await matching('^.$'), [4]);
  assert.deepEqual(await matching(''), [0, 1, 4]);
});

for (const [pattern, text] of [
  ['^(a+)+$', `${'a'.repeat(100_000)}!`],
  ['^(a|a)*$', `${'a'.repeat(100_000)}!`],
  ['(x+x+)+y', 'x'.repeat(100_000)],
  ['^(\\w+\\s?)*$', `${'word '.repeat(20_000)}!`],
  ['(.*)*=(.*)*;', '='.repeat(100_000)],
] as const) {
  test(`a row that is made to backtrack costs ${pattern} no more time than any other`, async () => {
    const before = process.cpuUsage();
    const line = `${JSON.stringify({ v: text })}\n`;
    const { filtered } = await run(filter, { condition: { column: 'v', op: 'matches', value: pattern } }, line, {
      variant: 'simd',
    });
    assert.equal(filtered, 1);
    const { user } = process.cpuUsage(before);
    assert.ok(user < 2_000_000, `${user} µs`);
  });
}

test('a string that is too long for matches costs its row, and no other', async () => {
  const text = `{"v":"${'a'.repeat(1_100_000)}b","n":0}\n{"v":"b","n":1}\n`;
  const not = { not: { column: 'v', op: 'matches', value: 'b$' } };
  for (const condition of [{ column: 'v', op: 'matches', value: 'b$' }, not]) {
    const { rows: left, rejections } = await run(filter, { condition }, text, { variant: 'simd' });
    assert.deepEqual(
      left.map((row) => (row as { n: number }).n),
      condition === not ? [] : [1],
    );
    assert.deepEqual(rejections, [{ row: 0, reason: 'column "v" is longer than the 1048576 bytes that matches looks through' }]);
  }
});

test('exists and missing count null as missing', async () => {
  assert.deepEqual(await passing({ condition: { column: 'v', op: 'exists' } }, rows), [0, 1, 2, 3, 4, 5, 6, 9]);
  assert.deepEqual(await passing({ condition: { column: 'v', op: 'missing' } }, rows), [7, 8]);
});

test('in finds strings among many', async () => {
  const value = Array.from({ length: 40 }, (_, i) => `word ${i}`);
  assert.deepEqual(
    await passing({ condition: { column: 'v', op: 'in', value } }, [{ v: 'word 39' }, { v: 'word 40' }, { v: 39 }]),
    [0],
  );
});

test('cidr takes a network or a list', async () => {
  const addresses = ['10.1.2.3', '11.0.0.0', 'fd00::1', '::ffff:10.0.0.1', 'no address', '10.1.2.3 '].map((v) => ({ v }));
  assert.deepEqual(await passing({ condition: { column: 'v', op: 'cidr', value: '10.0.0.0/8' } }, addresses), [0, 3]);
  assert.deepEqual(await passing({ condition: { column: 'v', op: 'cidr', value: ['fc00::/7', '11.0.0.0'] } }, addresses), [1, 2]);
});

test("Punch's blacklist drops rows of its networks, a whitelist all others", async () => {
  const addresses = [{ ip: '10.1.2.3' }, { ip: '192.168.1.1' }, { ip: '8.8.8.8' }, {}, { ip: 5 }];
  const values = ['10.0.0.0/8', '192.168.0.0/16'];
  assert.deepEqual(await passing({ blacklist: { column: 'ip', values } }, addresses), [2, 3, 4]);
  assert.deepEqual(await passing({ whitelist: { column: 'ip', values } }, addresses), [0, 1]);
  const all = { whitelist: { column: 'ip', values }, blacklist: { column: 'ip', values: ['10.1.0.0/16'] } };
  assert.deepEqual(await passing(all, addresses), [1]);
});

test('rows that do not pass go to another table where one is named', async () => {
  const settings = { condition: { column: 'v', op: 'gt', value: 1 }, otherwise: 'small' };
  const outcome = await run(filter, settings, '{"v":1}\n{"v":2}\n{}\n');
  assert.deepEqual(outcome.tables, { '': [1], small: [0, 2] });
  assert.equal(outcome.filtered, 0);
  assert.deepEqual(filter.tables?.(settings as never), ['', 'small']);
});

test('all, any and not combine as logic says', async () => {
  const leaf = fc.record({
    column: fc.constantFrom('a', 'b'),
    op: fc.constantFrom('eq', 'ne', 'lt', 'ge', 'matches', 'exists'),
  });
  type Leaf = { readonly column: 'a' | 'b'; readonly op: string };
  type Tree = Leaf | { readonly all: Tree[] } | { readonly any: Tree[] } | { readonly not: Tree };
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.record({ all: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ any: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ not: tie('tree') }),
    ),
  }));
  const withValue = (node: Tree): Json => {
    if ('all' in node) return { all: node.all.map(withValue) };
    if ('any' in node) return { any: node.any.map(withValue) };
    if ('not' in node) return { not: withValue(node.not) };
    if (node.op === 'exists') return { ...node };
    return { ...node, value: node.op === 'matches' ? '[12]' : '1' };
  };
  type Row = { a?: string; b?: string };
  const holds = (node: Tree, row: Row): boolean => {
    if ('all' in node) return node.all.every((part) => holds(part, row));
    if ('any' in node) return node.any.some((part) => holds(part, row));
    if ('not' in node) return !holds(node.not, row);
    const text = row[node.column];
    if (text === undefined) return false;
    return { eq: text === '1', ne: text !== '1', lt: text < '1', ge: text >= '1', matches: /[12]/u.test(text), exists: true }[
      node.op
    ]!;
  };
  const text = fc.option(fc.constantFrom('0', '1', '2', '3'), { nil: undefined });
  const some = fc.array(fc.record({ a: text, b: text }), { minLength: 1, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(tree, some, async (node, given) => {
      const expected = given.flatMap((row, n) => (holds(node, row as Row) ? [n] : []));
      assert.deepEqual(await passing({ condition: withValue(node) }, given as Json[]), expected);
    }),
    { numRuns: 60 },
  );
});

test('the columns of a condition are what the filter reads', () => {
  const condition = {
    any: [{ column: 'a', op: 'exists' }, { not: { column: 'b', op: 'eq', value: 1 } }, { column: 'a', op: 'missing' }],
  };
  const given = { condition, blacklist: { column: 'ip', values: ['10.0.0.0/8'] } };
  assert.deepEqual(filter.reads(given as never), ['ip', 'a', 'b']);
});

const wrong: [Json, readonly (string | number)[], RegExp][] = [
  [{ column: 'a', op: 'gte', value: 1 }, ['op'], /^condition\.op is "gte", expected one of eq, ne, .* \(did you mean ge\?\)$/],
  [{ column: 'a', value: 1 }, [], /^condition has no op, expected one of eq/],
  [{ op: 'eq', value: 1 }, [], /^condition has no column, expected a name$/],
  [{ column: 'a', op: 'eq' }, [], /^condition has no value, expected a string, number or boolean/],
  [{ column: 'a', op: 'eq', value: null }, ['value'], /^condition\.value is null, expected/],
  [{ column: 'a', op: 'lt', value: true }, ['value'], /is true, expected a string or number$/],
  [{ column: 'a', op: 'exists', value: 1 }, ['value'], /is not used by exists, expected none$/],
  [
    { column: 'a', op: 'matches', value: '(' },
    ['value'],
    /is "\(", where at place 1 stands a \( that is not closed, expected a regular expression that takes linear time$/,
  ],
  [
    { column: 'a', op: 'matches', value: 'a(?=b)' },
    ['value'],
    /where at place 2 stands look-around or an atomic group, which need backtracking, expected/,
  ],
  [{ column: 'a', op: 'cidr', value: ['10.0.0.0/8', 'x'] }, ['value'], /is "x", expected a network such as/],
  [{ colum: 'a', op: 'eq', value: 1 }, ['colum'], /^condition\.colum is unknown, .* \(did you mean column\?\)$/],
  [{ all: [] }, ['all'], /^condition\.all is \[\], expected a list of at least one condition$/],
  [{ all: [{ any: [5] }] }, ['all', 0, 'any', 0], /^condition\.all\[0\]\.any\[0\] is 5, expected \{all: /],
  [{ all: [{ column: 'a', op: 'exists' }], any: [] }, ['any'], /^condition\.any stands beside all, expected one of both$/],
];

for (const [condition, path, message] of wrong) {
  test(`the check finds what is wrong in ${JSON.stringify(condition)}`, () => {
    const issues = filter.check?.({ condition } as never) ?? [];
    assert.equal(issues.length, 1);
    assert.deepEqual(issues[0]!.path, ['condition', ...path]);
    assert.match(issues[0]!.message, message);
  });
}

test('all problems of a filter are told at once', () => {
  const given = {
    condition: {
      all: [
        { column: 'a', op: 'x' },
        { column: 5, op: 'exists' },
      ],
    },
    blacklist: { column: 'ip', values: ['10.0.0.0/8', '10.0.0.0/40'] },
  };
  assert.deepEqual(
    filter.check?.(given as never)?.map(({ path }) => path.join('.')),
    ['condition.all.0.op', 'condition.all.1.column', 'blacklist.values.1'],
  );
  assert.equal(filter.check?.({} as never)?.[0]?.message, 'has nothing to filter by, expected condition, blacklist or whitelist');
});
