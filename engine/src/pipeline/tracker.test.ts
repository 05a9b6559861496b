import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type TrackedBatch, Tracker } from './tracker.ts';

function tracked(count: number): { batches: TrackedBatch[]; commits: number[]; tracker: Tracker<TrackedBatch> } {
  const commits: number[] = [];
  const tracker = new Tracker<TrackedBatch>(0, (_, offset) => commits.push(offset));
  const batches = Array.from({ length: count }, (_, index) => ({ end: (index + 1) * 10, pending: 1 }));
  for (const batch of batches) tracker.add(batch);
  return { batches, commits, tracker };
}

test('a batch that is done before an earlier one is committed with it, not before it', () => {
  const { batches, commits, tracker } = tracked(3);
  tracker.confirm(batches[1]!);
  tracker.confirm(batches[2]!);
  assert.equal(tracker.committed, 0);
  tracker.confirm(batches[0]!);
  assert.deepEqual(commits, [30]);
  assert.equal(tracker.open, 0);
});

test('a batch waits for every one of its sinks', () => {
  const { batches, commits, tracker } = tracked(1);
  batches[0]!.pending = 3;
  tracker.confirm(batches[0]!);
  tracker.confirm(batches[0]!);
  assert.deepEqual(commits, []);
  tracker.confirm(batches[0]!);
  assert.deepEqual(commits, [10]);
});

test('a confirmation too many is a bug and says so', () => {
  const { batches, tracker } = tracked(1);
  tracker.confirm(batches[0]!);
  assert.throws(() => tracker.confirm(batches[0]!), RangeError);
});

test('whatever the order of confirmations, nothing unconfirmed lies before the committed offset', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 30 }),
      fc.infiniteStream(fc.nat()),
      (sinks, picks) => {
        const { batches, commits, tracker } = tracked(sinks.length);
        batches.forEach((batch, index) => {
          batch.pending = sinks[index]!;
        });
        const missing = sinks.flatMap((count, index) => new Array<number>(count).fill(index));
        while (missing.length > 0) {
          const [index] = missing.splice(picks.next().value! % missing.length, 1);
          tracker.confirm(batches[index!]!);
          const unconfirmed = missing.length === 0 ? sinks.length : Math.min(...missing);
          assert.equal(tracker.committed, unconfirmed * 10);
        }
        assert.deepEqual(
          commits,
          [...commits].sort((a, b) => a - b),
        );
        assert.equal(tracker.open, 0);
      },
    ),
  );
});
