import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runNew } from './new.ts';

const engine = join(import.meta.dirname, '..', '..');
const reef = join(engine, 'bin', 'reef.js');

function project(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'reef-new-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'node_modules', '@reef'), { recursive: true });
  symlinkSync(engine, join(folder, 'node_modules', '@reef', 'engine'));
  return folder;
}

async function make(
  cwd: string,
  ...args: string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let [out, err] = ['', ''];
  const io = { stdout: { write: (text: string) => (out += text) }, stderr: { write: (text: string) => (err += text) }, cwd };
  return { code: await runNew(args, io), out, err };
}

/** Runs a command that must end well, as the user is told to. */
function run(cwd: string, ...args: string[]): string {
  // Node tells its test processes by this variable not to start runners of their own.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', env: { ...env, NO_COLOR: '1' } });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

test('a new function runs, and its cases pass', async (t) => {
  const folder = project(t);
  assert.equal((await make(folder, 'function', 'greet-all')).code, 0);
  run(folder, reef, 'check', 'greet-all.yaml', '--run-modules');
  assert.match(run(folder, reef, 'test', 'greet-all.yaml'), /2 cases passed, 0 failed/);
  assert.match(run(folder, reef, 'run', 'greet-all.yaml', '--state', 'state'), /Ada +Hello, Ada\nGrace +Hello, Grace/);
});

test('a new source runs, and its cases pass', async (t) => {
  const folder = project(t);
  assert.equal((await make(folder, 'source', 'counter')).code, 0);
  run(folder, reef, 'check', 'counter.yaml', '--run-modules');
  assert.match(run(folder, reef, 'test', 'counter.yaml'), /2 cases passed, 0 failed/);
  assert.match(run(folder, reef, 'run', 'counter.yaml', '--state', 'state'), /1\n2\n3\n4\n5/);
});

test('a new sink runs, and its test passes', async (t) => {
  const folder = project(t);
  assert.equal((await make(folder, 'sink', 'keeper')).code, 0);
  run(folder, reef, 'check', 'keeper.yaml', '--run-modules');
  assert.match(run(folder, '--test', 'keeper.test.ts'), /pass 2/);
  run(folder, reef, 'run', 'keeper.yaml', '--state', 'state');
  assert.equal(readFileSync(join(folder, 'keeper.jsonl'), 'utf8'), '{"name":"Ada"}\n{"name":"Grace"}\n');
});

test('nothing is overwritten, and a wrong command line is told with the right one', async (t) => {
  const folder = project(t);
  await make(folder, 'sink', 'keeper');
  const again = await make(folder, 'function', 'keeper');
  assert.equal(again.code, 1);
  assert.equal(again.err, 'reef new: Cannot write keeper.ts: it is there already, expected a new name\n');
  assert.match(readFileSync(join(folder, 'keeper.ts'), 'utf8'), /Appends rows/);
  for (const [args, problem] of [
    [[], /it is not said what to make/],
    [['functoin', 'x'], /did you mean "function"/],
    [['source'], /no name is given/],
    [['source', 'My Source'], /the name is "My Source", expected small letters/],
    [['source', 'a', 'b'], /"b" is one argument too many/],
  ] as const) {
    const { code, err } = await make(folder, ...args);
    assert.equal(code, 2);
    assert.match(err, problem);
    assert.match(err, /usage: reef new function\|source\|sink NAME/);
  }
});

test('where the engine is not installed, what is said installs the one that speaks, and the new test passes then', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'reef-new-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { out } = await make(folder, 'sink', 'keeper');
  const [, from] = /^ {2}npm install (\S+) /m.exec(out)!;
  assert.equal(join(from!), join(engine, '/'));
  const { status, stderr } = spawnSync('npm', ['install', '--offline', '--no-audit', '--no-fund', from!], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.match(run(folder, '--test', 'keeper.test.ts'), /pass 2/);
});
