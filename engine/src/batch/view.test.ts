import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testBench } from './testing.ts';

const columns = ['a', 'b', 'c', 'd'];

function viewOf(text: string, variant: 'simd' | 'scalar' | 'debug' = 'debug') {
  const bench = testBench({ columns, variant });
  const { view } = bench.decode(text);
  return { bench, view, out: () => bench.encode(view) };
}

test('a new column is appended, and everything else keeps its bytes', () => {
  const { view, out } = viewOf('{"x" : 1.50}\n{}\n{ }\n{"y":"}" }\n');
  view.set('b', { constant: 'ü"' });
  assert.equal(out(), '{"x" : 1.50,"b":"ü\\""}\n{"b":"ü\\""}\n{"b":"ü\\""}\n{"y":"}","b":"ü\\""}\n');
});

test('new columns come in the order in which they were set', () => {
  const { view, out } = viewOf('{}\n');
  view.set('d', { constant: 1 });
  view.set('b', { constant: 2 });
  view.set('d', { constant: 3 });
  assert.equal(out(), '{"d":3,"b":2}\n');
});

test('a replaced column stays in its place; of a repeated one the last place, and the others go', () => {
  const { view, out } = viewOf('{"a":1,"b":{"a":2},"c":3}\n{"a":1,"c":0,"\\u0061":2,"d":4}\n');
  view.set('a', { integer: BigInt64Array.of(-7n, 8n) });
  assert.equal(out(), '{"a":-7,"b":{"a":2},"c":3}\n{"c":0,"\\u0061":8,"d":4}\n');
});

test('dropping works at every place of the row', () => {
  const rows = '{"a":1}\n{"a":1,"x":2}\n{"x":2 , "a":1}\n{ "x":2,"a":1 , "y":3}\n{"b":1,"a":2}\n{"a":1,"x":"a","a":2}\n';
  const { view, out } = viewOf(rows);
  view.drop('a');
  view.drop('b');
  assert.equal(out(), '{}\n{"x":2}\n{"x":2 }\n{ "x":2, "y":3}\n{}\n{"x":"a"}\n');
});

test('a renamed column keeps its place and its bytes, and replaces one of the new name', () => {
  const { view, out } = viewOf('{"a": 1.0 ,"x":2,"b":3}\n{"b":1,"x":2}\n{"x":0,"a":1}\n{"a":1,"x":2,"a":3}\n');
  view.rename('a', 'b');
  assert.equal(out(), '{"b":1.0 ,"x":2}\n{"b":1,"x":2}\n{"x":0,"b":1}\n{"x":2,"b":3}\n');
});

test('renames in a row and columns set in between end where they should', () => {
  const { view, out } = viewOf('{"a":1,"b":2,"c":3}\n{"b":2}\n');
  view.rename('a', 'b');
  view.rename('b', 'c');
  view.set('a', { constant: true });
  view.rename('c', 'd');
  assert.equal(out(), '{"d":1,"a":true}\n{"d":2,"a":true}\n');
});

test('values that are left out remove the column from the row, null is written', () => {
  const { view, out } = viewOf('{"a":1}\n{"a":1}\n{"a":1}\n');
  view.set('a', { integer: BigInt64Array.of(5n, 6n, 7n), valid: Uint8Array.of(1, 0, 2) });
  view.set('b', { strings: [undefined, null, ''] });
  view.set('c', { json: ['[1, {"x":2}]', undefined, ' 1.0 '] });
  assert.equal(out(), '{"a":5,"c":[1, {"x":2}]}\n{"b":null}\n{"a":null,"b":"","c":1.0}\n');
});

test('doubles are written as JavaScript writes them, and minus zero as -0', () => {
  const values = [0, -0, 1, -1.5, 0.1, 1e21, 1e-7, 1e-6, 123456789012345.6, 5e-324, 2 ** 53, 1 / 3, 1e15, 0.000001234];
  const { view, bench } = viewOf('{}\n'.repeat(values.length));
  view.set('a', { float: Float64Array.from(values) });
  const expected = values.map((value) => (Object.is(value, -0) ? '-0' : String(value)));
  assert.equal(bench.encode(view), expected.map((value) => `{"a":${value}}\n`).join(''));
});

test('what JSON cannot hold is rejected', () => {
  const { view } = viewOf('{}\n{}\n{}\n');
  view.set('a', { float: Float64Array.of(Number.NaN, 1, Number.NEGATIVE_INFINITY) });
  assert.deepEqual(view.takeRejections(), [
    { row: 0, reason: 'column "a" was set to NaN, which JSON cannot hold' },
    { row: 2, reason: 'column "a" was set to -Infinity, which JSON cannot hold' },
  ]);
  assert.deepEqual(view.takeRejections(), []);
  assert.deepEqual(Array.from(view.rows), [1]);
});

