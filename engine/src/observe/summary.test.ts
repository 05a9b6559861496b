import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newMetrics, newSinkMetrics } from '../pipeline/metrics.ts';
import { renderSummary } from './summary.ts';
import { progressLine, Terminal } from './terminal.ts';

const usage = { seconds: 2, cpuSeconds: 1, joules: 50, peakBytes: 80_000_000 };
const dead = { id: '_dead_letters', path: '/state/dead-letters.ndjson' };

test('the costs of few rows are not multiplied to a million', () => {
  const metrics = { ...newMetrics(), rowsIn: 1707, bytesIn: 310_893 };
  const lines = renderSummary('demo', 'finished', metrics, usage, dead).split('\n');
  assert.deepEqual(lines.slice(-5), [
    '  speed   854 rows/s, 155 kB/s',
    '  CPU     1 s',
    '  energy  50 J (the whole processor)',
    '  memory  80 MB at most',
    '',
  ]);
});

test('the summary says what came in, what went where, what was rejected and where that is, and the cost per million rows', () => {
  const metrics = newMetrics();
  Object.assign(metrics, { rowsIn: 2_000_000, bytesIn: 320_000_000, rejected: 3, malformed: 1, notObject: 1, filtered: 5 });
  metrics.rejectedBy.set('in', 2).set('moment', 1);
  metrics.sinks
    .set('out', { ...newSinkMetrics(), reached: 1_999_992, delivered: 1_999_992, dropped: 0 })
    .set('_dead_letters', { ...newSinkMetrics(), reached: 3, delivered: 3, dropped: 0 });
  metrics.sinks.set('copy', { ...newSinkMetrics(), reached: 30, delivered: 20, dropped: 10 });
  metrics.notices.set('', { node: 'f', what: 'integers beyond 32 bits in column "a"', rows: 1234 });
  assert.equal(
    renderSummary('demo', 'finished', metrics, usage, dead),
    `demo: finished in 2 s
  rows    2,000,000 in
          1,999,992 to "out"
          20 to "copy", 10 dropped: it was not ready for them
          5 filtered
          3 rejected (2 at "in", 1 at "moment"; of these 1 not valid, 1 valid but no object)
          3 of them in /state/dead-letters.ndjson
          1,234 at "f" with integers beyond 32 bits in column "a"
  speed   1 M rows/s, 160 MB/s
  CPU     1 s, 0.5 s per million rows
  energy  50 J, 25 J per million rows (the whole processor)
  memory  80 MB at most
`,
  );
});

test('progress counts down where the total is known', () => {
  const metrics = { ...newMetrics(), rowsIn: 1_000_000, bytesIn: 25_000_000, bytesTotal: 100_000_000 };
  assert.equal(progressLine([metrics], 10), '1,000,000 rows  100 k rows/s  25 MB  25 %  30 s left');
  assert.equal(progressLine([{ ...metrics, bytesTotal: undefined }], 10), '1,000,000 rows  100 k rows/s  25 MB');
});

test('no progress line is written where standard error is no terminal', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let written = '';
  const terminal = new Terminal({ write: (text) => (written += text), isTTY: false });
  terminal.progress(() => [newMetrics()], 0);
  t.mock.timers.tick(1000);
  terminal.endProgress();
  assert.equal(written, '');
});

test('a log line erases the progress line and puts it back below', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let written = '';
  const terminal = new Terminal({ write: (text) => (written += text), isTTY: true, columns: 40 });
  terminal.progress(() => [newMetrics()], performance.now());
  t.mock.timers.tick(200);
  const line = written.slice('\r\x1b[K'.length);
  written = '';
  terminal.print('hello\n');
  assert.equal(written, `\r\x1b[Khello\n${line}`);
  terminal.endProgress();
});
