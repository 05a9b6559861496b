import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';
import type { FunctionSpec } from '../spec/function.ts';
import drop from './drop.ts';
import enrichField from './enrich-field.ts';
import rename from './rename.ts';
import select from './select.ts';
import { run } from './testing.ts';

test('enrich_field adds constants and replaces what stands there', async () => {
  const { text } = await run(
    enrichField,
    { fields: { site: 'x"y', n: 7, f: 1.5, on: true, none: null, tags: ['a', 1] } },
    '{"n":0,"a":1}\n{}\n',
  );
  assert.equal(
    text,
    '{"n":7,"a":1,"site":"x\\"y","f":1.5,"on":true,"none":null,"tags":["a",1]}\n{"site":"x\\"y","n":7,"f":1.5,"on":true,"none":null,"tags":["a",1]}\n',
  );
});

test('enrich_field tells what it writes', () => {
  assert.deepEqual(enrichField.writes({ fields: { a: 'x', b: 1, c: 0.5, d: false, e: {} } }), [
    { name: 'a', type: 'string' },
    { name: 'b', type: 'integer' },
    { name: 'c', type: 'float' },
    { name: 'd', type: 'boolean' },
    { name: 'e', type: 'any' },
  ]);
});

test('select leaves the named columns in their order', async () => {
  const { text } = await run(select, { columns: ['b', 'a', '_ppf_id'] }, '{"a":1,"x":2,"b":3}\n{"x":1}\n');
  assert.equal(text, '{"b":3,"a":1,"_ppf_id":"test:0"}\n{"_ppf_id":"test:20"}\n');
});

test('drop removes columns where they are', async () => {
  const { text } = await run(drop, { columns: ['a', 'c'] }, '{"a":1,"b":2,"c":3}\n{"b":2}\n');
  assert.equal(text, '{"b":2}\n{"b":2}\n');
});

test('rename keeps values and places', async () => {
  const { text } = await run(rename, { columns: { a: 'z', b: 'y' } }, '{"a": 1.0,"x":2,"b":3}\n{"x":1,"z":5}\n');
  assert.equal(text, '{"z":1.0,"x":2,"y":3}\n{"x":1,"z":5}\n');
});

test('rename refuses names that two columns would get, and chains', () => {
  assert.deepEqual(rename.check?.({ columns: { a: 'c', b: 'c' } }), [
    { path: ['columns', 'b'], message: 'columns.b is "c", which columns.a is as well, expected another name' },
  ]);
  assert.deepEqual(rename.check?.({ columns: { a: 'b', b: 'c' } }), [
    { path: ['columns', 'a'], message: 'columns.a is "b", which is renamed itself, expected a name that is not' },
  ]);
});

test('the example function says the moment of the day, before 1970 as well', async () => {
  // The example imports the package by its name; here that means the sources.
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier === '@reef/engine' ? new URL('../index.ts', import.meta.url).href : specifier, context),
  });
  const example = new URL('../../../examples/moment/moment.ts', import.meta.url).href;
  const { default: moment } = (await import(example)) as { default: FunctionSpec };
  hooks.deregister();
  const cases: [string, string][] = [
    ['0', 'midnight'],
    ['59', 'midnight'],
    ['60', 'night'],
    ['-1', 'night'],
    ['-86400', 'midnight'],
    ['-43200', 'midday'],
    ['-43140', 'day'],
    ['32399', 'night'],
    ['32400', 'day'],
    ['43199', 'day'],
    ['43200', 'midday'],
    ['43259', 'midday'],
    ['43260', 'day'],
    ['71999', 'day'],
    ['72000', 'night'],
    ['1700735445', 'day'],
    ['"1700735445"', 'day'],
    ['4294967296000', 'day'],
  ];
  const rows = [...cases.map(([timestamp]) => `{"creation_timestamp":${timestamp}}`), '{}', '{"creation_timestamp":"noon"}'];
  const outcome = await run(moment, {}, rows.map((row) => `${row}\n`).join(''));
  assert.deepEqual(
    outcome.rows.map((row) => (row as { moment: string }).moment),
    cases.map(([, expected]) => expected),
  );
  assert.deepEqual(
    outcome.rejections.map(({ reason }) => reason),
    [
      'column "creation_timestamp" is missing, expected integer',
      'column "creation_timestamp" is "noon" (string), expected integer',
    ],
  );
});
