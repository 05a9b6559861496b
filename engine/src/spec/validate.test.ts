import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choice, flag, group, integer, json, list, map, number, text } from './fields.ts';
import { settingMessage } from './setting-text.ts';
import { validateSettings } from './validate.ts';

const fields = {
  path: text('Where it is.'),
  interval: integer('Pause.', { default: 1000, min: 1, unit: 'milliseconds' }),
  ratio: number('Share.', { optional: true, min: 0, max: 1 }),
  loud: flag('Whether it prints.', { default: false }),
  mode: choice(['append', 'overwrite'], 'What happens to an old file.', { default: 'append' }),
  tags: list(text('A tag.'), 'Tags.', { default: [], max: 2 }),
  fields: map(json('A value.'), 'Constants.', { optional: true }),
  rotate: group({ size_bytes: integer('Size.', { default: 10 }), keep: integer('Count.', { optional: true }) }, 'Rotation.'),
};

async function messages(given: Record<string, unknown>): Promise<string[]> {
  const { problems } = await validateSettings(fields, given);
  return problems.map(settingMessage);
}

test('defaults fill in what is left out, also inside a group that is left out', async () => {
  const { settings } = await validateSettings(fields, { path: 'x' });
  assert.deepEqual(settings, {
    path: 'x',
    interval: 1000,
    loud: false,
    mode: 'append',
    tags: [],
    rotate: { size_bytes: 10 },
  });
});

test('all problems come at once', async () => {
  assert.deepEqual(await messages({ interval: 0, loud: 'yes', mode: 'apend', tags: ['a', 1], rotate: { kep: 1 } }), [
    'setting "path" is missing, expected text',
    'setting "interval" is the number 0, expected a whole number of at least 1 (milliseconds)',
    'setting "loud" is "yes", expected true or false',
    'setting "mode" is "apend", expected one of "append", "overwrite"',
    'setting "tags[1]" is the number 1, expected text (put it in quotes)',
    'unknown setting "rotate.kep", expected one of "size_bytes", "keep"',
  ]);
});

test('a misspelt key and a misspelt choice come with the word that was meant', async () => {
  const { problems } = await validateSettings(fields, { path: 'x', intervall: 5, mode: 'overwite' });
  assert.deepEqual(
    problems.map((problem) => problem.suggestion),
    ['interval', 'overwrite'],
  );
});

test('keys that objects have by nature are unknown like others in a group, and kept in a map', async () => {
  assert.equal((await messages({ path: 'x', constructor: 1, toString: 2 })).length, 2);
  const odd = JSON.parse('{"constructor": 1, "__proto__": 2, "prototype": 3}');
  const { settings } = await validateSettings(fields, { path: 'x', fields: odd });
  assert.equal(JSON.stringify(settings!.fields), '{"constructor":1,"__proto__":2,"prototype":3}');
});

test('numbers keep to what a double can hold exactly', async () => {
  for (const interval of [1.5, 2 ** 53, Number.NaN, Infinity, '5', 9007199254740993n]) {
    assert.equal((await messages({ path: 'x', interval })).length, 1, String(interval));
  }
  assert.equal((await messages({ path: 'x', fields: { a: [1n] } })).length, 1);
  assert.equal((await messages({ path: 'x', ratio: Infinity })).length, 1);
});

test('a list that is too long and an empty value are named as such', async () => {
  assert.deepEqual(await messages({ path: null, tags: ['a', 'b', 'c'] }), [
    'setting "path" is empty, expected text',
    'setting "tags" is a list of 3, expected a list of at most 2 entries',
  ]);
});
