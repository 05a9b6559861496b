import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('test.ts', import.meta.url));

/** Runs a test file of this text as `npm test -- FILE` does. */
function run(t: TestContext, text: string, ci: string): { readonly status: number | null; stdout: string; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'reef-skips-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'given.test.ts');
  writeFileSync(file, `import { test } from 'node:test';\n${text}`);
  // Node tells its test processes by this variable not to start runners of their own.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return spawnSync(process.execPath, [script, file], { encoding: 'utf8', env: { ...env, CI: ci } });
}

const SKIPPED = `test('one', () => {}); test('two', { skip: 'it rains' }, () => {}); test('three', (t) => t.skip());`;

test('in CI a skipped test fails the run, by name and with its reason, and the closing lines are those of node', (t) => {
  const { status, stdout, stderr } = run(t, SKIPPED, 'true');
  assert.equal(status, 1);
  assert.match(stderr, /^Cannot count "two" in .*given\.test\.ts as tested: it was skipped \(it rains\)/m);
  assert.match(stderr, /^Cannot count "three" in .*: it was skipped \(no reason is given\)/m);
  assert.doesNotMatch(stderr, /"one"/);
  assert.match(stdout, /tests 3\n.*suites 0\n.*pass 1\n.*fail 0\n.*cancelled 0\n.*skipped 2\n.*todo 0\n.*duration_ms [\d.]+\n$/);
});

test('elsewhere it does not, nor in CI where none is skipped', (t) => {
  assert.equal(run(t, SKIPPED, '').status, 0);
  const { status, stderr } = run(t, `test('one', () => {});`, 'true');
  assert.equal(status, 0);
  assert.equal(stderr, '');
});
