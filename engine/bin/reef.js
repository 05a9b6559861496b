#!/usr/bin/env node
// Kept apart from the built command so that an old Node gets a sentence instead of a syntax error, and so that the
// command can be linked before anything is built.
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);

if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(`Cannot start reef: this is Node ${process.versions.node}, it needs Node 24 or newer.`);
  console.error('A checkout brings its own: after `npm ci`, run it as `npx --no-install reef`.');
  process.exitCode = 1;
} else if (!existsSync(main)) {
  console.error('Cannot start reef: it is not built, run `npm run build` first.');
  process.exitCode = 1;
} else {
  await import(main.href);
}
