import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { chmod, mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ReefError } from '../../errors.ts';
import type { Position } from '../../spec/feed.ts';
import type { Source } from '../../spec/source.ts';
import { FakeFeed, type FakeFeedOptions } from '../testing/fake-feed.ts';
import { TestLog, temporaryFolder, withDefaults } from '../testing/test-context.ts';
import { withoutRights } from '../testing/without-rights.ts';
import fileSource from './source.ts';

async function openSource(folder: string, path: string, log = new TestLog()): Promise<Source> {
  return fileSource.open({
    id: 'in',
    settings: withDefaults(fileSource.settings, { path }),
    folder,
    punchlineKind: 'BatchPunchline',
    log,
    count() {},
    hindered() {},
    codec: { name: 'json' },
    declared: undefined,
    referenced: new Set<string>(),
  });
}

async function read(folder: string, path: string, options: FakeFeedOptions & { log?: TestLog } = {}): Promise<FakeFeed> {
  const feed = new FakeFeed(options);
  const opened = await openSource(folder, path, options.log);
  await opened.run(feed, options.signal ?? new AbortController().signal);
  await opened.close();
  return feed;
}

describe('file source, whole files', () => {
  test('feeds every byte of a file through rooms of any size and ends its partition', async (t) => {
    const folder = await temporaryFolder(t);
    const text = Array.from({ length: 100 }, (_, n) => `{"n":${n}}\n`).join('');
    await writeFile(join(folder, 'a.jsonl'), text);
    for (const roomBytes of [1, 7, 4096, 1 << 20]) {
      const feed = await read(folder, 'a.jsonl', { roomBytes });
      assert.equal(feed.text, text);
      assert.equal(feed.partitions.get('a.jsonl')?.ended, true);
    }
  });

  test('reads a folder in name order, one partition a file, without hidden files and folders', async (t) => {
    const folder = await temporaryFolder(t);
    await mkdir(join(folder, 'in/deeper'), { recursive: true });
    for (const name of ['b', 'a', '.hidden', 'c', 'deeper/d']) await writeFile(join(folder, 'in', name), `${name}\n`);
    await symlink(join(folder, 'in/deeper'), join(folder, 'in/link'));
    const feed = await read(folder, 'in');
    assert.deepEqual([...feed.partitions.keys()], ['in/a', 'in/b', 'in/c']);
    assert.equal(feed.text, 'a\nb\nc\n');
  });

  test('reads what a glob matches, also below folders', async (t) => {
    const folder = await temporaryFolder(t);
    await mkdir(join(folder, 'x/y'), { recursive: true });
    for (const name of ['x/1.log', 'x/y/2.log', 'x/y/3.txt', '4.log']) await writeFile(join(folder, name), `${name}\n`);
    assert.equal((await read(folder, '**/*.log')).text, '4.log\nx/1.log\nx/y/2.log\n');
    assert.equal((await read(folder, 'x/*.{log,txt}')).text, 'x/1.log\n');
  });

  test('takes a name with wildcards that exists as it is', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a[1].log'), 'it\n');
    await writeFile(join(folder, 'a1.log'), 'other\n');
    assert.equal((await read(folder, 'a[1].log')).text, 'it\n');
  });

  test('a file that is compressed as Reef does not read is an error that says how, not rows', async (t) => {
    const folder = await temporaryFolder(t);
    const xz = Buffer.concat([Buffer.from('fd377a585a000004', 'hex'), Buffer.from('\n{"a":1}\n')]);
    await mkdir(join(folder, 'in'));
    await writeFile(join(folder, 'in/a.xz'), xz);
    await writeFile(join(folder, 'in/b.bz2'), Buffer.from('425a6839314159265359', 'hex'));
    await writeFile(join(folder, 'in/c'), 'BZh is a word\n');
    const feed = new FakeFeed();
    const log = new TestLog();
    const source = await openSource(folder, 'in', log);
    await assert.rejects(
      source.run(feed, new AbortController().signal),
      /a\.xz is compressed with xz, expected gzip, zstd or nothing/,
    );
    await source.close();
    assert.match(log.warnings[1]!, /b\.bz2 is compressed with bzip2/);
    assert.equal(feed.text, 'BZh is a word\n');
  });

  test('skips a byte order mark, and offsets stay those of the file', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a'), '\ufeffx\n');
    const feed = await read(folder, 'a');
    assert.equal(feed.text, 'x\n');
    assert.equal((feed.positions().a as { offset: number }).offset, 5);
  });

  test('an empty file is read and done', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a'), '');
    const feed = await read(folder, 'a');
    assert.equal(feed.text, '');
    assert.equal(feed.partitions.get('a')?.ended, true);
  });

  test('knows the bytes to come, less those that a resumed run has delivered', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a'), '12345\n');
    await writeFile(join(folder, 'b'), '1\n');
    const opened = await openSource(folder, '*');
    assert.equal(opened.totalBytes?.(), 8);
    const resume = { a: (await read(folder, 'a')).partitions.get('a')?.positionAt(4) as Position };
    await opened.run(new FakeFeed({ resume }), new AbortController().signal);
    assert.equal(opened.totalBytes?.(), 4);
  });

  test('goes on at the committed offset of the same file, also after a move of the folder', async (t) => {
    const folder = await temporaryFolder(t);
    await mkdir(join(folder, 'one'));
    await writeFile(join(folder, 'one/a'), '1\n2\n3\n');
    const resume = { a: (await read(join(folder, 'one'), 'a')).partitions.get('a')?.positionAt(2) as Position };
    await rename(join(folder, 'one'), join(folder, 'two'));
    const feed = await read(join(folder, 'two'), 'a', { resume });
    assert.equal(feed.text, '2\n3\n');
    assert.equal((feed.positions().a as { offset: number }).offset, 6);
  });

  test('reads another file of the same name from its start, with a warning', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a'), '1\n2\n');
    const resume = (await read(folder, 'a')).positions();
    await writeFile(join(folder, 'b'), 'x\ny\nz\n');
    await rename(join(folder, 'b'), join(folder, 'a'));
    const log = new TestLog();
    assert.equal((await read(folder, 'a', { resume, log })).text, 'x\ny\nz\n');
    assert.match(log.warnings.join(), /is another file than the one that the last run delivered/);
  });

  test('reads a file that has become shorter than the committed offset from its start, with a warning', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a'), `${'x'.repeat(2000)}\n`);
    const resume = (await read(folder, 'a')).positions();
    await truncate(join(folder, 'a'), 1500);
    const log = new TestLog();
    assert.equal((await read(folder, 'a', { resume, log })).text.length, 1500);
    assert.match(log.warnings.join(), /shorter than the 2001 bytes/);
  });

  test('tells of a file that the last run was reading and that is gone', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a'), '1\n');
    await writeFile(join(folder, 'b'), '2\n');
    const resume = (await read(folder, '*')).positions();
    await rm(join(folder, 'a'));
    const log = new TestLog();
    assert.equal((await read(folder, '*', { resume, log })).text, '');
    assert.match(log.warnings.join(), /a, of which the last run delivered 2 bytes, is gone/);
  });

  test('a file that is not there is an error before anything runs', async (t) => {
    const folder = await temporaryFolder(t);
    await assert.rejects(openSource(folder, 'missing.jsonl'), {
      code: 'config',
      message: `Cannot open file source "in": ${join(folder, 'missing.jsonl')}: it does not exist, expected a file`,
    });
  });

  test('a named pipe is refused instead of being waited for', async (t) => {
    const folder = await temporaryFolder(t);
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await assert.rejects(openSource(folder, 'pipe'), /is no regular file/);
  });

  test('an empty folder and a glob without match are a warning', async (t) => {
    const folder = await temporaryFolder(t);
    const log = new TestLog();
    assert.equal((await read(folder, '*.none', { log })).text, '');
    assert.match(log.warnings.join(), /nothing to read: no file matches/);
  });

  test('a file that vanishes, and one that turns into a folder, fail the run after all others are delivered', async (t) => {
    const folder = await temporaryFolder(t);
    for (const name of ['a', 'b', 'c', 'd']) await writeFile(join(folder, name), `${name}\n`);
    const opened = await openSource(folder, '*');
    await rm(join(folder, 'b'));
    await rm(join(folder, 'c'));
    await mkdir(join(folder, 'c'));
    const feed = new FakeFeed();
    await assert.rejects(opened.run(feed, new AbortController().signal), (error: ReefError) => {
      assert.ok(error instanceof ReefError);
      assert.equal(error.retry, false);
      assert.match(error.message, /b: it does not exist.*1 more of 4 files failed/);
      return true;
    });
    assert.equal(feed.text, 'a\nd\n');
  });

  test('a file that vanishes while it is read is read to its end', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a'), '12345678\n');
    const feed = new FakeFeed({ roomBytes: 4 });
    const running = (await openSource(folder, 'a')).run(feed, new AbortController().signal);
    await feed.until(() => feed.text.length >= 4);
    await rm(join(folder, 'a'));
    await running;
    assert.equal(feed.text, '12345678\n');
  });

  test('files that are opened ahead of their turn are closed when the source stops before it', {
    skip: process.platform !== 'linux',
  }, async (t) => {
    const folder = await temporaryFolder(t);
    for (let n = 10; n < 60; n++) await writeFile(join(folder, `f${n}`), `${n}\n`);
    const stop = new AbortController();
    const feed = new FakeFeed({ roomBytes: 4, signal: stop.signal });
    const running = (await openSource(folder, '*')).run(feed, stop.signal);
    await feed.until(() => feed.text.includes('11\n'));
    stop.abort();
    await running;
    const open = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    });
    assert.deepEqual(
      open.filter((path) => path.startsWith(folder)),
      [],
    );
  });

  test('a file that shrinks while it is read fails the run, and the others are delivered', async (t) => {
    const folder = await temporaryFolder(t);
    // Longer than what is read of a file at its opening.
    await writeFile(join(folder, 'a'), `${'1'.repeat(70_000)}\n`);
    await writeFile(join(folder, 'b'), 'b\n');
    const feed = new FakeFeed({ roomBytes: 4 });
    const running = (await openSource(folder, '*')).run(feed, new AbortController().signal);
    const failed = assert.rejects(running, /a shrank to 0 bytes while byte \d+ was being read/);
    await feed.until(() => feed.text.length >= 4);
    await truncate(join(folder, 'a'), 0);
    await failed;
    assert.ok(feed.text.endsWith('b\n'));
  });

  test('a file without rights fails the run, and the others are delivered', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a'), 'a\n');
    await writeFile(join(folder, 'b'), 'b\n');
    await chmod(join(folder, 'a'), 0);
    const feed = new FakeFeed();
    await withoutRights(folder, async () => {
      const running = (await openSource(folder, '*')).run(feed, new AbortController().signal);
      await assert.rejects(running, /a: permission denied/);
    });
    assert.equal(feed.text, 'b\n');
  });

  test('ends soon, without an error, when the engine stops', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a'), 'x\n'.repeat(10_000));
    const stop = new AbortController();
    const feed = new FakeFeed({ roomBytes: 2, signal: stop.signal });
    const running = (await openSource(folder, 'a')).run(feed, stop.signal);
    await feed.until(() => feed.text.length >= 100);
    stop.abort();
    await running;
    assert.ok(feed.text.length < 20_000);
    assert.equal(feed.partitions.get('a')?.ended, false);
  });
});
