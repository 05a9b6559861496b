import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ReefError } from '../../errors.ts';
import type { PunchlineKind } from '../../spec/plan.ts';
import type { Sink, SinkPosition } from '../../spec/sink.ts';
import { sharedBytes, TestLog, temporaryFolder, withDefaults } from '../testing/test-context.ts';
import { withoutRights } from '../testing/without-rights.ts';
import fileSink from './sink.ts';

interface Given {
  readonly mode?: 'append' | 'overwrite';
  readonly punchlineKind?: PunchlineKind;
  readonly resume?: SinkPosition | undefined;
  readonly log?: TestLog;
}

async function openSink(t: TestContext, path: string, given: Given = {}): Promise<Sink> {
  const opened = await fileSink.open({
    id: 'out',
    settings: withDefaults(fileSink.settings, { path, ...(given.mode ? { mode: given.mode } : {}) }),
    folder: '/nowhere',
    punchlineKind: given.punchlineKind ?? 'BatchPunchline',
    log: given.log ?? new TestLog(),
    count() {},
    codec: { name: 'json' },
    resume: given.resume,
    memory: '/nowhere',
  });
  t.after(() => opened.close('stopped').catch(() => {}));
  return opened;
}

function write(opened: Sink, text: string): Promise<SinkPosition | undefined> {
  return opened.write({ bytes: sharedBytes(text), rows: text.split('\n').length - 1, partition: 'in/0' });
}

function lengthOf(position: SinkPosition | undefined): unknown {
  return (position as { length?: unknown } | undefined)?.length;
}

