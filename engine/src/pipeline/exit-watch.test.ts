import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExitConditions, Punchline } from '../spec/plan.ts';
import { ExitWatch } from './exit-watch.ts';
import { newMetrics } from './metrics.ts';

function watch(conditions: Readonly<Record<string, ExitConditions>>, whole?: ExitConditions) {
  const kinds = { in: 'source', f: 'function', out: 'sink' } as const;
  const nodes = Object.entries(kinds).map(([id, kind]) => ({ id, kind, ...(conditions[id] ? { exit: conditions[id] } : {}) }));
  const punchline = { nodes, ...(whole ? { exit: whole } : {}) } as unknown as Punchline;
  const metrics = newMetrics();
  metrics.sinks.set('out', { reached: 0, delivered: 0 } as never);
  const exit = new ExitWatch(punchline);
  let ends = 0;
  exit.start(metrics, () => ends++);
  return { exit, metrics, ended: () => ends > 0 };
}

test('nothing is watched where there are no conditions', () => {
  assert.equal(watch({}).exit.needed, false);
  assert.equal(watch({ in: {} }).exit.needed, true);
});

test('a source has as many acknowledged rows as were delivered and not rejected', () => {
  const { exit, ended } = watch({ in: { success: { rows: 3 } } });
  exit.settled('in', 3, 1);
  assert.equal(ended(), false);
  exit.settled('other', 5, 0);
  assert.equal(ended(), false);
  exit.settled('in', 1, 0);
  assert.equal(ended(), true);
  assert.match(exit.success!, /^node "in": 3 rows are delivered/);
  assert.equal(exit.failure, undefined);
});

test('the whole punchline counts the rows of all sources, and all rejections', () => {
  const { exit, metrics, ended } = watch({}, { success: { rows: 4 }, failure: { rows: 2 } });
  exit.settled('a', 2, 0);
  exit.settled('b', 1, 0);
  assert.equal(ended(), false);
  metrics.rejected = 2;
  exit.check();
  assert.match(exit.failure!.message, /the punchline: 2 rows were rejected \(failure\.fails_greater_or_equal_to: 2\)/);
  exit.settled('b', 1, 0);
  assert.match(exit.success!, /^the punchline: 4 rows/);
});

test('a function counts rows that it took without rejecting them, a sink those that it has', () => {
  const { exit, metrics, ended } = watch({ f: { success: { rows: 2 }, failure: { rows: 5 } }, out: { success: { rows: 10 } } });
  metrics.functions.set('f', { entered: 5, left: 5, cpuSeconds: 0 });
  metrics.rejectedBy.set('f', 4);
  exit.check();
  assert.equal(ended(), false);
  metrics.sinks.get('out')!.delivered = 10;
  exit.check();
  assert.match(exit.success!, /^node "out"/);
  metrics.rejectedBy.set('f', 5);
  exit.check();
  assert.match(exit.failure!.message, /node "f": 5 rows were rejected/);
});

test('time ends a run as well, and no longer once it has ended', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const first = watch({ in: { success: { secs: 2 } } });
  t.mock.timers.tick(1999);
  assert.equal(first.ended(), false);
  t.mock.timers.tick(1);
  assert.match(first.exit.success!, /node "in": 2 s are over/);
  const second = watch({}, { failure: { secs: 1 } });
  second.exit.close();
  t.mock.timers.tick(5000);
  assert.equal(second.ended(), false);
});
