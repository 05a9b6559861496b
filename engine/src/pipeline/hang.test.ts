/** Functions and nodes that do not come back: a signal ends the process all the same, in a stated time. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ReefProcess, reef, startReef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';
import { writeFunction } from '../testing/user-function.ts';

const rows = '{"n":1}\n{"n":2}\n';

/**
 * Calls itself in tail position, as good as for ever: once it is optimised it looks at no flag on the way, so neither `terminate`
 * nor `process.exit` end the thread.
 * (module (func $f (export "f") (param i64) (br_if 0 (i64.eqz (local.get 0))) (return_call $f (i64.sub (local.get 0) (i64.const 1)))))
 */
const UNENDING = `const type = [1, 5, 1, 96, 1, 126, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0];
  const code = [10, 16, 1, 14, 0, 32, 0, 80, 13, 0, 32, 0, 66, 1, 125, 18, 0, 11];
  const wasm = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, ...type, ...code);
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports;
  const hang = () => {
    // Not optimised it takes five times as long at least.
    for (let ms = 9; ms > 3; ) {
      const start = performance.now();
      f(2_000_000n);
      ms = performance.now() - start;
    }
    process.getBuiltinModule('node:fs').writeSync(2, 'HANGS\\n');
    f(2n ** 62n);
  };`;

function hanging(t: TestContext, body: string, state: string): { folder: string; args: readonly string[] } {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), rows);
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'hang' }] },
    { id: 'hang', kind: 'function', type: writeFunction(folder, 'hang.js', body, ['n'], [], state), out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.jsonl' } },
  ]);
  return { folder, args: ['run', file, '--state', join(folder, 'state'), '--drain-secs', '0.2'] };
}

/** Resolves when it has said `text`. */
function says({ child }: ReefProcess, text: string): Promise<void> {
  let said = '';
  return new Promise((resolve) => {
    child.stderr.on('data', (more: string) => {
      said += more;
      if (said.includes(text)) resolve();
    });
  });
}

test('a thread that nothing ends does not outlive the drain, a second signal, or the process that looks for its rows', {
  timeout: 60_000,
}, async (t) => {
  const { folder, args } = hanging(t, 'hang();', UNENDING);
  const drained = startReef(t, args);
  await says(drained, 'HANGS');
  drained.child.kill('SIGTERM');
  const { signal, stderr } = await drained.ended;
  assert.equal(signal, 'SIGKILL', stderr);
  assert.match(stderr, /A function hangs on rows of "in", and its thread cannot be ended: .*SIGKILL/);

  // The rows are looked for now, which hangs too, in a child process.
  const searching = startReef(t, args);
  await says(searching, 'on trial');
  searching.child.kill('SIGTERM');
  assert.equal((await searching.ended).code, 143);
  const again = startReef(t, args);
  await says(again, 'on trial');
  again.child.kill('SIGINT');
  again.child.kill('SIGTERM');
  const ended = await again.ended;
  assert.ok(ended.code === 143 || ended.code === 130, `${ended.code} ${ended.signal}`);
  assert.ok(!existsSync(join(folder, 'state/suspects.json')), 'a row was found guilty by a signal');
});

test('a second signal ends the process also when a thread cannot be ended', { timeout: 30_000 }, async (t) => {
  const { args } = hanging(t, 'hang();', UNENDING);
  const run = startReef(t, [...args.slice(0, -1), '600']);
  await says(run, 'HANGS');
  run.child.kill('SIGTERM');
  await says(run, 'once more ends at once');
  run.child.kill('SIGTERM');
  const { code, signal } = await run.ended;
  // By its code when the signals came before the thread had gone on from what it said.
  assert.ok(signal === 'SIGKILL' || code === 143, `${code} ${signal}`);
});

test('a thread that can be ended is, and a second signal then ends with its code', { timeout: 30_000 }, async (t) => {
  const { args } = hanging(t, `process.getBuiltinModule('node:fs').writeSync(2, 'HANGS\\n'); for (;;);`, '');
  const run = startReef(t, [...args.slice(0, -1), '600']);
  await says(run, 'HANGS');
  run.child.kill('SIGTERM');
  await says(run, 'once more ends at once');
  run.child.kill('SIGINT');
  assert.equal((await run.ended).code, 130);
});

test('a signal while a function does not come to an end of opening ends the process in the time of the drain', {
  timeout: 30_000,
}, async (t) => {
  const state = `process.getBuiltinModule('node:fs').writeSync(2, 'HANGS\\n'); return new Promise(() => {})`;
  const { folder, args } = hanging(t, '', state);
  const run = startReef(t, args);
  await says(run, 'HANGS');
  run.child.kill('SIGTERM');
  const { code, stderr } = await run.ended;
  assert.equal(code, 143, stderr);
  writeFunction(folder, 'hang.js', '', ['n']);
  const { code: after, stderr: said } = await reef(t, args);
  assert.equal(after, 0, said);
  assert.equal(readFileSync(join(folder, 'out.jsonl'), 'utf8'), rows);
});
