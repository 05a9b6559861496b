/** What Reef shows is what Prometheus and its push gateway read. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { processSeries } from '../observe/process-series.ts';
import { series } from '../observe/series.ts';
import { startReef, temporaryFolder } from '../testing/reef-process.ts';
import { freePort } from '../testing/servers/free-port.ts';
import { missing } from '../testing/servers/needs.ts';
import { prometheus, pushGateway, startPrometheus, startPushGateway } from '../testing/servers/prometheus.ts';

const skip = await missing(prometheus, pushGateway);

interface Answer {
  readonly data: { readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[] };
}

test('Prometheus reads every series, and the push gateway has the last ones after the end', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const gateway = await startPushGateway(t);
  const port = await freePort();
  const annotations = {
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': String(port),
    'metrics.punchplatform.com/pushGatewayUrl': `http://127.0.0.1:${gateway.ports.http}`,
    'metrics.punchplatform.com/pushGatewayIntervalSeconds': '60',
  };
  const dag = [
    { id: 'in', kind: 'source', type: 'stdin', out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'stdout' },
  ];
  const file = join(folder, 'p.yaml');
  writeFileSync(file, JSON.stringify({ kind: 'StreamPunchline', metadata: { name: 'metered', annotations }, spec: { dag } }));
  const { child, ended } = startReef(t, ['run', file, '--state', join(folder, 'state')]);
  child.stdin.write('{"n":1}\n{"n":2}\nbad\n');
  const server = await startPrometheus(t, `127.0.0.1:${port}`);
  const query = async (expression: string): Promise<Answer['data']['result']> => {
    const url = `http://127.0.0.1:${server.ports.http}/api/v1/query?query=${encodeURIComponent(expression)}`;
    return ((await (await fetch(url)).json()) as Answer).data.result;
  };
  let found = await query('reef_source_rows_total');
  // It asks once a second.
  for (; found[0]?.value[1] !== '3'; found = await query('reef_source_rows_total')) await pause(100);
  assert.deepEqual([found[0]!.metric.punchline, found[0]!.metric.node], ['metered', 'in']);
  const quantile = await query('histogram_quantile(0.99, reef_source_delivery_seconds_bucket)');
  assert.ok(Number(quantile[0]?.value[1]) > 0, JSON.stringify(quantile));
  assert.equal((await query('scrape_samples_scraped'))[0] !== undefined, true);
  const known = (await (await fetch(`http://127.0.0.1:${server.ports.http}/api/v1/metadata`)).json()) as {
    readonly data: Readonly<Record<string, readonly { readonly type: string; readonly help: string }[]>>;
  };
  // Functions there are none here, and energy is not readable everywhere.
  for (const { name, type, help } of [...series, ...processSeries]) {
    if (/^reef_(function|noticed|energy|rejected)_/.test(name)) continue;
    assert.deepEqual([known.data[name]?.[0]?.type, known.data[name]?.[0]?.help], [type, help], name);
  }
  child.stdin.end('{"n":3}\n');
  assert.equal((await ended).code, 0);
  const pushed = await (await fetch(`http://127.0.0.1:${gateway.ports.http}/metrics`)).text();
  assert.match(pushed, /^reef_source_rows_total\{instance="",job="metered",node="in",punchline="metered"\} 4$/m);
});
