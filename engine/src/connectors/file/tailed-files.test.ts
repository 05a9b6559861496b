import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { appendFile, copyFile, mkdir, open, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Position } from '../../spec/feed.ts';
import { FakeFeed } from '../testing/fake-feed.ts';
import { TestLog, temporaryFolder } from '../testing/test-context.ts';
import { TailedFiles } from './tailed-files.ts';

interface Given {
  readonly path: string;
  readonly from?: 'beginning' | 'end';
  readonly resume?: Readonly<Record<string, Position>>;
  readonly roomBytes?: number;
  /** Seconds after which a file that has left counts as silent; also the poll. */
  readonly interval_s?: number;
  readonly mostOpen?: number;
}

interface Tail {
  readonly feed: FakeFeed;
  readonly log: TestLog;
  /** Waits until exactly this has been fed, in any order of files but in order within each. */
  fed(...rows: string[]): Promise<void>;
  stop(): Promise<void>;
}

function follow(t: TestContext, folder: string, given: Given): Tail {
  const stop = new AbortController();
  const log = new TestLog();
  const feed = new FakeFeed({
    signal: stop.signal,
    ...(given.resume ? { resume: given.resume } : {}),
    ...(given.roomBytes ? { roomBytes: given.roomBytes } : {}),
  });
  const { path, from = 'beginning', interval_s = 0.05, mostOpen = 256 } = given;
  const source = new TailedFiles({
    id: 'in',
    folder,
    log,
    path: join(folder, path),
    from,
    intervalMs: interval_s * 1000,
    mostOpen,
  });
  const running = source.run(feed, stop.signal);
  let stopped: Promise<void> | undefined;
  const end = (): Promise<void> => {
    stopped ??= (async () => {
      stop.abort();
      await running;
      await source.close();
    })();
    return stopped;
  };
  t.after(end);
  const rows = (): string[] => feed.text.split('\n').filter((row) => row !== '');
  return {
    feed,
    log,
    stop: end,
    async fed(...expected) {
      await feed.until(() => rows().length >= expected.length);
      assert.deepEqual(rows().sort(), [...expected].sort());
    },
  };
}

/** The positions of a feed by the path where each file was first seen. */
function names(feed: FakeFeed): string[] {
  return [...feed.partitions.values()].filter(({ forgotten }) => !forgotten).map(({ name }) => name.replace(/@[0-9a-f]{8}/, '@'));
}

const long = (text: string): string => text.padEnd(1100, text);

