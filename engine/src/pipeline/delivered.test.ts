/** When sources hear that their rows are safe: never before the checkpoint that says so, and with everything it covers. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { loadKernelModule } from '../batch/kernel-module.ts';
import type { Feed, PartitionFeed } from '../spec/feed.ts';
import type { Json, Punchline } from '../spec/plan.ts';
import type { Sink } from '../spec/sink.ts';
import type { Source } from '../spec/source.ts';
import { defaultTuning, type PipelineState } from './options.ts';
import { Pipeline } from './pipeline.ts';
import type { SpecifiedNode } from './plan-worker.ts';

interface Save {
  readonly positions: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly sync: boolean;
  finish(): void;
}

/** A pipeline from a source of the test's to a sink that takes everything; each checkpoint waits until the test lets it. */
function piped(t: TestContext, source: Partial<Source>, options: { resume?: Json; durable?: boolean } = {}) {
  const saves: Save[] = [];
  let held = true;
  let saving = Promise.withResolvers<Save>();
  let written = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<Feed>();
  const ended = Promise.withResolvers<void>();
  const state = {
    checkpoint: options.resume === undefined ? undefined : { positions: { in: { p: options.resume } }, sinks: {} },
    suspects: { list: [] },
    inFlight: undefined,
    folder: '',
    deadLetters: '',
    save: ({ positions }: Save, { sync }: { sync: boolean }) =>
      new Promise<void>((finish) => {
        const save = { positions, sync, finish };
        saves.push(save);
        saving.resolve(save);
        saving = Promise.withResolvers();
        // What stands there before the first row.
        if (held === false || (saves.length === 1 && options.resume === undefined)) finish();
      }),
  } as unknown as PipelineState;
  const sink: Sink = {
    write: async () => {
      setImmediate(() => {
        written.resolve();
        written = Promise.withResolvers();
      });
      return undefined;
    },
    close: async () => {},
  };
  const running: Source = {
    run: async (feed) => {
      opened.resolve(feed);
      await ended.promise;
    },
    close: async () => {},
    ...source,
  };
  const location = { file: '', line: 1, column: 1 };
  const nodes: Punchline['nodes'] = [
    { id: 'in', kind: 'source', type: 'x', settings: {}, codec: { name: 'json' }, out: [{ to: 'out' }], location },
    { id: 'out', kind: 'sink', type: 'x', settings: {}, codec: { name: 'json' }, out: [], location },
  ];
  const common = { summary: '', settings: {}, examples: [], delivery: '', codecs: ['json'] };
  const specs = new Map([
    ['in', { node: nodes[0], spec: { ...common, kind: 'source', open: () => running } }],
    ['out', { node: nodes[1], spec: { ...common, kind: 'sink', open: () => sink } }],
  ]) as unknown as Map<string, SpecifiedNode>;
  const punchline: Punchline = { kind: 'BatchPunchline', name: 'test', annotations: {}, file: '-', folder: '.', nodes };
  const pipeline = new Pipeline(punchline, specs, state, {
    ...defaultTuning,
    checkpointMs: 1,
    kernel: loadKernelModule(),
    workers: 1,
    log: { info: () => {}, warn: () => {} },
    tracking: true,
    durable: options.durable ?? true,
    openSinks: { node: async () => sink, deadLetters: async () => sink },
    unkillable: () => {},
  });
  t.after(() => pipeline.close('stopped'));
  return {
    pipeline,
    saves,
    feed: opened.promise,
    nextSave: () => saving.promise,
    nextWrite: () => written.promise,
    /** The source ends, and no checkpoint has to wait any more. */
    end: () => {
      held = false;
      saves.at(-1)!.finish();
      ended.resolve();
    },
  };
}

async function feedRow(partition: PartitionFeed, row: string): Promise<void> {
  const room = await partition.room();
  partition.advance(new TextEncoder().encodeInto(`${row}\n`, room).written, { flush: true });
}

function positionIn(save: Save): Json | undefined {
  return save.positions.in?.p;
}

test('delivered waits for the checkpoint that covers the rows, not for one that was being written', async (t) => {
  const { pipeline, feed, nextSave, nextWrite, end } = piped(t, {});
  await pipeline.open();
  const run = pipeline.run();
  const partition = (await feed).partition('p');
  const first = nextSave();
  await feedRow(partition, '{"n":1}');
  const early = await first;
  assert.equal(positionIn(early), 8);
  const write = nextWrite();
  await feedRow(partition, '{"n":2}');
  const order: string[] = [];
  const delivered = partition.delivered().then(() => order.push('delivered'));
  await write;
  const second = nextSave();
  early.finish();
  const late = await second;
  order.push('second checkpoint');
  assert.equal(positionIn(late), 16);
  late.finish();
  await delivered;
  assert.deepEqual(order, ['second checkpoint', 'delivered']);
  end();
  await run;
});

test('delivered does not wait for rows that are fed later', async (t) => {
  const { pipeline, feed, nextSave, end } = piped(t, {});
  await pipeline.open();
  const run = pipeline.run();
  const partition = (await feed).partition('p');
  const first = nextSave();
  await feedRow(partition, '{"n":1}');
  const delivered = partition.delivered();
  const save = await first;
  // Never settled: the next row is always on its way already.
  let going = true;
  const others = (async () => {
    while (going) await feedRow(partition, '{"n":2}');
  })();
  save.finish();
  await delivered;
  going = false;
  await others;
  end();
  await run;
});

test('delivered sends complete rows on that were fed without a flush', async (t) => {
  const { pipeline, feed, nextSave, end } = piped(t, {});
  await pipeline.open();
  const run = pipeline.run();
  const partition = (await feed).partition('p');
  const room = await partition.room();
  partition.advance(new TextEncoder().encodeInto('{"n":1}\n{"n"', room).written);
  const save = nextSave();
  const delivered = partition.delivered();
  assert.equal(positionIn(await save), 8);
  (await save).finish();
  await delivered;
  end();
  await run;
});

test('a source is told once of each position, after its checkpoint, and at first of what the last run had saved', async (t) => {
  const told: Json[] = [];
  const { pipeline, feed, nextSave, end } = piped(t, { committed: (_, position) => void told.push(position) }, { resume: 5 });
  await pipeline.open();
  const run = pipeline.run();
  const source = await feed;
  const other = source.partition('q');
  for (const [before, behind] of [
    [[], [5, 8]],
    [
      [5, 8],
      [5, 8, 16],
    ],
  ]) {
    const save = nextSave();
    await feedRow(other, '{"n":1}');
    const delivered = other.delivered();
    const { finish } = await save;
    assert.deepEqual(told, before);
    finish();
    await delivered;
    assert.deepEqual(told, behind);
  }
  end();
  await run;
});

test('what a broker is told that it may forget is safe against a loss of power, in a batch too', async (t) => {
  for (const [source, sync] of [
    [{ committed: () => {} }, true],
    [{ committed: () => {}, repeats: true }, false],
    [{}, false],
  ] as const) {
    const { pipeline, feed, nextSave, saves, end } = piped(t, source, { durable: false });
    await pipeline.open();
    const run = pipeline.run();
    const partition = (await feed).partition('p');
    const save = nextSave();
    await feedRow(partition, '{"n":1}');
    (await save).finish();
    assert.deepEqual(
      saves.slice(0, 2).map((save) => save.sync),
      [sync, sync],
    );
    end();
    await run;
  }
});
