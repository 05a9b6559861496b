import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing/test-context.ts';
import { openByteWriter } from './byte-writer.ts';

test('what is written to the terminal of the progress line takes the place of that line', async (t) => {
  const path = join(await temporaryFolder(t), 'terminal');
  const fd = openSync(path, 'w');
  t.after(() => closeSync(fd));
  for (const besideProgress of [true, false]) {
    const writer = await openByteWriter(fd, 'standard output', besideProgress);
    await writer.write(Buffer.from('row\n'));
  }
  assert.equal(readFileSync(path, 'utf8'), '\r\x1b[Krow\nrow\n');
});