describe('file source, tail', { timeout: 60_000 }, () => {
  test('reads what is there, then what is added, and flushes when it has caught up', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a.log'), '1\n2\n');
    const tail = follow(t, folder, { path: 'a.log' });
    await tail.fed('1', '2');
    await appendFile(join(folder, 'a.log'), '3\n');
    await tail.fed('1', '2', '3');
    assert.deepEqual(names(tail.feed), ['a.log@']);
    assert.equal([...tail.feed.partitions.values()][0]?.flushes, 2);
  });

  test('a row waits for its newline, however it is cut and whatever the size of the rooms', async (t) => {
    for (const roomBytes of [4, 65536]) {
      const folder = await temporaryFolder(t);
      const path = join(folder, 'a.log');
      await writeFile(path, '1\n22');
      const tail = follow(t, folder, { path: 'a.log', roomBytes });
      await tail.fed('1');
      await appendFile(path, '22');
      await writeFile(join(folder, 'other'), '');
      await appendFile(path, '22\n3\n');
      await tail.fed('1', '222222', '3');
    }
  });

  test('a listed file that cannot be looked at is told of, once, and the others are followed', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(Buffer.concat([Buffer.from(`${folder}/n`), Buffer.of(0xff), Buffer.from('.log')]), 'lost\n');
    await symlink('circle.log', join(folder, 'circle.log'));
    await symlink('not-yet', join(folder, 'later.log'));
    await writeFile(join(folder, 'a.log'), '1\n');
    const tail = follow(t, folder, { path: '*.log', interval_s: 0.02 });
    await tail.fed('1');
    await writeFile(join(folder, 'not-yet'), '2\n');
    await tail.fed('1', '2');
    assert.deepEqual(tail.log.warnings.toSorted(), [
      `Cannot read file source "in": ${folder}/circle.log: too many symbolic links lead to it, expected a file`,
      `Cannot read file source "in": ${folder}/n\ufffd.log: nothing has this name, perhaps because it is not valid UTF-8, expected a file with a name in UTF-8`,
    ]);
  });

  test('waits for a file and a folder that are not there yet', async (t) => {
    const folder = await temporaryFolder(t);
    const tail = follow(t, folder, { path: 'logs/*.log' });
    await mkdir(join(folder, 'logs'));
    await writeFile(join(folder, 'logs/a.log'), '1\n');
    await tail.fed('1');
    await writeFile(join(folder, 'logs/b.log'), '2\n');
    await writeFile(join(folder, 'logs/c.txt'), 'no\n');
    await appendFile(join(folder, 'logs/b.log'), '3\n');
    await tail.fed('1', '2', '3');
  });

  test('from the end: leaves out the complete rows of files that are there, not of files that come', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a.log'), 'old\nhal');
    const tail = follow(t, folder, { path: '*.log', from: 'end' });
    await tail.feed.until(() => tail.feed.partitions.size === 1);
    await writeFile(join(folder, 'b.log'), 'new\n');
    await appendFile(join(folder, 'a.log'), 'f\n');
    await tail.fed('half', 'new');
    await tail.stop();
    // A file that came while Reef was away is new as well.
    await writeFile(join(folder, 'c.log'), 'late\n');
    const again = follow(t, folder, { path: '*.log', from: 'end', resume: tail.feed.positions() });
    await again.fed('late');
  });

  test('from the end: the position of a file without new rows is known to the next start', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a.log'), 'old\n');
    const tail = follow(t, folder, { path: '*.log', from: 'end' });
    await tail.feed.until(() => tail.feed.partitions.size === 1);
    await tail.stop();
    await appendFile(join(folder, 'a.log'), 'new\n');
    await follow(t, folder, { path: '*.log', from: 'end', resume: tail.feed.positions() }).fed('new');
  });

  test('rotation by renaming: the old file is read to its end before the new one, also what is written late', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'a.log');
    await writeFile(path, '1\n');
    const tail = follow(t, folder, { path: 'a.log', interval_s: 0.3 });
    await tail.fed('1');
    await using writer = await open(path, 'a');
    await rename(path, join(folder, 'a.log.1'));
    await writer.write('2\n');
    await writeFile(path, '3\n');
    await tail.fed('1', '2', '3');
    assert.equal(tail.feed.text, '1\n2\n3\n');
    await writer.write('4\n');
    await appendFile(path, '5\n');
    await tail.fed('1', '2', '3', '4', '5');
    // When it has been silent for the interval it is let go.
    await tail.feed.until(() => names(tail.feed).length === 1 && [...tail.feed.partitions.values()][0]!.forgotten);
    assert.equal(tail.feed.partitions.size, 2);
  });

  test('the unfinished last row of a file that is rotated away counts, when it has been silent', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'a.log');
    await writeFile(path, '1\nlast');
    const tail = follow(t, folder, { path: 'a.log' });
    await tail.fed('1');
    await rename(path, join(folder, 'old'));
    await writeFile(path, '2\n');
    await tail.feed.until(() => tail.feed.text.includes('last'));
    const [first] = tail.feed.partitions.values();
    assert.equal(first?.text, '1\nlast');
    await tail.feed.until(() => first?.ended === true && first.forgotten);
  });

  test('rotated files that the glob matches are not read twice, in one run and over restarts', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'a.log');
    const rotate = async (row: string): Promise<void> => {
      for (const n of [2, 1]) await rename(join(folder, `a.log.${n}`), join(folder, `a.log.${n + 1}`)).catch(() => {});
      await rename(path, join(folder, 'a.log.1'));
      await writeFile(path, row);
    };
    await writeFile(path, 'one\n');
    const tail = follow(t, folder, { path: 'a.log*' });
    await tail.fed('one');
    await rotate('two\n');
    await tail.fed('one', 'two');
    await rotate('three\n');
    await tail.fed('one', 'two', 'three');
    await tail.stop();
    await rotate('four\n');
    const again = follow(t, folder, { path: 'a.log*', resume: tail.feed.positions() });
    await again.fed('four');
    await appendFile(path, 'five\n');
    await again.fed('four', 'five');
  });

  test('a rotated file that is compressed is no rows, is told of once, and is let go when it is deleted', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a.log'), '1\n');
    const tail = follow(t, folder, { path: 'a.log*' });
    await tail.fed('1');
    await writeFile(join(folder, 'a.log.1.gz'), gzipSync(Array.from({ length: 3000 }, (_, n) => `${n * n}\n`).join('')));
    await appendFile(join(folder, 'a.log'), '2\n');
    await tail.fed('1', '2');
    // It feeds nothing, so nothing but the log tells that it was seen.
    while (tail.log.warnings.length === 0) await setImmediate();
    await rm(join(folder, 'a.log.1.gz'));
    await tail.feed.until(() =>
      [...tail.feed.partitions.values()].some(({ name, forgotten }) => forgotten && name.includes('.gz')),
    );
    await appendFile(join(folder, 'a.log'), '3\n');
    await tail.fed('1', '2', '3');
    assert.equal(tail.log.warnings.length, 1);
    assert.match(tail.log.warnings[0]!, /a\.log\.1\.gz is not followed: it is compressed with gzip, expected rows/);
  });

  test('a compressed file that is overwritten with rows is one of rows', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'a.log');
    await writeFile(path, gzipSync('1\n'));
    const tail = follow(t, folder, { path: 'a.log' });
    while (tail.log.warnings.length === 0) await setImmediate();
    await writeFile(path, '\ufeff2\n');
    await tail.fed('2');
  });

  test('truncation: begins at the start of the same file, under another name of the partition', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'a.log');
    await writeFile(path, 'a long first row\n');
    const tail = follow(t, folder, { path: 'a.log' });
    await tail.fed('a long first row');
    await truncate(path, 0);
    await appendFile(path, 'x\n');
    await tail.fed('a long first row', 'x');
    assert.match(tail.log.infos.join(), /was truncated: it is read from its start/);
    assert.deepEqual(names(tail.feed), ['a.log@.1']);
    await tail.stop();
    await appendFile(path, 'y\n');
    const again = follow(t, folder, { path: 'a.log', resume: tail.feed.positions() });
    await again.fed('y');
    assert.deepEqual(names(again.feed), ['a.log@.1']);
  });

  test('a file that was truncated and has grown beyond where it was is known by its first bytes', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'a.log');
    await writeFile(path, 'first\n');
    const tail = follow(t, folder, { path: 'a.log' });
    await tail.fed('first');
    await tail.stop();
    await writeFile(path, 'other and longer\n');
    await follow(t, folder, { path: 'a.log', resume: tail.feed.positions() }).fed('other and longer');
  });

  test('copy and truncate: the copy gives the rows that were not read, and no others', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'a.log');
    await writeFile(path, `${long('first')}\n`);
    const tail = follow(t, folder, { path: 'a.log*', interval_s: 0.4 });
    await tail.fed(long('first'));
    await copyFile(path, join(folder, 'a.log.1'));
    await appendFile(join(folder, 'a.log.1'), 'unread\n');
    await truncate(path, 0);
    await appendFile(path, 'second\n');
    await tail.fed(long('first'), 'unread', 'second');
    assert.match(tail.log.infos.join(), /a\.log\.1 is a copy of .*read from byte 1101/);
  });

  test('copy and truncate while Reef is away: the copy gives the rows that were not read, and no others', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'a.log');
    await writeFile(path, `${long('first')}\n`);
    const tail = follow(t, folder, { path: 'a.log*' });
    await tail.fed(long('first'));
    await tail.stop();
    await appendFile(path, 'unread\n');
    await copyFile(path, join(folder, 'a.log.1'));
    await writeFile(path, 'second\n');
    await follow(t, folder, { path: 'a.log*', interval_s: 0.4, resume: tail.feed.positions() }).fed('unread', 'second');
  });

  test('a file that only begins like another is read all the same, a little later', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a.log'), `${long('same')}\n`);
    const tail = follow(t, folder, { path: '*.log' });
    await tail.fed(long('same'));
    await writeFile(join(folder, 'b.log'), `${long('same')}\nmore\n`);
    await tail.fed(long('same'), long('same'), 'more');
  });

  test('deletion: what is unread is read from the open file, then it is forgotten', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'a.log');
    await writeFile(path, '1\n');
    const tail = follow(t, folder, { path: '*.log' });
    await tail.fed('1');
    await using writer = await open(path, 'a');
    await rm(path);
    await writer.write('2\n');
    await tail.feed.until(() => [...tail.feed.partitions.values()][0]?.forgotten === true);
    assert.equal(tail.feed.text, '1\n2\n');
    assert.deepEqual(tail.feed.positions(), {});
    await writeFile(path, '3\n');
    await tail.fed('1', '2', '3');
  });

  test('a restart in the middle of a rotation finds the old file by its inode, though the glob does not match it', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'a.log');
    await writeFile(path, '1\n');
    const tail = follow(t, folder, { path: 'a.log' });
    await tail.fed('1');
    await tail.stop();
    await appendFile(path, '2\n');
    await rename(path, join(folder, 'moved'));
    await writeFile(path, '3\n');
    const again = follow(t, folder, { path: 'a.log', resume: tail.feed.positions() });
    await again.fed('2', '3');
    assert.equal(again.feed.text, '2\n3\n');
    assert.deepEqual([...again.feed.partitions.keys()][0], [...tail.feed.partitions.keys()][0]);
  });

  test('a file that is gone at a restart is told of and forgotten', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'a.log'), '1\n');
    await writeFile(join(folder, 'b.log'), '2\n');
    const tail = follow(t, folder, { path: '*.log' });
    await tail.fed('1', '2');
    await tail.stop();
    await rm(join(folder, 'a.log'));
    const again = follow(t, folder, { path: '*.log', resume: tail.feed.positions() });
    await again.feed.until(() => [...again.feed.partitions.values()].some(({ forgotten }) => forgotten));
    assert.match(again.log.warnings.join(), /a\.log, of which the last run delivered 2 bytes, is gone/);
    assert.equal(again.feed.text, '');
  });

  test('goes on exactly behind what was delivered', async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'a.log');
    await writeFile(path, '1\n2\n3\n');
    const tail = follow(t, folder, { path: 'a.log' });
    await tail.fed('1', '2', '3');
    await tail.stop();
    const [partition] = tail.feed.partitions.values();
    const resume = { [partition!.name]: partition!.positionAt(2) };
    const again = follow(t, folder, { path: 'a.log', resume });
    await again.fed('2', '3');
    assert.equal((again.feed.positions()[partition!.name] as { offset: number }).offset, 6);
    assert.equal((again.feed.positions()[partition!.name] as { ino: string }).ino, String((await stat(path)).ino));
  });

  test('follows more files than it keeps open', async (t) => {
    const folder = await temporaryFolder(t);
    const files = Array.from({ length: 40 }, (_, n) => `${n}`.padStart(2, '0'));
    for (const name of files) await writeFile(join(folder, `${name}.log`), `${name} first\n`);
    const openNow = (): number => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0);
    const before = openNow();
    const tail = follow(t, folder, { path: '*.log', mostOpen: 5 });
    let most = 0;
    const partition = tail.feed.partition.bind(tail.feed);
    tail.feed.partition = (...given) => {
      most = Math.max(most, openNow());
      return partition(...given);
    };
    const first = files.map((name) => `${name} first`);
    await tail.fed(...first);
    for (const name of files) await appendFile(join(folder, `${name}.log`), `${name} second\n`);
    await tail.fed(...first, ...files.map((name) => `${name} second`));
    most = Math.max(most, openNow());
    assert.ok(most <= before + 15, `${most - before} files are open`);
    // Renamed while it is closed: found by its inode.
    await appendFile(join(folder, '00.log'), '00 third\n');
    await rename(join(folder, '00.log'), join(folder, '00.gone'));
    await tail.feed.until(() => tail.feed.text.includes('00 third'));
  });

  test('a file that cannot be read does not hold up the others', async (t) => {
    const folder = await temporaryFolder(t);
    await mkdir(join(folder, 'folder.log'));
    await writeFile(join(folder, 'a.log'), '1\n');
    const tail = follow(t, folder, { path: '*.log' });
    await tail.fed('1');
    await rm(join(folder, 'a.log'));
    await mkdir(join(folder, 'a.log'));
    await writeFile(join(folder, 'b.log'), '2\n');
    await tail.fed('1', '2');
  });

  test('stops while there is nothing to read', async (t) => {
    const folder = await temporaryFolder(t);
    const tail = follow(t, folder, { path: '*.log', interval_s: 1000 });
    await tail.stop();
    assert.equal(tail.feed.partitions.size, 0);
  });

  for (const path of ['a.log', 'a.log*']) {
    test(`every row once, in order, over random writes, rotations and restarts (${path})`, async (t) => {
      const folder = await temporaryFolder(t);
      const random = seeded(path.length);
      const seen: string[] = [];
      let resume: Readonly<Record<string, Position>> = {};
      let rows = 0;
      await writeFile(join(folder, 'a.log'), '');
      for (let run = 0; run < 12; run++) {
        const tail = follow(t, folder, { path, resume, roomBytes: 64, interval_s: 0.02 });
        for (let step = 0; step < 8; step++) {
          const count = Math.floor(random() * 20);
          const text = Array.from({ length: count }, () => `${rows++}\n`).join('');
          const cut = Math.floor(random() * text.length);
          await appendFile(join(folder, 'a.log'), text.slice(0, cut));
          await appendFile(join(folder, 'a.log'), text.slice(cut));
          if (random() < 0.3) {
            // A file that is renamed before it was ever seen can only be found where the glob matches its new name.
            await appendFile(join(folder, 'a.log'), `${rows++}\n`);
            if (path === 'a.log') await tail.feed.until(() => lines(tail.feed).length + seen.length >= rows);
            await appendFile(join(folder, 'a.log'), `${rows++}\n`);
            await rotate(folder, 30);
          }
          if (random() < 0.5) await tail.feed.until(() => lines(tail.feed).length + seen.length >= rows);
        }
        await tail.stop();
        seen.push(...lines(tail.feed));
        resume = tail.feed.positions();
      }
      const last = follow(t, folder, { path, resume });
      await last.feed.until(() => lines(last.feed).length + seen.length >= rows);
      seen.push(...lines(last.feed));
      assert.deepEqual(
        seen.map(Number).sort((one, other) => one - other),
        Array.from({ length: rows }, (_, n) => n),
      );
    });
  }
});

function lines(feed: FakeFeed): string[] {
  return feed.text.split('\n').filter((row) => row !== '');
}

async function rotate(folder: string, most: number): Promise<void> {
  for (let n = most; n > 0; n--) {
    await rename(join(folder, `a.log.${n}`), join(folder, `a.log.${n + 1}`)).catch(() => {});
  }
  await rename(join(folder, 'a.log'), join(folder, 'a.log.1'));
  await writeFile(join(folder, 'a.log'), '');
}

/** The same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
