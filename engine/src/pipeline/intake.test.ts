import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ReefError } from '../errors.ts';
import type { Feed } from '../spec/feed.ts';
import type { Json } from '../spec/plan.ts';
import type { Source } from '../spec/source.ts';
import { Intake, type IntakeOptions } from './intake.ts';
import { newMetrics, newSourceMetrics } from './metrics.ts';
import { SharedMemory } from './slots.ts';

function takingIn(t: TestContext, run: Source['run'], positions: Record<string, Json> = {}) {
  // No pauses.
  t.mock.method(Math, 'random', () => 0);
  const warnings: string[] = [];
  const options = {
    plan: { sources: [{ id: 'in', codec: { name: 'json' } }] },
    memory: new SharedMemory({
      workers: 1,
      inputSlots: 2,
      outputSlots: 2,
      inputSlotBytes: 1024,
      outputSlotBytes: 1024,
      maxRowBytes: 4096,
    }),
    metrics: newMetrics(),
    maxRowBytes: 4096,
    log: { info: () => {}, warn: (message: string) => warnings.push(message) },
    signal: new AbortController().signal,
    suspects: [],
    positions: { in: positions },
    events: { emit: () => {}, committed: () => {} },
    hindered: () => {},
    forgotten: () => {},
    positioned: () => {},
  } as unknown as IntakeOptions;
  const intake = new Intake(options);
  intake.add({ run, close: async () => {} });
  return { intake, warnings, options };
}

const failing = (): ReefError => new ReefError('io', 'Cannot read: it is not there', { retry: true });

test('a source that fails again and again waits longer each time, and after it has run well for a while it begins anew', async (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const lasting = [0, 0, 0, 0, 59_000, 60_000, 0, 0];
  let runs = 0;
  const { intake, warnings } = takingIn(t, async () => {
    const lasts = lasting[runs++];
    if (lasts === undefined) return;
    now += lasts;
    throw failing();
  });
  await intake.run();
  assert.equal(runs, lasting.length + 1);
  const tries = warnings.map((warning) => /\(try (\d+)\)/.exec(warning)?.[1]);
  assert.deepEqual(tries, ['1', '2', '4', '1', '2']);
});

test('a source that is run again is not given the position of a partition that is over for good', async (t) => {
  const resumed: string[][] = [];
  const { intake } = takingIn(
    t,
    async (feed: Feed) => {
      resumed.push([...feed.resume.keys()]);
      if (resumed.length > 1) return;
      feed.partition('old.log', { offset: 7 }).forget!();
      intake.positionsNow();
      throw failing();
    },
    { 'old.log': 7, 'other.log': 1 },
  );
  await intake.run();
  assert.deepEqual(resumed, [['old.log', 'other.log'], ['other.log']]);
});

test('of a partition that has ended and is committed only its position is left, before any checkpoint', async (t) => {
  let most = 0;
  const { intake, options } = takingIn(t, async (feed: Feed) => {
    for (let n = 0; n < 1000; n++) {
      const partition = feed.partition(`file-${n}`, { position: (offset) => ({ offset }) });
      const room = await partition.room();
      partition.advance(Buffer.from('{}\n').copy(room));
      await partition.end();
      most = Math.max(most, [...intake.partitions].length);
    }
  });
  options.metrics.sources.set('in', newSourceMetrics());
  const compute: IntakeOptions['submit'] = (job) => job.computed(job.ranges[0]!.to);
  Object.assign(options, { submit: compute, computed: () => {} });
  await intake.run();
  assert.ok(most <= 1, `${most} partitions are kept`);
  const { in: positions } = intake.positionsNow();
  assert.equal(Object.keys(positions!).length, 1000);
  assert.deepEqual(positions!['file-999'], { offset: 3 });
});

test('a partition that ends and is forgotten afterwards leaves no position, whether it is let go of before or not', async (t) => {
  for (const late of [false, true]) {
    let compute = (): void => {};
    const { intake, options } = takingIn(
      t,
      async (feed: Feed) => {
        const partition = feed.partition('gone.log', { offset: 3 });
        const room = await partition.room();
        partition.advance(Buffer.from('{}\n').copy(room));
        await partition.end();
        if (!late) compute();
        partition.forget!();
        if (late) compute();
      },
      { 'gone.log': 3 },
    );
    options.metrics.sources.set('in', newSourceMetrics());
    const submit: IntakeOptions['submit'] = (job) => {
      compute = () => job.computed(job.ranges[0]!.to);
    };
    Object.assign(options, { submit, computed: () => {} });
    await intake.run();
    assert.deepEqual(intake.positionsNow(), {});
    assert.equal([...intake.partitions].length, 0);
  }
});

test('a partition may have any name', (t) => {
  const { intake } = takingIn(t, async () => {}, JSON.parse('{"__proto__":1,"constructor":2}'));
  assert.deepEqual(Object.entries(intake.positionsNow().in!), [
    ['__proto__', 1],
    ['constructor', 2],
  ]);
});
