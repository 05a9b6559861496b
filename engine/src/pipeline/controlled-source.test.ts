import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Feed, PartitionFeed, PartitionOptions } from '../spec/feed.ts';
import type { Source } from '../spec/source.ts';
import { controlled, type SourceWatch } from './controlled-source.ts';
import { LateRows } from './late-rows.ts';
import { Pace } from './pace.ts';

/** A source of one partition that feeds `total` bytes in rows of 10, into a pipeline that delivers what it is told to. */
function fakeRun(watch: SourceWatch, total: number, given: PartitionOptions = {}, busy = false) {
  let options: PartitionOptions = {};
  let fed = 0;
  let settled = 0;
  const advances: { length: number; flush: boolean | undefined }[] = [];
  const partition = {
    room: async () => new Uint8Array(1000),
    advance(length: number, how?: { flush?: boolean }) {
      fed += length;
      advances.push({ length, flush: how?.flush });
    },
    end: async () => {},
    delivered: async () => {},
    busy: () => busy,
  } as PartitionFeed;
  const feed: Feed = {
    resume: new Map(),
    maxRowBytes: 1000,
    partition(_, opened = {}) {
      options = opened;
      return partition;
    },
  };
  class Rows implements Source {
    readonly #total = total;
    async run(to: Feed, signal: AbortSignal): Promise<void> {
      const rows = to.partition('p', given);
      for (let left = this.#total; left > 0 && !signal.aborted; ) {
        const room = await rows.room();
        const length = Math.min(room.length, left);
        rows.advance(length);
        left -= length;
      }
    }
    totalBytes(): number {
      return this.#total;
    }
    async close(): Promise<void> {}
  }
  const deliver = (rejected = 0): void => {
    const rows = Math.floor(fed / 10) - Math.floor(settled / 10);
    settled = Math.floor(fed / 10) * 10;
    const stretch = { end: settled, marks: [], rows: [rows], rejected: [rejected] };
    if (rows === 0) return;
    options.reached?.(stretch);
    options.settled?.(stretch);
  };
  return { source: controlled(new Rows(), watch), feed, advances, deliver, fed: () => fed };
}

test('what a source has beside is still there, with its private parts', () => {
  const { source } = fakeRun({}, 70);
  assert.equal(source.totalBytes?.(), 70);
  assert.equal(source.committed, undefined);
});

test('delivered and rejected rows are counted, and the source hears of them too', async () => {
  const heard: number[] = [];
  const told: number[][] = [];
  const watch = { settled: (rows: number, rejected: number) => told.push([rows, rejected]) };
  const { source, feed, deliver } = fakeRun(watch, 50, { settled: ({ end }) => heard.push(end) });
  await source.run(feed, new AbortController().signal);
  deliver(2);
  assert.deepEqual(told, [[5, 2]]);
  assert.deepEqual(heard, [50]);
});

/** Time that passes only when the test says so; whoever waits is let run in between. */
function fakeClock(t: TestContext): (ms: number) => Promise<void> {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  return async (ms) => {
    for (let passed = 0; passed < ms; passed++) {
      now++;
      t.mock.timers.tick(1);
      await new Promise(setImmediate);
    }
  };
}

test('a source with a pace feeds what is due, however much room there is', async (t) => {
  const pass = fakeClock(t);
  const { source, feed, advances, deliver, fed } = fakeRun({ pace: new Pace({ rate: 1000, pending: Infinity }) }, 100_000);
  const stop = new AbortController();
  const run = source.run(feed, stop.signal).catch(() => {});
  for (let ms = 0; ms < 1000; ms++) {
    await pass(1);
    deliver();
  }
  stop.abort();
  await run;
  const rows = fed() / 10;
  assert.ok(rows > 800 && rows < 1200, `${rows} rows in the first second`);
  assert.ok(advances.every(({ flush }) => flush));
});

test('with a bound on rows under way a source waits until some are delivered, however long that takes', async (t) => {
  const pass = fakeClock(t);
  const { source, feed, deliver, fed } = fakeRun({ pace: new Pace({ rate: Infinity, pending: 50 }) }, 100_000, {}, true);
  const stop = new AbortController();
  const run = source.run(feed, stop.signal).catch(() => {});
  await pass(10);
  for (let round = 0; round < 20; round++) {
    const before = fed();
    deliver();
    await pass(1000);
    assert.ok(fed() > before);
    // Until rows are counted, their length is a guess.
    if (round > 0) assert.ok(fed() - before <= 50 * 10, `${fed() - before} bytes`);
  }
  stop.abort();
  await run;
});

test('a row longer than what the pace lets through at once passes all the same', async (t) => {
  const pass = fakeClock(t);
  const pace = new Pace({ rate: 1000, pending: Infinity });
  const { signal } = new AbortController();
  let fed = 0;
  const feeding = (async () => {
    while (fed < 100_000) {
      await pace.ready(signal, () => false);
      const { bytes } = pace;
      assert.ok(bytes >= 1);
      pace.fed('p', bytes);
      fed += bytes;
    }
  })();
  await pass(1000);
  await feeding;
  pace.settled('p', 1, fed);
  await pace.ready(signal, () => false);
});

test('what a partition had on the way does not count any more once it is opened again', async (t) => {
  fakeClock(t);
  const pace = new Pace({ rate: 1000, pending: Infinity });
  const { bytes } = pace;
  pace.fed('p', 10 * bytes);
  pace.opened('p');
  assert.equal(pace.bytes, bytes);
});

test('late rows are told once, and that they have come', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const tick = (ms: number): void => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  const lines: string[] = [];
  const log = { info: (text: string) => lines.push(`info ${text}`), warn: (text: string) => lines.push(`warn ${text}`) };
  const late = new LateRows('in', 10, log);
  late.fed('p', 100);
  tick(5000);
  late.fed('p', 200);
  late.settled('p', 100);
  tick(6000);
  assert.deepEqual(lines, []);
  tick(10_000);
  tick(10_000);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /^warn rows of source "in" are late: row_timeout_secs is 10/);
  late.settled('p', 200);
  assert.match(lines[1]!, /^info rows of source "in" are delivered in time again, after 26 s/);
  late.close();
});
