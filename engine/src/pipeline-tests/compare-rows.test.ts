import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Row } from './case.ts';
import { type Comparison, compareRows } from './compare-rows.ts';
import { parseRow, rowText } from './row-text.ts';

function lines(expected: Row[], actual: Row[], options: Partial<Comparison> = {}): string[] {
  return compareRows({ match: 'exact', order: 'kept', duplicatesAtMost: 0, ...options, expected, actual });
}

test('equal rows give no lines, whatever the order of their columns and the spelling of their numbers', () => {
  assert.deepEqual(lines([{ a: 1, b: [2, { c: 3, d: 4 }] }], [parseRow('{"b":[2.0,{"d":4,"c":3}],"a":1e0}')]), []);
});

test('integers beyond 2^53 are told apart', () => {
  const [a, b] = ['{"n":9007199254740993}', '{"n":9007199254740992}'].map(parseRow) as [Row, Row];
  assert.equal(rowText(a), '{"n":9007199254740993}');
  assert.deepEqual(lines([a], [b]), ['  row 1 differs:', '-   n: 9007199254740993', '+   n: 9007199254740992']);
});

test('a row that differs is shown by the columns that differ, absent ones too', () => {
  assert.deepEqual(lines([{ id: 1, a: 'x', b: 2 }], [{ id: 1, a: 'y', c: null }]), [
    '  row 1 differs:',
    '-   a: "x"',
    '+   a: "y"',
    '-   b: 2',
    '+   b: (absent)',
    '-   c: (absent)',
    '+   c: null',
  ]);
});

test('a row that is missing or too much in the middle does not make the others differ', () => {
  const rows = Array.from({ length: 50 }, (_, n) => ({ n }));
  assert.deepEqual(lines(rows, rows.toSpliced(20, 1)), ['- row 21 is missing: {"n":20}']);
  assert.deepEqual(lines(rows.toSpliced(30, 2), rows), [
    '+ row 31 is not expected: {"n":30}',
    '+ row 32 is not expected: {"n":31}',
  ]);
  assert.deepEqual(lines([], [{ n: 1 }]), ['+ row 1 is not expected: {"n":1}']);
});

test('includes looks only at the columns that are given, in maps too, but at every row', () => {
  const match = 'includes';
  assert.deepEqual(lines([{ a: { b: 1 } }], [{ a: { b: 1, c: 2 }, d: 3 }], { match }), []);
  assert.deepEqual(lines([{ a: { b: 1 } }], [{ a: { c: 2 } }], { match }), [
    '  row 1 differs:',
    '-   a: {"b":1}',
    '+   a: {"c":2}',
  ]);
  assert.deepEqual(lines([{ a: 1 }], [{ a: 1 }, { a: 1, b: 2 }], { match }), ['+ row 2 is not expected: {"a":1,"b":2}']);
});

test('rows in another order differ, unless any order will do', () => {
  assert.notDeepEqual(lines([{ a: 1 }, { a: 2 }], [{ a: 2 }, { a: 1 }]), []);
  assert.deepEqual(lines([{ a: 1 }, { a: 2 }], [{ a: 2 }, { a: 1 }], { order: 'any' }), []);
  assert.deepEqual(lines([{ a: 1 }, { a: 1 }], [{ a: 1 }], { order: 'any' }), ['- row 2 is missing: {"a":1}']);
});

test('rows may come again as often as is said, and nothing else may come', () => {
  const options = { duplicatesAtMost: 1 };
  assert.deepEqual(lines([{ a: 1 }, { a: 2 }], [{ a: 1 }, { a: 1 }, { a: 2 }], options), []);
  assert.deepEqual(lines([{ a: 1 }, { a: 2 }], [{ a: 1 }, { a: 2 }, { a: 1 }, { a: 2 }, { a: 3 }], options), [
    '+ not expected: {"a":3}',
    '+ 2 rows came again, expected at most 1; the first: {"a":1}',
  ]);
  assert.deepEqual(lines([{ a: 1 }, { a: 2 }], [{ a: 1 }, { a: 1 }], options), ['- row 2 is missing: {"a":2}']);
});

test('many differences are cut short', () => {
  const told = lines(
    Array.from({ length: 100 }, (_, n) => ({ n })),
    [],
  );
  assert.equal(told.length, 41);
  assert.equal(told.at(-1), '  and 60 lines more');
});
