/**
 * Runs the conformance suite and keeps what it found for docs/reference/index.md: `make-conformance.ts [WORD…]`, of connectors whose
 * path has one of the words. Needs the real servers (REEF_SETUP=1 installs them).
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const words = process.argv.slice(2);
const found = globSync('engine/src/connectors/**/conformance*.test.ts', { cwd: root, exclude: ['**/testing/**'] });
const files = found.filter((file) => words.length === 0 || words.some((word) => file.includes(word))).sort();
if (files.length === 0) {
  console.error(`Cannot run the conformance suite: no connector is called ${words.join(' or ')}.`);
  process.exitCode = 1;
} else {
  const env = { ...process.env, REEF_CONFORMANCE: 'write' };
  const tests = spawnSync(process.execPath, ['--test', '--test-concurrency=2', ...files], { cwd: root, stdio: 'inherit', env });
  const pages = spawnSync(process.execPath, ['scripts/make-reference.ts'], { cwd: root, stdio: 'inherit' });
  process.exitCode = (tests.status ?? 1) || (pages.status ?? 1);
}
