/** All that CI checks beside the tests, one after the other; goes on after a failure so that one run shows them all. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const checks: Readonly<Record<string, readonly string[]>> = {
  'format and lint': ['biome', 'ci', '--error-on-warnings', '--colors=off', '.'],
  types: ['tsc', '-p', '.'],
  'import directions': ['node', 'scripts/checks/imports.ts'],
  'public exports': ['node', 'scripts/checks/exports.ts'],
  'links in documents': ['node', 'scripts/checks/links.ts'],
  'no machine named': ['node', 'scripts/checks/words.ts'],
  'kernel is what its source compiles to': ['node', 'engine/kernel/build.ts', '--check'],
  'shim is what its text assembles to': ['node', 'engine/kernel/build-shim.ts', '--check'],
  'example rows are what vega-datasets holds': ['node', 'scripts/make-earthquakes.ts', '--check'],
  'reference is what the node types declare, and its examples run': ['node', 'scripts/make-reference.ts', '--check'],
  'kernel fuzz, bounded': ['node', 'engine/kernel/fuzz.ts', '--seconds', '60'],
  'rewriter fuzz, bounded': ['node', 'engine/src/wasm/rewriter/fuzz.ts', '--seconds', '25'],
  'bench, short form': ['node', 'bench/run.ts', '--short'],
};

const wanted = process.argv.slice(2);
let failed = 0;
for (const [name, [command, ...args]] of Object.entries(checks)) {
  if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue;
  const started = performance.now();
  const { status, error, stdout, stderr } = spawnSync(command!, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  if (status === 0) continue;
  failed++;
  console.log([error?.message, stdout, stderr].filter(Boolean).join('\n').trimEnd());
}
console.log(failed === 0 ? 'All checks passed.' : `${failed} failed. Run one alone with: npm run check -- WORD`);
process.exitCode = failed === 0 ? 0 : 1;
