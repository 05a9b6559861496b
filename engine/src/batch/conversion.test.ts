import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ColumnType } from '../spec/column-type.ts';
import type { Column } from './batch.ts';
import { testBench } from './testing.ts';

interface Cell {
  readonly value: string;
  readonly type: ColumnType;
  readonly expected: string;
}

/** The cells of the tables in the document: the first column is the value, the heads of the others are types. */
function cells(): Cell[] {
  const document = readFileSync(new URL('../../../docs/conversions.md', import.meta.url), 'utf8');
  const found: Cell[] = [];
  let types: string[] | undefined;
  for (const line of document.split('\n')) {
    const columns = line
      .split('|')
      .slice(1, -1)
      .map((text) => text.trim());
    if (columns[0] === 'value') types = columns.slice(1);
    else if (columns.length === 0) types = undefined;
    else if (types !== undefined && !line.startsWith('|---')) {
      const value = columns[0]!.slice(1, -1);
      columns.slice(1).forEach((expected, i) => void found.push({ value, type: types![i] as ColumnType, expected }));
    }
  }
  return found;
}

const variants = ['simd', 'scalar', 'debug'] as const;

test('the document has a cell for every kind of value and every type', () => {
  const all = cells();
  assert.ok(all.length > 500, `${all.length} cells`);
  assert.equal(new Set(all.map(({ type }) => type)).size, 8);
});

for (const variant of variants) {
  test(`projection converts every cell of docs/conversions.md as it says (${variant})`, () => {
    const bench = testBench({ columns: ['v', 'w'], variant });
    for (const { value, type, expected } of cells()) {
      const { view } = bench.decode(`{"w":1,"v": ${value} }\n`);
      view.project([{ name: 'v', type }]);
      const [rejection] = view.takeRejections();
      if (expected === 'refused') assert.match(rejection?.reason ?? '', /^column "v" is .*, expected /, `${value} as ${type}`);
      else {
        assert.equal(rejection, undefined, `${value} as ${type}: ${rejection?.reason}`);
        const token = expected === 'same' ? value : expected.slice(1, -1);
        assert.equal(bench.encode(view), `{"v":${token}}\n`, `${value} as ${type}`);
      }
    }
  });

  test(`typed getters agree with docs/conversions.md (${variant})`, () => {
    const bench = testBench({ columns: ['v'], variant });
    const readers: Partial<Record<ColumnType, (column: Column) => unknown>> = {
      integer: (column) => column.i64({ missing: 'skip' })[0],
      float: (column) => column.f64({ missing: 'skip' })[0],
      boolean: (column) => column.boolean({ missing: 'skip' })[0],
    };
    for (const { value, type, expected } of cells()) {
      const read = readers[type];
      if (read === undefined) continue;
      const { view } = bench.decode(`{"v":${value}}\n`);
      const found = read(view.column('v'));
      const [rejection] = view.takeRejections();
      const subject = `${value} as ${type}`;
      if (expected === 'refused') {
        assert.match(rejection?.reason ?? '', /expected (integer|float|boolean)/, subject);
        continue;
      }
      assert.equal(rejection, undefined, subject);
      const token = expected === 'same' ? value : expected.slice(1, -1);
      if (token === 'null') assert.equal(view.column('v').valid[0], 0);
      else if (type === 'integer') assert.equal(found, BigInt(token), subject);
      else if (type === 'float') assert.ok(Object.is(found, Number(token)), subject);
      else assert.equal(found, token === 'true' ? 1 : 0, subject);
    }
  });
}

test('any and json take every value as it is', () => {
  const bench = testBench({ columns: ['v'] });
  for (const { value } of cells()) {
    for (const type of ['any', 'json'] as const) {
      const { view } = bench.decode(`{"v":${value}}\n`);
      view.project([{ name: 'v', type }]);
      assert.equal(bench.encode(view), `{"v":${value}}\n`);
    }
  }
});

test('a declared column that a row lacks stays absent', () => {
  const bench = testBench({ columns: ['v'] });
  const { view } = bench.decode('{}\n');
  view.project([{ name: 'v', type: 'integer' }]);
  assert.deepEqual(view.takeRejections(), []);
  assert.equal(bench.encode(view), '{}\n');
});

test('the border of a double is the one of Number()', () => {
  const bench = testBench({ columns: ['v'] });
  const digits = `17976931348623157${'0'.repeat(292)}`;
  const values = [
    '1.7976931348623157e308',
    '1.7976931348623158e308',
    '1.7976931348623159e308',
    '17976931348623157e292',
    '0.00017976931348623159e312',
    digits,
    `${digits}0`,
    `0.${'0'.repeat(400)}1e700`,
    `1${'0'.repeat(400)}e-400`,
    `-${digits}.5`,
  ];
  for (const value of values) {
    const { view } = bench.decode(`{"v":${value}}\n`);
    view.project([{ name: 'v', type: 'float' }]);
    assert.equal(view.rows.length === 1, Number.isFinite(Number(value)), value);
  }
});

test('conversions of a whole batch find room for what grows', () => {
  const bench = testBench({ columns: ['v'], variant: 'debug' });
  const value = JSON.stringify({ text: '"\u0001'.repeat(30_000) });
  const { view } = bench.decode(`{"v":1}\n{"v":${value}}\n{"v":[2]}\n`.repeat(2));
  view.project([{ name: 'v', type: 'string' }]);
  assert.deepEqual(
    bench.rows(view),
    [1, value, '[2]', 1, value, '[2]'].map((v) => ({ v: String(v) })),
  );
});

test('reasons name the column and show the value, cut at 60 characters', () => {
  const bench = testBench({ columns: ['v'] });
  const reasonOf = (value: string, type: ColumnType): string | undefined => {
    const { view } = bench.decode(`{"v":${value}}\n`);
    view.project([{ name: 'v', type }]);
    return view.takeRejections()[0]?.reason;
  };
  assert.equal(reasonOf('"abc"', 'integer'), 'column "v" is "abc" (string), expected integer');
  assert.equal(
    reasonOf('99999999999999999999', 'integer'),
    'column "v" is 99999999999999999999 (integer), expected integer within 64 bits',
  );
  assert.equal(reasonOf('1e400', 'float'), 'column "v" is 1e400 (float), expected float within the range of a double');
  assert.equal(
    reasonOf('true', 'bytes'),
    'column "v" is true (boolean), expected bytes (base64 text, or a list of integers from 0 to 255)',
  );
  const long = `"${'é'.repeat(1000)}"`;
  assert.equal(reasonOf(long, 'integer'), `column "v" is "${'é'.repeat(59)}… (string), expected integer`);
});
