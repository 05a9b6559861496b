/** What node types count of their own, and that /metrics is as Prometheus wants it and as the reference says. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { nodeFacts } from '../cli/node-facts.ts';
import { reef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';
import { metricsUrl, startWatched, until } from './testing/watched-process.ts';

const source = `import { feedBytes, source } from '@reef/engine';
export default source({
  summary: 'Sends a row.', settings: {}, codecs: ['json'], delivery: 'Once.', security: 'None.', examples: [],
  metrics: { polls_total: 'Times that it has looked,\\nwith a \\\\ in what is said of it.', never_total: 'What never happens.' },
  open: ({ count }) => ({
    async run(feed, signal) {
      const partition = feed.partition('rows', { replayable: false });
      count('polls_total');
      count('polls_total', 4);
      await feedBytes(partition, Buffer.from('{"n":1}\\n{"n":2}\\n'), { flush: true });
      await new Promise((done) => signal.addEventListener('abort', done));
    },
    async close() {},
  }),
});
`;
const worker = `import { batchFunction } from '@reef/engine';
export default batchFunction({
  summary: 'Counts rows.', settings: {}, examples: [], reads: () => [], writes: () => [],
  metrics: { rows_seen_total: 'Rows that it has seen.', polls_total: 'Another sentence for the same name.' },
  open: ({ count }) => ({ apply: (batch: { readonly rows: ArrayLike<number> }) => count('rows_seen_total', batch.rows.length) }),
});
`;
const sink = `import { sink } from '@reef/engine';
export default sink({
  summary: 'Keeps nothing.', settings: {}, codecs: ['json'], delivery: 'At once.', security: 'None.', examples: [],
  metrics: { chunks_total: 'Stretches of rows.' },
  open: ({ count }) => ({ async write() { count('chunks_total'); return undefined; }, async close() {} }),
});
`;

function nodes(t: TestContext, modules: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder(t);
  for (const [name, text] of Object.entries(modules)) writeFileSync(join(folder, name), text);
  return folder;
}

test('what a source, a function and a sink of a user count stands in /metrics, from 0 on', async (t) => {
  const folder = nodes(t, { 'source.ts': source, 'worker.ts': worker, 'sink.ts': sink });
  const file = writePunchline(folder, 'StreamPunchline', [
    { id: 'in', kind: 'source', type: './source.ts', out: [{ id: 'f' }] },
    { id: 'f', kind: 'function', type: './worker.ts', out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: './sink.ts' },
  ]);
  const url = await metricsUrl(startWatched(t, file));
  const text = await until(`${url}/metrics`, (body) => /reef_node_chunks_total\{[^}]*\} 1\n/.test(body));
  for (const line of [
    'reef_node_polls_total{punchline="test",node="in"} 5',
    'reef_node_polls_total{punchline="test",node="f"} 0',
    'reef_node_never_total{punchline="test",node="in"} 0',
    'reef_node_rows_seen_total{punchline="test",node="f"} 2',
    '# HELP reef_node_polls_total Times that it has looked,\\nwith a \\\\ in what is said of it.',
    '# TYPE reef_node_polls_total counter',
  ])
    assert.ok(text.includes(`\n${line}\n`), `${line}\n${text}`);
  assertWellFormed(text);
});

test('a name that is none of a counter is told by check, one that is not declared fails the node', async (t) => {
  const folder = nodes(t, {
    'wrong.ts': sink.replace("metrics: { chunks_total: 'Stretches of rows.' }", "metrics: { 'Chunks': 'Stretches of rows.' }"),
    'other.ts': sink.replace("count('chunks_total')", "count('others_total')"),
  });
  const file = (type: string): string =>
    writePunchline(folder, 'BatchPunchline', [
      {
        id: 'in',
        kind: 'source',
        type: 'file',
        settings: { path: 'wrong.ts', encoding: 'line' },
        out: [{ id: 'out' }],
      },
      { id: 'out', kind: 'sink', type },
    ]);
  const wrong = await reef(t, ['check', file('./wrong.ts'), '--run-modules']);
  assert.match(wrong.stderr, /its metric is "Chunks", expected lower-case letters, digits and "_", and "_total" at its end/);
  const other = await reef(t, ['run', file('./other.ts'), '--state', join(folder, 'state')]);
  assert.notEqual(other.code, 0);
  assert.match(other.stderr, /Cannot count "others_total": the type's metrics do not declare it/);
});

test('the series that a page of the reference names are those that /metrics shows of such a node', async (t) => {
  const folder = temporaryFolder(t);
  const file = writePunchline(folder, 'StreamPunchline', [
    { id: 'source', kind: 'source', type: 'http', settings: { port: 0 }, out: [{ id: 'function' }] },
    {
      id: 'function',
      kind: 'function',
      type: 'filter',
      settings: { condition: { column: 'n', op: 'ne', value: 1 } },
      out: [{ id: 'sink' }],
    },
    { id: 'sink', kind: 'sink', type: 'stdout', settings: { encoding: 'raw' } },
  ]);
  const started = startWatched(t, file);
  const url = await metricsUrl(started);
  const { port } = await started.listening;
  assert.equal((await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{"n":1}\n{"n":2}\nno\n' })).status, 200);
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 405);
  const text = await until(`${url}/metrics`, (body) => /reef_rejected_rows_total\{[^}]*"sink"\} 1/.test(body));
  assertWellFormed(text);
  for (const [kind, type] of [
    ['source', 'http'],
    ['function', 'filter'],
    ['sink', 'stdout'],
  ] as const) {
    const { metrics } = await nodeFacts(kind, type);
    for (const { name, doc } of metrics) {
      // There is a series of these for what has happened.
      if (name === 'reef_noticed_rows_total' || (name === 'reef_rejected_rows_total' && kind === 'function')) continue;
      assert.match(text, new RegExp(`^${name}(_count)?\\{punchline="test",node="${kind}"\\} `, 'm'), name);
      assert.ok(text.includes(`# HELP ${name} ${doc}\n`), name);
    }
    const shown = [...text.matchAll(new RegExp(`^(\\w+?)(?:_bucket|_sum|_count)?\\{punchline="test",node="${kind}"`, 'gm'))];
    for (const [, name] of shown)
      assert.ok(
        metrics.some((metric) => metric.name === name),
        `${type}: ${name}`,
      );
  }
  assert.match(text, /reef_node_requests_accepted_total\{[^}]*\} 1\n/);
  assert.match(text, /reef_node_requests_refused_total\{[^}]*\} 1\n/);
});

/** One HELP and one TYPE for each name, before its samples; units and `_total` as the conventions have them. */
function assertWellFormed(text: string): void {
  const types = new Map<string, string>();
  const helps = new Set<string>();
  for (const line of text.trimEnd().split('\n')) {
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) (\w+) (.+)$/.exec(line) ?? [];
    if (word === 'HELP') {
      assert.ok(!helps.has(name), line);
      helps.add(name);
    } else if (word === 'TYPE') {
      assert.ok(helps.has(name) && !types.has(name), line);
      types.set(name, rest);
      assert.equal(name.endsWith('_total'), rest === 'counter', line);
      assert.doesNotMatch(name, /_(ms|millis|kb|mb|percent)(_|$)/, line);
    } else {
      const [, sample = ''] = /^(\w+)(?:\{(?:\w+="(?:[^"\\\n]|\\.)*",?)*\})? [-+\dInfNa.e]+$/.exec(line) ?? [];
      assert.ok(types.has(sample) || types.get(sample.replace(/_(bucket|sum|count)$/, '')) === 'histogram', line);
    }
  }
}
