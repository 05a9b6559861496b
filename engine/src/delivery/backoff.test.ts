import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff, backoffMs, pauseMs } from './backoff.ts';

test('pauses double up to the longest, each of random length up to its bound', () => {
  const policy = { initialMs: 100, maxMs: 1000 };
  const longest = [0, 1, 2, 3, 4, 50, 2000].map((attempt) => backoffMs(attempt, policy, () => 1));
  assert.deepEqual(longest, [100, 200, 400, 800, 1000, 1000, 1000]);
  assert.equal(
    backoffMs(3, policy, () => 0.25),
    200,
  );
  assert.equal(
    backoffMs(3, policy, () => 0),
    0,
  );
});

test('what a server asks for is waited at least, up to ten minutes, and not by all to the same moment', () => {
  const policy = { initialMs: 100, maxMs: 1000 };
  const pauses = Array.from({ length: 50 }, () => pauseMs(0, policy, 5000));
  assert.ok(pauses.every((pause) => pause >= 5000 && pause <= 5100));
  assert.ok(new Set(pauses).size > 1);
  assert.ok(pauseMs(0, policy, 86_400_000) <= 600_100);
});

test('an abort ends the waiting, with its reason', async () => {
  const stop = new AbortController();
  const waiting = backoff(0, stop.signal, { askedMs: 3_600_000 });
  stop.abort(new Error('that is all'));
  await assert.rejects(waiting, /that is all/);
});
