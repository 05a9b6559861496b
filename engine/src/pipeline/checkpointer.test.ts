import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReefError } from '../errors.ts';
import { Checkpointer } from './checkpointer.ts';
import type { PipelineState } from './options.ts';

function checkpointed(
  over: { sync?: () => Promise<void>; save?: () => Promise<void>; intervalMs?: number; durable?: boolean } = {},
) {
  const steps: string[] = [];
  let position = 0;
  const checkpointer = new Checkpointer({
    state: {
      save: async ({ positions }: { positions: { in: { p: number } } }) => {
        await over.save?.();
        steps.push(`save ${positions.in.p}`);
      },
    } as unknown as PipelineState,
    intervalMs: over.intervalMs ?? 60_000,
    durable: () => over.durable ?? true,
    log: { info: () => {}, warn: (message) => steps.push(message) },
    signal: new AbortController().signal,
    snapshot: () => {
      steps.push('snapshot');
      const saved = async (): Promise<void> => {
        steps.push('saved');
      };
      return { positions: { in: { p: position } }, sinks: {}, saved };
    },
    syncSinks: async () => {
      // What is committed while sinks sync must not slip into this checkpoint.
      position++;
      await over.sync?.();
      steps.push('sync');
    },
    failed: (error) => steps.push(`failed ${error}`),
  });
  return { checkpointer, steps };
}

test('the snapshot is taken before sinks sync, and sources hear only after it is on disk', async () => {
  const { checkpointer, steps } = checkpointed();
  checkpointer.changed();
  await checkpointer.save();
  checkpointer.stop();
  assert.deepEqual(steps, ['snapshot', 'sync', 'save 0', 'saved']);
});

test('nothing is written when nothing has changed', async () => {
  const { checkpointer, steps } = checkpointed();
  await checkpointer.save();
  assert.deepEqual(steps, []);
});

test('a state folder on a full disk is tried again, and nothing counts as saved before', async () => {
  let refusals = 1;
  const { checkpointer, steps } = checkpointed({
    save: async () => {
      if (refusals-- > 0) throw new ReefError('state', 'Cannot write checkpoint: no space left', { retry: true });
    },
  });
  checkpointer.changed();
  await checkpointer.save();
  checkpointer.stop();
  assert.deepEqual(steps, [
    'snapshot',
    'sync',
    'Cannot write checkpoint: no space left; trying again until it works (try 1)',
    'sync',
    'save 0',
    'saved',
  ]);
});

test('after a sink could not make its bytes safe nothing is saved, though it says later that it could', async () => {
  let syncs = 0;
  const sync = async (): Promise<void> => {
    if (syncs++ === 0) throw new Error('the disk is gone');
  };
  const { checkpointer, steps } = checkpointed({ sync });
  checkpointer.changed();
  await assert.rejects(checkpointer.save(), /the disk is gone/);
  // Committed meanwhile, and saved once more at the end of a run that failed.
  checkpointer.changed();
  await assert.rejects(checkpointer.save(), /the disk is gone/);
  assert.ok(!steps.some((step) => step.startsWith('save')));
  checkpointer.stop();
});

test('what is committed after the stop is not saved', async () => {
  const { checkpointer, steps } = checkpointed();
  checkpointer.stop();
  checkpointer.changed();
  await checkpointer.save();
  assert.deepEqual(steps, []);
});

test("a checkpoint whose sinks are not safe before the stop is not saved: the folder may be another process's", async () => {
  const synced = Promise.withResolvers<void>();
  const { checkpointer, steps } = checkpointed({ sync: () => synced.promise });
  checkpointer.changed();
  const saving = checkpointer.save();
  checkpointer.stop();
  synced.resolve();
  await saving;
  assert.deepEqual(steps, ['snapshot', 'sync']);
});

test('without durability a kill is survived at every checkpoint, and only the last one waits for the disk', async () => {
  const { checkpointer, steps } = checkpointed({ intervalMs: 1, durable: false });
  checkpointer.changed();
  while (!steps.includes('saved')) await new Promise(setImmediate);
  assert.deepEqual(steps, ['snapshot', 'save 0', 'saved']);
  await checkpointer.save();
  checkpointer.stop();
  assert.deepEqual(steps.slice(3), ['snapshot', 'sync', 'save 0', 'saved']);
});

test('who waits for a checkpoint while another one is saved, and a third does too, waits for what was committed last', async () => {
  const free = Promise.withResolvers<void>();
  let saves = 0;
  const { checkpointer, steps } = checkpointed({
    save: async () => void (++saves === 1 ? await free.promise : await new Promise(setImmediate)),
  });
  checkpointer.changed();
  const first = checkpointer.save();
  checkpointer.changed();
  const both = [checkpointer.save(), checkpointer.save()].map(async (saved) => {
    await saved;
    return steps.filter((step) => step === 'saved').length;
  });
  free.resolve();
  await first;
  assert.deepEqual(await Promise.all(both), [2, 2]);
  checkpointer.stop();
});

test('a checkpoint that takes long to write is written seldom', async (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { checkpointer, steps } = checkpointed({
    intervalMs: 100,
    save: async () => {
      now += 50;
    },
  });
  const saves = (): number => steps.filter((step) => step === 'saved').length;
  for (; now < 10_000; now++) {
    checkpointer.changed();
    t.mock.timers.tick(1);
    for (let i = 0; i < 12; i++) await Promise.resolve();
  }
  checkpointer.stop();
  // 50 ms of each 1050: without the bound there would be 66.
  assert.ok(saves() >= 9 && saves() <= 11, `${saves()} checkpoints`);
});
