import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCsv } from '../../kernel/csv-oracle.ts';
import type { CsvCodec } from '../spec/plan.ts';
import { testBench } from './testing.ts';

const codec: CsvCodec = { name: 'csv', separator: ',', header: false, columns: ['a', 'b', 'c'] };

for (const variant of ['simd', 'scalar', 'debug'] as const) {
  const bench = testBench({ variant });

  test(`rows of CSV have columns, which convert to their declared types (${variant})`, () => {
    const { view, rejected, malformed } = bench.decode('1,x,\n"2","y ""z""",true\n3,4\nno,,\n', { codec });
    assert.deepEqual(rejected, [{ row: 2, reason: 'the row has 2 fields, expected 3' }]);
    assert.equal(malformed, 1);
    assert.deepEqual(bench.rows(view), [{ a: '1', b: 'x' }, { a: '2', b: 'y "z"', c: 'true' }, { a: 'no' }]);
    view.project([
      { name: 'c', type: 'boolean' },
      { name: 'a', type: 'integer' },
    ]);
    assert.deepEqual(view.takeRejections(), [{ row: 3, reason: 'column "a" is "no" (string), expected integer' }]);
    assert.deepEqual(bench.rows(view), [{ a: 1 }, { c: true, a: 2 }]);
  });

  test(`functions see and set columns of CSV (${variant})`, () => {
    const { view, offset, raw } = bench.decode('1,x,y\n\n2,"",z\n', { codec, offset: 100 });
    assert.deepEqual(Array.from(view.column('a').i64()), [1n, 2n]);
    assert.deepEqual(Array.from(view.column('b').equals('')), [0, 1]);
    assert.equal(view.column('c').string(1), 'z');
    assert.equal(view.column('_ppf_id').string(1), 'test:107');
    assert.equal(offset(1), 107);
    assert.equal(Buffer.from(raw(1)).toString(), '2,"",z');
    view.set('b', { constant: { deep: ['1'] } });
    view.rename('c', 'd');
    assert.deepEqual(bench.rows(view), [
      { a: '1', b: { deep: ['1'] }, d: 'y' },
      { a: '2', b: { deep: ['1'] }, d: 'z' },
    ]);
    assert.equal(bench.encode(view, { ...codec, separator: ';' }), '1;"{""deep"":[""1""]}";\n2;"{""deep"":[""1""]}";\n');
  });

  test(`values are written so that they are read as they were (${variant})`, () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.string(),
      fc.constantFrom('', '"', 'x'.repeat(100), ','),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    );
    const row = fc.record({ a: value, b: value, c: value, d: value }, { requiredKeys: [] });
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 20 }),
        fc.constantFrom(',', ';'),
        fc.nat(100),
        (rows, separator, tight) => {
          const text = rows.map((one) => `${JSON.stringify(one)}\n`).join('');
          const { view } = bench.decode(text);
          const room = 800 + tight;
          const written = Buffer.from(bench.encode(view, { ...codec, separator }, room)).toString('latin1');
          const read = readCsv(written, separator, 3).map(({ fields }) =>
            fields.map((field) => (field === undefined ? undefined : Buffer.from(field, 'latin1').toString())),
          );
          const expected = rows.map((one) => ['a', 'b', 'c'].map((name) => textOf(one[name as 'a'])));
          assert.deepEqual(read, expected);
        },
      ),
    );
  });

  test(`a row of one absent column is not a blank line (${variant})`, () => {
    const { view } = bench.decode('{"a":1}\n{"b":1}\n');
    assert.equal(bench.encode(view, { ...codec, columns: ['a'] }), '1\n""\n');
  });
}

/** What stands in the field: absent and null nothing, other values their JSON text. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
