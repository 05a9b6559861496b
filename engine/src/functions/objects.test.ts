import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../spec/plan.ts';
import flatten from './flatten.ts';
import nest from './nest.ts';
import { run } from './testing.ts';

test('flatten makes dotted columns of what is inside, values as they are spelled', async () => {
  const { text } = await run(
    flatten,
    { columns: ['a'] },
    '{"a":{"b":{"c":1.0,"d\\"":"x"},"e": [1, {"f":2}],"g":{ },"h":9007199254740993},"a.e":0,"z":1}\n{"a":3}\n{"a":{},"a.e":0}\n{"z":2}\n',
  );
  assert.equal(
    text,
    '{"a.e":[1, {"f":2}],"z":1,"a.b.c":1.0,"a.b.d\\"":"x","a.g":{ },"a.h":9007199254740993}\n{"a":3}\n{"a":{},"a.e":0}\n{"z":2}\n',
  );
});

test('flatten by its settings', async () => {
  const rows = '{"a":{"b":{"c":1},"e":[1,{"f":2},[]]}}\n{"a":[5]}\n';
  const of = async (given: Readonly<Record<string, Json>>): Promise<string> =>
    (await run(flatten, { columns: ['a'], ...given }, rows)).text;
  assert.equal(await of({ prefix: '', separator: '_', lists: 'index' }), '{"b_c":1,"e_0":1,"e_1_f":2,"e_2":[]}\n{"0":5}\n');
  assert.equal(await of({ prefix: 'x_', max_depth: 1 }), '{"x_b":{"c":1},"x_e":[1,{"f":2},[]]}\n{"a":[5]}\n');
  assert.equal(
    await of({ keep_column: true, max_depth: 1 }),
    '{"a":{"b":{"c":1},"e":[1,{"f":2},[]]},"a.b":{"c":1},"a.e":[1,{"f":2},[]]}\n{"a":[5]}\n',
  );
});

test('flatten rejects a row with more members than a batch may have', async () => {
  const { rows, rejections } = await run(
    flatten,
    { columns: ['a'], max_fields: 2 },
    '{"a":{"b":1}}\n{"a":{"b":1,"c":2,"d":3}}\n{"a":{"c":1}}\n',
  );
  assert.deepEqual(rows, [{ 'a.b': 1 }, { 'a.c': 1 }]);
  assert.deepEqual(rejections, [{ row: 1, reason: 'column "a" holds more different members than max_fields (2) allows' }]);
});

test('nest makes objects of columns, and leaves out what a row does not have', async () => {
  const { text } = await run(
    nest,
    { columns: ['a.b', 'a.c.d', 'a.c.e', 'b.z'] },
    '{"a.b":1.0,"a.c.d":"x\\n","a.c.e":[1, 2],"x":1}\n{"a.c.e":null,"b.z":true}\n{"x":2}\n',
  );
  assert.equal(text, '{"x":1,"a":{"b":1.0,"c":{"d":"x\\n","e":[1, 2]}}}\n{"a":{"c":{"e":null}},"b":{"z":true}}\n{"x":2}\n');
});

test('nest does not write over a value that stands where the object would', async () => {
  const rows = '{"a":1,"a.b":2}\n{"a":null,"a.b":3}\n{"a":4}\n';
  const { text, rejections } = await run(nest, { columns: ['a.b'] }, rows);
  assert.equal(text, '{"a":{"b":3}}\n{"a":4}\n');
  assert.deepEqual(rejections, [{ row: 0, reason: 'column "a" stands beside "a.b" and the like, expected it to be absent' }]);
  assert.equal((await run(nest, { columns: ['a.b'], on_error: 'keep' }, rows)).text, '{"a":1,"a.b":2}\n{"a":{"b":3}}\n{"a":4}\n');
});

test('nest refuses names that cannot be nested', () => {
  const messages = (columns: string[]): string[] =>
    nest.check!({ columns, separator: '.' } as never).map(({ message }) => message);
  assert.deepEqual(messages(['a', 'b.c', 'b.c', 'b.c.d']), [
    'columns[0] is "a", expected a name with "." in it',
    'columns[1] is "b.c", which would be a value and the object of "b.c.d", expected one of both',
    'columns[2] is "b.c", which stands there twice',
    'columns[2] is "b.c", which would be a value and the object of "b.c.d", expected one of both',
  ]);
});

test('nest takes back what flatten did', async () => {
  const key = fc.stringMatching(/^[a-cé"]{1,2}$/);
  const leaf = fc.oneof(
    fc.integer(),
    fc.string({ unit: 'grapheme' }).map((text) => text.toWellFormed()),
    fc.boolean(),
    fc.constant(null),
    fc.constant([1, { a: 2 }]),
  );
  const { object } = fc.letrec<{ object: Record<string, unknown>; value: unknown }>((tie) => ({
    value: fc.oneof({ depthSize: 'small', maxDepth: 3 }, leaf, tie('object')),
    object: fc.dictionary(key, tie('value'), { minKeys: 1, maxKeys: 4 }),
  }));
  await fc.assert(
    fc.asyncProperty(fc.array(object, { minLength: 1, maxLength: 4 }), async (objects) => {
      const text = objects.map((a) => `${JSON.stringify({ a })}\n`).join('');
      const flat = await run(flatten, { columns: ['a'] }, text);
      // Row by row: what is an object in one may be a value in another.
      const rows = flat.text.trim().split('\n');
      for (const [i, row] of rows.entries()) {
        const columns = Object.keys(JSON.parse(row) as object);
        const { rows: nested } = await run(nest, { columns }, `${row}\n`);
        assert.deepEqual(nested, [JSON.parse(JSON.stringify({ a: objects[i] }))]);
      }
    }),
    { numRuns: 60 },
  );
});
