import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

test('so many work at once, the others in order, also when one fails', async () => {
  const turns = new Turns(2);
  const begun: number[] = [];
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<number>());
  const results = gates.map(({ promise }, n) =>
    turns.take(() => {
      begun.push(n);
      return promise;
    }),
  );
  assert.deepEqual(begun, [0, 1]);
  gates[1]!.reject(new Error('no'));
  await assert.rejects(results[1]!, /no/);
  await Promise.resolve();
  assert.deepEqual(begun, [0, 1, 2]);
  for (const [n, { resolve }] of gates.entries()) resolve(n);
  assert.deepEqual(await Promise.all([0, 2, 3, 4].map((n) => results[n]!)), [0, 2, 3, 4]);
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
});
