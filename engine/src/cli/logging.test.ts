/** What `reef run` says on standard error, by the real command. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { mainFile, reef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';

function flooding(t: TestContext): string {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'rows.jsonl'), '{"a":1}\nno json\n');
  writeFileSync(
    join(folder, 'floods.mjs'),
    `export default { kind: 'function', summary: 'Made by a test.', settings: {}, examples: [], reads: () => ['a'], writes: () => [],
      open({ log }) { return { apply() { for (let line = 0; line < 20000; line++) log.warn('line ' + line, { line }); } }; } };\n`,
  );
  return writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'rows.jsonl' }, out: [{ id: 'f' }] },
    { id: 'f', kind: 'function', type: './floods.mjs', out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'blackhole' },
  ]);
}

test('what is said for programs is JSON, line by line, the summary included, and a flood is cut', async (t) => {
  const file = flooding(t);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(file, '..', 'state'), '--log-format', 'json']);
  assert.equal(code, 0, stderr);
  const lines = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const ofFunction = lines.filter(({ node }) => node === 'f');
  assert.deepEqual(ofFunction[0].data, { line: 0 });
  assert.equal(ofFunction.length, 1001);
  assert.match(ofFunction.at(-1).message, /lines of node "f" are left out from here/);
  const { time, ...last } = lines.at(-1);
  assert.ok(time > '2026');
  assert.equal(last.message, 'finished');
  const { outcome, exit_code, rows_in, rejected, sinks } = last.summary;
  assert.deepEqual([outcome, exit_code, rows_in, rejected], ['finished', 0, 2, 1]);
  assert.deepEqual(sinks.out, { delivered: 1, dropped: 0, retries: 0 });
});

test('without a terminal and without a wish JSON is said, also of what is wrong with a punchline', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'p.yaml'), 'sepc: 1\n');
  const { code, stderr } = await run(t, ['run', join(folder, 'p.yaml')], { REEF_LOG_FORMAT: undefined });
  assert.equal(code, 3);
  const [first] = stderr.split('\n').map((line) => line && JSON.parse(line));
  assert.equal(first.level, 'error');
  assert.match(first.message, /unknown key "sepc"/);
  assert.deepEqual([first.data.line, first.data.column], [1, 1]);
});

test('only errors are said where only errors are asked for', async (t) => {
  const file = flooding(t);
  const args = ['run', file, '--state', join(file, '..', 'state'), '--log-level', 'error'];
  assert.deepEqual((await reef(t, args)).stderr, '');
  const wrong = await reef(t, ['run', file, '--log-level', 'loud']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^reef run: --log-level is "loud", expected info, warn or error\nusage: /);
});

test('a standard error that nobody reads, or that is closed, holds nothing up', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'rows.jsonl'), '{"a":1}\n'.repeat(50_000));
  writeFileSync(
    join(folder, 'says.mjs'),
    `export default { kind: 'function', summary: 'Made by a test.', settings: {}, examples: [], reads: () => ['a'], writes: () => [],
      open({ log }) { for (let line = 0; line < 900; line++) log.info('x'.repeat(4000)); return { apply() {} }; } };\n`,
  );
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'rows.jsonl' }, out: [{ id: 'f' }] },
    { id: 'f', kind: 'function', type: './says.mjs', out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'stdout' },
  ]);
  const child = spawn(process.execPath, [mainFile, 'run', file, '--state', join(folder, 'state')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  // Of standard error not a byte is read until all rows are there.
  let rows = 0;
  for await (const chunk of child.stdout) {
    rows += String(chunk).split('\n').length - 1;
    if (rows === 50_000) break;
  }
  child.stderr.destroy();
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);

  const closed = openSync('/dev/full', 'w');
  t.after(() => closeSync(closed));
  const other = spawn(process.execPath, [mainFile, 'run', file, '--state', join(folder, 'state')], {
    stdio: ['ignore', 'ignore', closed],
  });
  assert.equal((await once(other, 'exit'))[0], 0);
});

async function run(t: TestContext, args: readonly string[], env: Readonly<Record<string, string | undefined>>) {
  const child = spawn(process.execPath, [mainFile, ...args], { env: { ...process.env, ...env } });
  t.after(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  return { code, stderr };
}