describe('file sink', () => {
  test('writes chunks one behind the other and tells the length', async (t) => {
    const path = join(await temporaryFolder(t), 'out.jsonl');
    const opened = await openSink(t, path);
    const { ino } = await stat(path);
    assert.equal(lengthOf(opened.position?.()), 0);
    assert.deepEqual(await write(opened, '1\n'), { length: 2, ino, dev: (await stat(path)).dev });
    assert.equal(lengthOf(await write(opened, '22\n')), 5);
    await opened.sync?.();
    await opened.close('finished');
    assert.equal(await readFile(path, 'utf8'), '1\n22\n');
  });

  test('creates missing folders', async (t) => {
    const path = join(await temporaryFolder(t), 'a/b/out.jsonl');
    await write(await openSink(t, path), '1\n');
    assert.equal(await readFile(path, 'utf8'), '1\n');
  });

  test('overwrites in a BatchPunchline, appends in a StreamPunchline, and the setting goes first', async (t) => {
    const path = join(await temporaryFolder(t), 'out.jsonl');
    for (const [given, expected] of [
      [{ punchlineKind: 'BatchPunchline' }, 'new\n'],
      [{ punchlineKind: 'StreamPunchline' }, 'old\nold\nnew\n'],
      [{ punchlineKind: 'BatchPunchline', mode: 'append' }, 'old\nold\nnew\n'],
      [{ punchlineKind: 'StreamPunchline', mode: 'overwrite' }, 'new\n'],
    ] as const) {
      await writeFile(path, 'old\nold\n');
      const opened = await openSink(t, path, given);
      await write(opened, 'new\n');
      assert.equal(await readFile(path, 'utf8'), expected);
      await opened.close('finished');
    }
  });

  test('appends behind a newline when the file does not end with one', async (t) => {
    const path = join(await temporaryFolder(t), 'out.jsonl');
    await writeFile(path, 'old');
    const opened = await openSink(t, path, { mode: 'append' });
    assert.equal(lengthOf(opened.position?.()), 4);
    await write(opened, 'new\n');
    assert.equal(await readFile(path, 'utf8'), 'old\nnew\n');
  });

  test('cuts back to the length of the checkpoint, in either mode', async (t) => {
    const path = join(await temporaryFolder(t), 'out.jsonl');
    for (const mode of ['append', 'overwrite'] as const) {
      const first = await openSink(t, path, { mode: 'overwrite' });
      const resume = await write(first, 'kept\n');
      await write(first, 'lost\nto');
      await first.close('stopped');
      const second = await openSink(t, path, { mode, resume });
      await write(second, 'again\n');
      assert.equal(await readFile(path, 'utf8'), 'kept\nagain\n');
      await second.close('stopped');
    }
  });

  test('goes on at the end, with a warning, when the file is shorter than remembered', async (t) => {
    const path = join(await temporaryFolder(t), 'out.jsonl');
    await writeFile(path, 'short\n');
    const log = new TestLog();
    const { ino } = await stat(path);
    const opened = await openSink(t, path, { resume: { length: 100, ino }, log });
    await write(opened, 'new\n');
    assert.equal(await readFile(path, 'utf8'), 'short\nnew\n');
    assert.match(log.warnings.join(), /only 6 of the 100 bytes/);
  });

  test('does not cut another file than the remembered one', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'out.jsonl');
    const resume = await write(await openSink(t, path), 'a\n');
    await writeFile(join(folder, 'other'), 'longer than it was');
    await rename(join(folder, 'other'), path);
    const log = new TestLog();
    await write(await openSink(t, path, { resume, log }), 'new\n');
    assert.equal(await readFile(path, 'utf8'), 'longer than it was\nnew\n');
    assert.match(log.warnings.join(), /another file/);
  });

  test('on a full disk cuts the chunk off, asks for a retry, and the retry succeeds once there is space', async (t) => {
    const folder = join(await temporaryFolder(t), 'small');
    await mkdir(folder);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder], { stdio: 'ignore' });
    } catch {
      t.skip('a small file system cannot be mounted here (needs root)');
      return;
    }
    using _mounted = { [Symbol.dispose]: () => execFileSync('umount', ['--lazy', folder]) };
    const path = join(folder, 'out.jsonl');
    const opened = await openSink(t, path);
    await write(opened, 'first\n');
    await writeFile(join(folder, 'ballast'), Buffer.alloc(40_000));
    const chunk = `${'x'.repeat(30_000)}\n`;
    await assert.rejects(write(opened, chunk), (error: ReefError) => {
      assert.ok(error instanceof ReefError);
      assert.equal(error.code, 'io');
      assert.equal(error.retry, true);
      assert.match(error.message, /Cannot write to file sink "out": .*no space is left/);
      return true;
    });
    assert.equal(await readFile(path, 'utf8'), 'first\n');
    await rm(join(folder, 'ballast'));
    await write(opened, chunk);
    assert.equal(await readFile(path, 'utf8'), `first\n${chunk}`);
  });

  test('at the limit of the file size keeps whole chunks only', async (t) => {
    const path = join(await temporaryFolder(t), 'out.jsonl');
    const script = `
      import sink from ${JSON.stringify(fileURLToPath(new URL('./sink.ts', import.meta.url)))};
      const log = { info() {}, warn() {} };
      const opened = await sink.open({ id: 'out', settings: { path: process.argv[1] }, folder: '/', punchlineKind: 'BatchPunchline', log, codec: { name: 'json' } });
      const bytes = Buffer.from('y'.repeat(2999) + '\\n');
      try { for (;;) await opened.write({ bytes, rows: 1, partition: 'p' }); } catch (error) { console.log(error.code, error.retry, error.message); }`;
    // 16 blocks of 512 or 1024 bytes, by shell: neither is a multiple of 3000.
    const command = 'ulimit -f 16 && exec "$0" --input-type=module -e "$1" "$2"';
    const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath, script, path]);
    assert.match(stdout, /^io false .*ulimit -f/);
    const { size } = await stat(path);
    assert.ok(size > 0);
    assert.equal(size % 3000, 0);
  });

  test('a deleted file is noticed before a checkpoint covers it', async (t) => {
    const path = join(await temporaryFolder(t), 'out.jsonl');
    const opened = await openSink(t, path);
    await write(opened, '1\n');
    await rm(path);
    await assert.rejects(async () => opened.sync?.(), /was deleted while it was written/);
  });

  test('a folder in the place of the file is an error that says so', async (t) => {
    const path = join(await temporaryFolder(t), 'out');
    await mkdir(path);
    await assert.rejects(openSink(t, path), (error: ReefError) => {
      assert.equal(error.code, 'config');
      assert.equal(error.message, `Cannot open file sink "out": ${path}: it is a folder, expected a file`);
      return true;
    });
  });

  test('a file in the place of the folder is an error that says so', async (t) => {
    const path = join(await temporaryFolder(t), 'out');
    await writeFile(path, '');
    await assert.rejects(openSink(t, join(path, 'x')), /Cannot open file sink "out": .* not a folder/);
  });

  test('no rights are an error that says so', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'out');
    await writeFile(path, '');
    await chmod(path, 0o400);
    await withoutRights(folder, () => assert.rejects(openSink(t, path), /Cannot open file sink "out": .*permission denied/));
  });

  test('writes to a device without a length', async (t) => {
    const opened = await openSink(t, '/dev/null');
    assert.equal(await write(opened, '1\n'), undefined);
    await opened.close('finished');
  });

  test('a full device asks for a retry', async (t) => {
    const opened = await openSink(t, '/dev/full');
    await assert.rejects(write(opened, '1\n'), { code: 'io', retry: true });
  });

  test('a named pipe without a reader asks for a retry; with one, all rows arrive though the pipe is small', async (t) => {
    const path = join(await temporaryFolder(t), 'pipe');
    execFileSync('mkfifo', [path]);
    const opened = await openSink(t, path);
    await assert.rejects(write(opened, '1\n'), { code: 'io', retry: true });
    const reader = await open(path, 'r+');
    t.after(() => reader.close());
    const text = `${'z'.repeat(299_999)}\n`;
    const written = write(opened, text);
    let seen = 0;
    while (seen < text.length) seen += (await reader.read(Buffer.alloc(100_000))).bytesRead;
    await written;
    assert.equal(seen, text.length);
    await opened.close('finished');
  });

  test('a pipe whose reader has gone is closed for good', async (t) => {
    const path = join(await temporaryFolder(t), 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = await open(path, 'r+');
    const opened = await openSink(t, path);
    await write(opened, '1\n');
    await reader.close();
    await assert.rejects(write(opened, '2\n'), { code: 'closed', retry: false });
  });
});
