import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { builtins, nodeKinds } from '../nodes.ts';
import { alignColumns } from './align-columns.ts';
import { runCommand } from './command.ts';
import type { CommandIo } from './command-io.ts';
import { helpFor, helpForType, helpText } from './help.ts';
import { runList } from './list.ts';

async function list(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let [out, err] = ['', ''];
  const io = { stdout: { write: (text: string) => (out += text) }, stderr: { write: (text: string) => (err += text) } };
  return { code: await runList(args, io), out, err };
}

test('list names every built-in type with its summary', async () => {
  const { out: text } = await list();
  for (const kind of nodeKinds) {
    for (const [name, load] of Object.entries(builtins[kind])) {
      assert.ok(text.includes(`  ${name} `), name);
      assert.ok(text.replace(/\n +/g, ' ').includes((await load()).default.summary), name);
    }
  }
});

test('list --json gives all that is known of each type', async () => {
  const { code, out } = await list('--json');
  assert.equal(code, 0);
  const facts = JSON.parse(out) as { kind: string; type: string; settings: { name: string; default?: unknown }[] }[];
  const show = facts.find(({ kind, type }) => kind === 'sink' && type === 'show');
  assert.equal(show?.settings.find(({ name }) => name === 'rows')?.default, 10);
  assert.equal((await list('more')).code, 2);
});

test('help of a type that is a source and a sink tells of both', async () => {
  const text = await helpForType('file');
  assert.match(text, /^file \(source\)\n/);
  assert.match(text, /\n\nfile \(sink\)\n/);
  assert.match(text, /\n {2}path \(text, required\)\n {6}\S/);
  assert.match(text, /\n {2}encoding \(json \| line[^)]*, default "json"\)\n {6}\S/);
  assert.match(text, /\ndelivery:\n/);
  assert.match(text, /\ncounted:\n {2}reef_source_rows_total /);
});

test("help knows Punch's longer names", async () => {
  assert.match(await helpForType('show_sink'), /^show \(sink\)\n/);
});

test('help of an unknown type names the nearest one', async () => {
  await assert.rejects(
    helpForType('genrator'),
    /"genrator": there is no command or node type of this name.*did you mean "generator"/,
  );
});

test('help of a command tells how it is called, with its options only', async () => {
  const text = await helpFor('run');
  assert.match(text, /^reef run FILE/);
  assert.match(text, /\n {2}--drain-secs N {2,}\S/);
  for (const option of ['--metrics-cert', '--log-format']) assert.ok(text.includes(option), text);
  assert.doesNotMatch(text, /--run-modules/);
  assert.match(await helpFor('show'), /^show \(sink\)/);
  await assert.rejects(helpFor('chek'), /"chek": there is no command or node type of this name.*did you mean "check"/);
});

test('help knows every command that there is', async () => {
  let said = '';
  const stderr = { write: (text: string) => (said += text) };
  await runCommand(['no-such-command'], { stderr } as unknown as CommandIo);
  const names = /expected one of (.*)\n/.exec(said)![1]!.split(', ');
  for (const name of names) assert.match(await helpFor(name), new RegExp(`^reef ${name}\\b`));
});

test('docs/running.md names every command as help does', () => {
  const docs = readFileSync(new URL('../../../docs/running.md', import.meta.url), 'utf8').split('\n');
  const usages = helpText()
    .match(/^ {2}reef .*$/gm)!
    .map((line) => line.trim());
  assert.deepEqual(
    usages.filter((usage) => !docs.includes(usage)),
    [],
  );
});

test('no line of help is wider than 110 letters', async () => {
  const names = new Set(nodeKinds.flatMap((kind) => Object.keys(builtins[kind])));
  const texts = await Promise.all([helpText(), list().then(({ out }) => out), ...[...names].map(helpForType)]);
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