test('wrong values for set are programmer mistakes', () => {
  const { view } = viewOf('{}\n{}\n');
  assert.throws(() => view.set('a', { integer: BigInt64Array.of(1n) }), /integer has 1 entries, expected 2/);
  assert.throws(() => view.set('a', { boolean: Uint8Array.of(1, 1), valid: Uint8Array.of(1) }), /valid has 1 entries/);
  assert.throws(() => view.set('a', { dictionary: ['x'], index: Uint8Array.of(0, 1) }), /index\[1\] is 1, expected less than 1/);
  assert.throws(() => view.set('a', { strings: ['x', 1 as never] }), /strings\[1\] is a number/);
  assert.throws(() => view.set('a', { json: ['1\n2', '3'] }), /holds a newline/);
  assert.throws(() => view.set('a', { constant: Number.NaN }), /the constant is NaN/);
  assert.throws(() => view.filter(Uint8Array.of(1)), /keep has 1 entries, expected 2/);
  assert.throws(() => view.route(Uint8Array.of(1), 'x'), /where has 1 entries, expected 2/);
  assert.throws(() => view.reject(2, 'x'), RangeError);
});

test('values at rows that are gone are not looked at', () => {
  const { view, out } = viewOf('{"a":1}\n{"a":2}\n{"a":3}\n');
  view.filter(Uint8Array.of(1, 0, 1));
  view.set('a', { float: Float64Array.of(1, Number.NaN, 3.5) });
  view.set('b', { dictionary: ['x'], index: Uint8Array.of(0, 9, 0) });
  assert.equal(out(), '{"a":1,"b":"x"}\n{"a":3.5,"b":"x"}\n');
});

test('filtered rows are counted, rejected ones are told, and both keep the numbers of the others', () => {
  const { view, out } = viewOf('{"a":0}\n{"a":1}\n{"a":2}\n{"a":3}\n');
  view.filter(Uint8Array.of(0, 1, 1, 1));
  view.reject(2, 'no');
  view.reject(2, 'again');
  view.reject(0, 'gone already');
  assert.deepEqual(Array.from(view.rows), [1, 3]);
  assert.equal(view.takeFiltered(), 1);
  assert.equal(view.takeFiltered(), 0);
  assert.deepEqual(view.takeRejections(), [{ row: 2, reason: 'no' }]);
  view.retain(Uint32Array.of(3));
  assert.equal(view.takeFiltered(), 0);
  assert.equal(out(), '{"a":3}\n');
});

test('routes name the rows of each table, the last route of a row counts', () => {
  const { view } = viewOf('{}\n{}\n{}\n{}\n');
  view.route(Uint8Array.of(1, 1, 0, 0), 'one');
  view.route(Uint8Array.of(0, 1, 0, 1), 'two');
  view.reject(3, 'no');
  const { tables, unrouted } = view.routed();
  assert.deepEqual(
    Array.from(tables, ([table, rows]) => [table, Array.from(rows)]),
    [
      ['one', [0]],
      ['two', [1]],
    ],
  );
  assert.deepEqual(Array.from(unrouted), [2]);
  view.clearRoutes();
  assert.equal(view.routed().tables.size, 0);
});

test('a clone changes without its original, and the other way round', () => {
  const { bench, view } = viewOf('{"a":1}\n{"a":2}\n');
  view.set('b', { constant: 1 });
  const clone = view.clone();
  clone.drop('a');
  clone.filter(Uint8Array.of(0, 1));
  view.rename('a', 'c');
  clone.rename('b', 'd');
  assert.equal(bench.encode(view), '{"c":1,"b":1}\n{"c":2,"b":1}\n');
  assert.equal(bench.encode(clone), '{"d":1}\n');
  assert.equal(view.takeFiltered(), 0);
});

test('a projection leaves the declared columns in their order, with the bytes that came in', () => {
  const { view, out } = viewOf('{"a": 1.0,"x":2,"c" :"\\u0041"}\n{"c":null,"c":[]}\n{"x":1}\n');
  view.project([
    { name: 'c', type: 'any' },
    { name: 'a', type: 'float' },
    { name: 'b', type: 'string' },
  ]);
  assert.equal(out(), '{"c":"\\u0041","a":1.0}\n{"c":[]}\n{}\n');
  view.set('b', { constant: 1 });
  view.rename('c', 'first');
  view.drop('a');
  assert.equal(out(), '{"first":"\\u0041","b":1}\n{"first":[],"b":1}\n{"b":1}\n');
});

test('a projection rejects rows that cannot be of the declared type', () => {
  const { view, out } = viewOf('{"a":"x"}\n{"a":"7"}\n{"a":8.0}\n');
  view.project([{ name: 'a', type: 'integer' }]);
  assert.deepEqual(view.takeRejections(), [{ row: 0, reason: 'column "a" is "x" (string), expected integer' }]);
  assert.equal(out(), '{"a":7}\n{"a":8}\n');
});

