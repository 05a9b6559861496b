import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing/reef-process.ts';
import { makeFolder } from './make-folder.ts';

test('folders that have those above them in common are made at the same time', async (t) => {
  const root = temporaryFolder(t);
  for (let round = 0; round < 300; round++) {
    // Of differing depths, so that one is at a folder while another is at the one above it.
    const paths = ['a/b/c/1', 'a/b/2', 'a/b/c/d/3', 'a/4', 'a/b/c/5'].map((path) => join(root, `${round}`, path));
    await Promise.all(paths.map(makeFolder));
    for (const path of paths) assert.ok(statSync(path).isDirectory());
  }
});

test('where nothing can be made it is said at once', async () => {
  await assert.rejects(makeFolder('/proc/nope/state'), { code: 'ENOENT' });
});
