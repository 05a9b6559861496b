import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { endThread } from './end-threads.ts';

test('a thread that loops is ended, and again when it has ended already', async () => {
  const worker = new Worker('for (;;);', { eval: true });
  assert.equal(await endThread(worker), true);
  assert.equal(await endThread(worker), true);
});

test('a thread that cannot be ended is told after two seconds', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const never = new Promise<number>(() => {});
  let told: boolean | undefined;
  const ended = endThread({ terminate: () => never } as Worker).then((result) => {
    told = result;
  });
  t.mock.timers.tick(1900);
  await Promise.resolve();
  assert.equal(told, undefined);
  t.mock.timers.tick(100);
  await ended;
  assert.equal(told, false);
});
