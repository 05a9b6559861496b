import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recent } from './recent.ts';

test('an answer is taken again for ten times as long as it took, then found anew', async (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  let found = 0;
  const recent = new Recent(async () => {
    now += 5;
    return ++found;
  });
  assert.deepEqual(await Promise.all([recent.get(), recent.get()]), [1, 1]);
  now = 54;
  assert.equal(await recent.get(), 1);
  now = 55;
  assert.equal(await recent.get(), 2);
});

test('a failure is an answer like any other', async (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  let tries = 0;
  const recent = new Recent(async () => {
    now += 1;
    if (++tries === 1) throw new Error('not yet');
    return tries;
  });
  await assert.rejects(recent.get(), { message: 'not yet' });
  now = 100;
  assert.equal(await recent.get(), 2);
});
