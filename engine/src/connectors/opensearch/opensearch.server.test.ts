import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Undelivered } from '../../spec/bulk-sink.ts';
import type { Json } from '../../spec/plan.ts';
import { startReef, temporaryFolder, writePunchline } from '../../testing/reef-process.ts';
import { missing } from '../../testing/servers/needs.ts';
import { opensearch, startOpenSearch } from '../../testing/servers/opensearch.ts';
import type { SearchServer } from '../../testing/servers/search-server.ts';
import { openSink, probeNode } from '../../testing-nodes.ts';
import sinkSpec from './sink.ts';

const skip = await missing(...opensearch);

let server: SearchServer;
const cleanUps: (() => unknown)[] = [];
before(async () => {
  if (skip === false) server = await startOpenSearch({ after: (cleanUp) => cleanUps.push(cleanUp) });
});
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

interface Hits {
  readonly hits: {
    readonly total: { readonly value: number };
    readonly hits: readonly { _id: string; _source: unknown; _index: string }[];
  };
}

async function stored(index: string): Promise<Hits['hits']> {
  await server.ask('POST', `/${index}/_refresh`);
  return (await server.ask<Hits>('GET', `/${index}/_search?size=20&track_total_hits=true`)).hits;
}

async function write(settings: Record<string, Json>, rows: readonly Record<string, Json>[]): Promise<Undelivered | undefined> {
  const sink = await openSink(sinkSpec, { settings: { http_hosts: [{ host: '127.0.0.1', port: server.port }], ...settings } });
  try {
    return (await sink.write(rows)) as Undelivered | undefined;
  } finally {
    await sink.close();
  }
}

test('a document that is sent twice is stored once, as it is, also compressed', { skip }, async () => {
  const rows = [
    { _ppf_id: 'a/1', text: 'ü "quoted" \n\\', deep: { list: [1, 2, null] } },
    { _ppf_id: 'a/2', text: '' },
  ];
  for (const compression of [false, true])
    assert.equal(await write({ index: { type: 'fixed', name: 'twice' }, compression }, rows), undefined);
  const { total, hits } = await stored('twice');
  assert.equal(total.value, 2);
  assert.deepEqual(
    hits.map(({ _id, _source }) => [_id, _source]).sort(),
    rows.map((row) => [row._ppf_id, row]),
  );
});

test('a probe of a server that knows no users says what it is, and writes nothing', { skip }, async () => {
  const settings = { http_hosts: [{ host: '127.0.0.1', port: server.port }], index: { type: 'fixed', name: 'probed' } };
  assert.deepEqual(await probeNode(sinkSpec, { settings }), [`reaches ${server.url}, OpenSearch 3.2.0`]);
  await assert.rejects(server.ask('GET', '/probed'), /index_not_found/);
});

test('what does not fit the mapping is refused with the reason, and costs only itself', { skip }, async () => {
  await server.ask('PUT', '/strict', { mappings: { properties: { n: { type: 'integer' } } } });
  const rows = [1, 'many', 3].map((n, at) => ({ _ppf_id: String(at), n }));
  const said = await write({ index: { type: 'fixed', name: 'strict' } }, rows);
  assert.deepEqual(
    said?.refused?.map(({ row }) => row),
    [1],
  );
  assert.match(said!.refused![0]!.reason, /^400 mapper_parsing_exception: failed to parse field \[n\] of type \[integer\]/);
  assert.equal((await stored('strict')).total.value, 2);
});

test('an index that may not be written to is waited for', { skip }, async () => {
  await server.ask('PUT', '/locked', { settings: { 'index.blocks.write': true } });
  const said = await write({ index: { type: 'fixed', name: 'locked' } }, [{ n: 1 }]);
  assert.deepEqual([said?.again, said?.refused], [[0], []]);
  assert.match(said!.againReason!, /cluster_block_exception/);
});

test('a data stream is added to; what was added before counts as taken', { skip }, async () => {
  await server.ask('PUT', '/_index_template/events', { index_patterns: ['events*'], data_stream: {} });
  const settings = { index: { type: 'data_stream', name: 'events' }, document: { extra_fields: [{ name: '@timestamp' }] } };
  for (let count = 0; count < 2; count++) assert.equal(await write(settings, [{ _ppf_id: 'x', n: 1 }]), undefined);
  assert.equal((await stored('events')).total.value, 1);
});

test('rows go to the index of their type and day', { skip }, async () => {
  const index = { type: 'daily', prefix_column: 'type', time_column: 'time', whitelist: ['one', 'two'] };
  const rows = [
    { _ppf_id: '1', type: 'one', time: '2026-05-06T07:08:09Z' },
    { _ppf_id: '2', type: 'two', time: '2026-05-07T07:08:09Z' },
    { _ppf_id: '3', type: 'three', time: '2026-05-07T07:08:09Z' },
  ];
  assert.deepEqual(
    (await write({ index }, rows))?.refused?.map(({ row }) => row),
    [2],
  );
  assert.deepEqual([(await stored('one-2026.05.06')).total.value, (await stored('two-2026.05.07')).total.value], [1, 1]);
});

test('every row arrives once, over a kill of Reef and a restart of the server', {
  skip,
  timeout: 300_000,
}, async (t: TestContext) => {
  const folder = temporaryFolder(t);
  const count = 60_000;
  writeFileSync(join(folder, 'in.jsonl'), Array.from({ length: count }, (_, n) => `{"n":${n},"text":"row ${n}"}\n`).join(''));
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'out' }] },
    {
      id: 'out',
      kind: 'sink',
      type: 'opensearch',
      settings: {
        http_hosts: [{ host: '127.0.0.1', port: server.port }],
        index: { type: 'fixed', name: 'killed' },
        batch: { rows: 500 },
        retry: { max_ms: 500 },
      },
    },
  ]);
  const args = ['run', file, '--state', join(folder, 'state')];
  const some = async (least: number): Promise<void> => {
    for (;;) {
      const found = await stored('killed').then(
        ({ total }) => total.value,
        () => 0,
      );
      if (found >= least) return;
      await pause(50);
    }
  };
  const first = startReef(t, args);
  await some(1);
  first.child.kill('SIGKILL');
  assert.equal((await first.ended).signal, 'SIGKILL');
  const second = startReef(t, args);
  await some(5000);
  await server.restart();
  const { code, stderr } = await second.ended;
  assert.equal(code, 0, stderr);
  assert.equal((await stored('killed')).total.value, count);
});
