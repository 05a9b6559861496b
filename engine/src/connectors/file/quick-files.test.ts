import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing/test-context.ts';
import { QuickFiles } from './quick-files.ts';

test('small files of a local disk are read at once', async (t) => {
  const folder = await temporaryFolder(t);
  const text = 'x'.repeat(64 * 1024);
  for (const [name, bytes] of [
    ['empty', ''],
    ['small', 'a\n'],
    ['most', text],
  ] as const) {
    await writeFile(join(folder, name), bytes);
    const found = await new QuickFiles().read(join(folder, name));
    assert.equal(found?.bytes.toString(), bytes);
    assert.equal(found?.stats.size, BigInt(bytes.length));
  }
});

test('what may wait, or leads elsewhere, or is large, is left to who asks in the usual way', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'folder'));
  await writeFile(join(folder, 'large'), 'x'.repeat(64 * 1024 + 1));
  await symlink('large', join(folder, 'link'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const quick = new QuickFiles();
  for (const name of ['folder', 'large', 'link', 'pipe', 'absent'])
    assert.equal(await quick.read(join(folder, name)), undefined, name);
  for (const name of ['link', 'absent']) assert.equal(await quick.stat(join(folder, name)), undefined, name);
  assert.equal(await quick.read('/proc/self/status'), undefined);
});

test('after a slow answer the next questions are left to the thread pool', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'a'), 'a\n');
  const quick = new QuickFiles();
  const read = async (): Promise<boolean> => (await quick.read(join(folder, 'a'))) !== undefined;
  assert.ok(await read());
  assert.ok(quick.ready());
  let now = 0;
  const clock = t.mock.method(performance, 'now', () => {
    now += 20;
    return now;
  });
  assert.ok(await read());
  clock.mock.restore();
  assert.ok(!quick.ready());
  const answers = [];
  for (let i = 0; i < 64; i++) answers.push(await read());
  assert.equal(answers[0], false);
  assert.equal(answers.at(-1), true);
});
