/**
 * Runs the tests: `test.ts [FILE…]` those that need no server, `test.ts --servers [FILE…]` the files named `*.server.test.ts`,
 * which start real servers. Files given by name replace the search. The report and the exit code are node's own, but
 * that in CI (`CI=true`) a skipped test is a failure.
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({ options: { servers: { type: 'boolean', default: false } }, allowPositionals: true });

const found = globSync('{engine/src,engine/kernel,abi,sdk,fleet,console,examples,bench,scripts,faults}/**/*.test.ts', {
  cwd: root,
  exclude: ['**/node_modules', '**/dist'],
});
const files =
  positionals.length > 0 ? positionals : found.filter((file) => file.endsWith('.server.test.ts') === values.servers).sort();

if (files.length > 0) {
  const options = [`--test-concurrency=${availableParallelism()}`];
  if (process.env.CI === 'true') {
    options.push('--test-reporter=spec', '--test-reporter-destination=stdout');
    options.push(`--test-reporter=${new URL('no-skips.ts', import.meta.url)}`, '--test-reporter-destination=stderr');
  }
  // The state of what tests run is not this user's.
  const state = mkdtempSync(join(tmpdir(), 'reef-state-'));
  const { status } = spawnSync(process.execPath, ['--test', ...options, ...files], {
    cwd: root,
    stdio: 'inherit',
    // What most tests look at is what people see.
    env: { REEF_LOG_FORMAT: 'text', REEF_STATE_HOME: state, ...process.env },
  });
  rmSync(state, { recursive: true, force: true });
  process.exitCode = status ?? 1;
} else if (values.servers) {
  console.log('There are no server tests yet (files named *.server.test.ts): nothing was run.');
} else {
  console.error(`Cannot run the tests: no *.test.ts stands below ${root}.`);
  process.exitCode = 1;
}
