import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newMetrics } from '../pipeline/metrics.ts';
import type { RunningPunchline } from '../pipeline/running.ts';
import { exposition } from './exposition.ts';
import { quantile } from './snapshot.ts';

test('label values are escaped as the format wants it', () => {
  const metrics = newMetrics();
  metrics.rejectedBy.set('a\\"b"\nc', 7);
  const use = { used: 0, size: 0, waiting: 0 };
  const gauges = { workers: 1, queuedBatches: 0, inputSlots: use, outputSlots: use };
  const running = { metrics, gauges, phase: 'running' } as unknown as RunningPunchline;
  const text = exposition([{ name: 'p', running }], { version: '1', energy: undefined });
  assert.ok(text.includes('\nreef_rejected_rows_total{punchline="p",node="a\\\\\\"b\\"\\nc"} 7\n'), text);
  assert.ok(!text.includes('joules'), 'what cannot be known is not said');
});

test('a quantile is the bound of the bucket that it lies in', () => {
  const counts = [0, 50, 0, 49, 1];
  assert.equal(quantile(counts, 0.5), 0.0025);
  assert.equal(quantile(counts, 0.99), 0.01);
  assert.equal(quantile(counts, 1), 0.025);
  assert.equal(quantile([0, 0], 0.5), undefined);
});
