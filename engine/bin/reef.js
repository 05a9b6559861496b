#!/usr/bin/env node
// Kept to syntax that old Nodes read, so that they get a sentence instead of a syntax error, and apart from what is built, so that
// the command can be linked before anything is.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));

if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(`Cannot start reef: this is Node ${process.versions.node}, it needs Node 24 or newer.`);
  console.error('A checkout brings its own: after `npm ci`, run it as `npx --no-install reef`.');
  process.exitCode = 1;
} else if (!existsSync(`${dist}reef.cjs`)) {
  console.error('Cannot start reef: it is not built, run `npm run build` first.');
  process.exitCode = 1;
} else {
  // What V8 has compiled is kept beside the code that it stands for; where that cannot be written, nothing is kept.
  module.enableCompileCache(`${dist}compile-cache`);
  const { command } = module.createRequire(import.meta.url)('../dist/reef.cjs');
  const { runCommand } = await command();
  process.exitCode = await runCommand(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    cwd: process.cwd(),
  });
}
