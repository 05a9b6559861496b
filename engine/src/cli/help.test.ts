import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtins, nodeKinds } from '../nodes.ts';
import { alignColumns } from './align-columns.ts';
import { helpForType, helpText, listTypes } from './help.ts';

test('list names every built-in type with its summary', async () => {
  const text = await listTypes();
  for (const kind of nodeKinds) {
    for (const [name, load] of Object.entries(builtins[kind])) {
      assert.ok(text.includes(`  ${name} `), name);
      assert.ok(text.replace(/\n +/g, ' ').includes((await load()).default.summary), name);
    }
  }
});

test('help of a type that is a source and a sink tells of both', async () => {
  const text = await helpForType('file');
  assert.match(text, /^file \(source\)\n/);
  assert.match(text, /\n\nfile \(sink\)\n/);
  assert.match(text, /\n {2}path \(text, required\)\n {6}\S/);
  assert.match(text, /\n {2}encoding \(json \| line, default "json"\)\n {6}\S/);
  assert.match(text, /\ndelivery:\n/);
});

test("help knows Punch's longer names", async () => {
  assert.match(await helpForType('show_sink'), /^show \(sink\)\n/);
});

test('help of an unknown type names the nearest one', async () => {
  await assert.rejects(helpForType('genrator'), /"genrator": there is none of this name.*did you mean "generator"/);
});

test('no line of help is wider than 110 letters', async () => {
  const names = new Set(nodeKinds.flatMap((kind) => Object.keys(builtins[kind])));
  const texts = await Promise.all([helpText(), listTypes(), ...[...names].map(helpForType)]);
  for (const line of texts.join('\n').split('\n')) assert.ok(line.length <= 110, line);
});

test('columns are as wide as their widest cell, and the last one wraps', () => {
  assert.deepEqual(
    alignColumns(
      [
        ['a', 'bcd', 'one two three four five six'],
        ['long', 'e', ''],
        ['x', '', 'y'],
      ],
      34,
    ),
    ['a     bcd  one two three four five', '           six', 'long  e', 'x          y'],
  );
});