test('only declared columns may be read and set', () => {
  const { view } = viewOf('{"a":1}\n');
  view.allow({ reads: ['a'], writes: ['b'] });
  view.column('a');
  view.column('b');
  view.set('b', { constant: 1 });
  assert.throws(() => view.column('c'), /Cannot read column "c": it is not declared, expected it in reads or writes/);
  assert.throws(() => view.set('a', { constant: 1 }), /Cannot set column "a": it is not declared, expected it in writes/);
  view.allow(undefined);
  view.column('c');
});

test('a row as an object has what was changed', () => {
  const { view } = viewOf('{"a":1,"x":[1,{"y":2}]}\n');
  view.set('a', { strings: ['ü'] });
  assert.deepEqual(view.object(0), { a: 'ü', x: [1, { y: 2 }] });
});

test('lines hold the text of a single column, else the whole row', () => {
  const { bench, view } = viewOf('{"a":"say \\"hi\\"\\t\\u00fc","b":1}\n{"a":[1, 2]}\n{"a":null}\n{"b":1}\n');
  assert.equal(bench.encode(view, 'line'), bench.encode(view, 'json'));
  view.project([{ name: 'a', type: 'any' }]);
  assert.equal(bench.encode(view, 'line'), 'say "hi"\tü\n[1, 2]\n\n\n');
  view.set('b', { constant: 1 });
  assert.equal(bench.encode(view, 'line'), bench.encode(view, 'json'));
});

test('a line that would be two is rejected before it is written', () => {
  const { bench, view } = viewOf('{"a":"x\\ny"}\n{"a":"x\\\\ny"}\n{"a":"\\u000a"}\n{"a":1}\n');
  view.prepare({ name: 'line' });
  assert.deepEqual(view.takeRejections(), []);
  view.project([{ name: 'a', type: 'string' }]);
  view.prepare({ name: 'json' });
  assert.deepEqual(view.takeRejections(), []);
  view.prepare({ name: 'line' });
  assert.deepEqual(view.takeRejections(), [
    { row: 0, reason: 'the text holds a newline, expected one line' },
    { row: 2, reason: 'the text holds a newline, expected one line' },
  ]);
  assert.equal(bench.encode(view, 'line'), 'x\\ny\n1\n');
});

test('lines with further columns become JSON', () => {
  const bench = testBench({ columns, variant: 'debug' });
  const { view } = bench.decode('a "quoted" line\n', { codec: { name: 'line' } });
  view.set('a', { constant: 1 });
  view.rename('line', 'message');
  assert.equal(bench.encode(view), '{"message":"a \\"quoted\\" line","a":1}\n');
});

test('encoding tells where rows begin, and stops at a row that does not fit', () => {
  for (const change of [false, true]) {
    const { bench, view } = viewOf('{"a":1}\n{"a":22}\n{"a":"a longer row"}\n');
    if (change) view.drop('b');
    if (change) view.set('c', { constant: 1 });
    const text = bench.encode(view);
    const offsets = view.arena.take(16);
    const { start } = bench.output;
    const all = bench.encodeTo(view, { name: 'json' }, 0, 10, start, start + 200, offsets);
    assert.deepEqual(all, { rows: 3, bytes: text.length });
    const ends = [0];
    for (const row of text.split('\n')) ends.push(ends.at(-1)! + row.length + 1);
    assert.deepEqual(Array.from(view.arena.u32(offsets, 4)), ends.slice(0, 4));
    assert.equal(bench.encodeTo(view, { name: 'json' }, 2, 10, start, start + 12, 0).rows, 0);
    assert.deepEqual(bench.encodeTo(view, { name: 'json' }, 0, 1, start, start + 200, 0), { rows: 1, bytes: ends[1] });
  }
});

test('rows are written in whatever room there is, and never behind it', () => {
  for (const variant of ['debug', 'scalar'] as const) {
    const texts = ['', 'x', 'plain text of forty bytes, none escaped.', '"\\\n\u0000', 'ü'.repeat(20), '"'.repeat(30)];
    const { bench, view } = viewOf(texts.map((text, n) => `{"x":${n},"a":${JSON.stringify(text)}}\n`).join(''), variant);
    const cut = (given: typeof view): void => {
      const whole = bench.encode(given);
      const longest = Math.max(...whole.split('\n').map((row) => Buffer.byteLength(row))) + 1;
      // What an edit takes the place of counts too.
      for (let room = 2 * longest; room <= whole.length + 40; room++)
        assert.equal(bench.encode(given, 'json', room), whole, `room ${room}`);
      assert.throws(() => bench.encode(given, 'json', longest - 1), /does not fit/);
    };
    view.set('b', { strings: texts });
    view.set('c', { strings: texts.map((text) => (text.length > 1 ? text : undefined)) });
    // Of these what they take is known exactly.
    view.set('e', { integer: BigInt64Array.from(texts, (_, n) => 10n ** BigInt(15 - n * 3)) });
    cut(view);
    view.rename('a', 'd');
    view.set('a', { strings: texts.toReversed() });
    cut(view);
    view.project(['b', 'c', 'd', 'e'].map((name) => ({ name, type: name === 'e' ? 'integer' : 'string' })));
    cut(view);
  }
});
