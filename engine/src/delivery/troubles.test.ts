import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestLog } from '../connectors/testing/test-context.ts';
import { Troubles } from './troubles.ts';

test('a failure is told, then every doubling, then that it is over', () => {
  const log = new TestLog();
  const troubles = new Troubles('out', log, () => 0);
  for (let n = 0; n < 100; n++) troubles.failed('Cannot send');
  troubles.worked();
  troubles.worked();
  assert.deepEqual(
    log.warnings,
    [1, 2, 4, 8, 16, 32, 64].map((n) => `Cannot send; trying again until it works (try ${n})`),
  );
  assert.deepEqual(log.infos, ['sink "out" takes rows again after 100 failed tries']);
  assert.equal(troubles.retries, 100);
});

test('a server that refuses now and then is told of once in a while, not each time', () => {
  const log = new TestLog();
  let now = 0;
  const troubles = new Troubles('out', log, () => now);
  for (; now < 60_000; now += 100) {
    troubles.failed('Cannot send');
    troubles.worked();
  }
  assert.equal(log.warnings.length, 6);
  assert.equal(log.infos.length, 6);
});
