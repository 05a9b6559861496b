import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing/reef-process.ts';
import { makeFolder } from './make-folder.ts';

test('folders that have those above them in common are made at the same time', async (t) => {
  const root = temporaryFolder(t);
  for (let round = 0; round < 50; round++) {
    const paths = Array.from({ length: 6 }, (_, index) => join(root, `${round}`, 'a', 'b', `${index}`));
    await Promise.all(paths.map(makeFolder));
    for (const path of paths) assert.ok(statSync(path).isDirectory());
  }
});

test('where nothing can be made it is said at once', async () => {
  await assert.rejects(makeFolder('/proc/nope/state'), { code: 'ENOENT' });
});
