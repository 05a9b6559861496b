/** Rows that a source feeds as records: bounds of their own, values beside them, places that are not byte offsets. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { reef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';

const engine = new URL('../../dist/index.js', import.meta.url).href;

/** A source that adds the records in `records.json`: lists of position, values, payload. */
function writeSource(
  folder: string,
  options: string,
  records: readonly (readonly [number, readonly unknown[], string])[],
): string {
  writeFileSync(join(folder, 'records.json'), JSON.stringify(records));
  writeFileSync(
    join(folder, 'records.js'),
    `import { readFileSync, writeFileSync } from 'node:fs';
    import { RecordWriter, source } from ${JSON.stringify(engine)};
    export default source({
      summary: 'Feeds records.', settings: {}, codecs: ['json', 'line'], delivery: 'None.', examples: [],
      open: ({ folder, codec }) => ({
        async run(feed) {
          const settled = [];
          const writer = new RecordWriter(feed, 'p', {
            json: codec.name === 'json',
            replayable: false,
            settled: (stretch) => settled.push(stretch),
            ...${options},
          });
          for (const [position, values, payload] of JSON.parse(readFileSync(folder + '/records.json', 'utf8'))) {
            await writer.add(position, values, Buffer.from(payload));
            writer.mark();
          }
          await writer.end();
          await writer.partition.delivered();
          writeFileSync(folder + '/settled.json', JSON.stringify(settled));
        },
        async close() {},
      }),
    });`,
  );
  return './records.js';
}

const MIB = 1024 * 1024;
const fileOut = (id: string): object => ({ id, kind: 'sink', type: 'file', settings: { path: `${id}.jsonl` } });

function read(folder: string, name: string): unknown[] {
  return readFileSync(join(folder, name), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);
}

test('a record is one row with the values beside it, and what the engine knows goes out only where it is declared', async (t) => {
  const folder = temporaryFolder(t);
  const options = `{ records: { columns: ['_ppf_topic', '_ppf_partition_offset', 'site', '_ppf_headers'], rows: 'one' }, jsonColumns: ['_ppf_headers'] }`;
  const type = writeSource(folder, options, [
    [7_000_000_001, ['a"b', 1, 'x', '{"k":["v"]}'], '{\n  "n": 1,\n  "site": "own",\n "o": {\n"p": 2}\n}\n'],
    [7_000_000_002, ['é', 2, null, null], ' {"n":2,"site":"own"}'],
    [7_000_000_003, ['t', 3, 'z', null], '{"n":3,"_ppf_topic":"its own"}'],
  ]);
  const columns = ['_ppf_id', '_ppf_topic', '_ppf_partition_offset', '_ppf_headers', 'n'].map((name) => ({ name, type: 'any' }));
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type, out: [{ id: 'plain' }, { id: 'all', columns }] },
    fileOut('plain'),
    fileOut('all'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(read(folder, 'plain.jsonl'), [
    { n: 1, site: 'x', o: { p: 2 } },
    { n: 2, site: 'own' },
    { n: 3, _ppf_topic: 'its own', site: 'z' },
  ]);
  assert.deepEqual(read(folder, 'all.jsonl'), [
    { _ppf_id: 'in:p:7000000001', _ppf_topic: 'a"b', _ppf_partition_offset: 1, _ppf_headers: { k: ['v'] }, n: 1 },
    { _ppf_id: 'in:p:7000000002', _ppf_topic: 'é', _ppf_partition_offset: 2, n: 2 },
    { _ppf_id: 'in:p:7000000003', _ppf_topic: 'its own', _ppf_partition_offset: 3, n: 3 },
  ]);
});

test('a bad record costs only itself, and its document has its position and its bytes', async (t) => {
  const folder = temporaryFolder(t);
  const type = writeSource(folder, `{ records: { columns: ['_ppf_topic'], rows: 'one' } }`, [
    [10, ['t'], '{"n":1}'],
    [20, ['t'], '{"n":"a\nb"}'],
    [30, ['t'], '{"n":2}{"n":3}'],
    [35, ['t'], '[1]'],
    [40, ['t'], '{"n":4}'],
    [50, ['t'], `{"n":"${'x'.repeat(17 * MIB)}"}`],
    [55, ['t'], `{"n":"${'y'.repeat(MIB)}"}`],
    [60, ['t'], '{"n":6}'],
  ]);
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type, out: [{ id: 'out' }] },
    fileOut('out'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(read(folder, 'out.jsonl'), [{ n: 1 }, { n: 4 }, { n: 'y'.repeat(MIB) }, { n: 6 }]);
  const documents = read(join(folder, 'state'), 'dead-letters.ndjson') as Record<string, unknown>[];
  assert.deepEqual(
    documents.map(({ position, id, origin }) => [position, id, (origin as { text?: string }).text?.slice(0, 12)]),
    [
      [20, 'in:p:20', '{"n":"a\rb"}'],
      [30, 'in:p:30', '{"n":2}{"n":'],
      [35, 'in:p:35', '[1]'],
      [50, 'in:p:50', '{"n":"xxxxxx'],
    ],
  );
  assert.match(String(documents[3]!.reason), /^the row is 17825800 bytes long, at most 16777216 are allowed$/);
  const settled = JSON.parse(readFileSync(join(folder, 'settled.json'), 'utf8')) as {
    marks: number[];
    rows: number[];
    rejected: number[];
  }[];
  assert.equal(settled.flatMap(({ marks }) => marks).length, 8);
  const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
  assert.equal(sum(settled.flatMap(({ rows }) => rows)), 8);
  assert.equal(sum(settled.flatMap(({ rejected }) => rejected)), 4);
});

test('many lines in a record are rows that share its values, also where a batch ends in its middle', async (t) => {
  const folder = temporaryFolder(t);
  const lines = (first: number, count: number): string =>
    Array.from({ length: count }, (_, n) => `{"n":${first + n}}\n`).join('');
  const type = writeSource(folder, `{ records: { columns: ['_ppf_remote_host'], rows: 'lines' } }`, [
    [0, ['a'], lines(0, 10_000)],
    [200_000, ['b'], `${lines(10_000, 3)}\n{bad}\n{"n":10003}`],
  ]);
  const columns = ['_ppf_id', '_ppf_remote_host', 'n'].map((name) => ({ name, type: 'any' }));
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type, out: [{ id: 'out', columns }] },
    fileOut('out'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  const rows = read(folder, 'out.jsonl') as { n: number; _ppf_id: string; _ppf_remote_host: string }[];
  assert.deepEqual(
    rows.map(({ n }) => n),
    Array.from({ length: 10_004 }, (_, n) => n),
  );
  assert.deepEqual(
    rows.filter(({ n }) => [1, 9999, 10_001].includes(n)),
    [
      { _ppf_id: 'in:p:8', _ppf_remote_host: 'a', n: 1 },
      { _ppf_id: `in:p:${lines(0, 9999).length}`, _ppf_remote_host: 'a', n: 9999 },
      { _ppf_id: 'in:p:200012', _ppf_remote_host: 'b', n: 10_001 },
    ],
  );
  assert.equal(new Set(rows.map(({ _ppf_id }) => _ppf_id)).size, rows.length);
});

test('a text may hold newlines where a record is one row; a sink of lines refuses it by itself', async (t) => {
  const folder = temporaryFolder(t);
  const type = writeSource(folder, `{ records: { columns: ['_ppf_topic'], rows: 'one' } }`, [
    [1, ['t'], 'one'],
    [2, ['t'], 'two\nlines'],
    [3, ['t'], ''],
  ]);
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type, settings: { encoding: 'line' }, out: [{ id: 'json' }, { id: 'text' }] },
    fileOut('json'),
    { id: 'text', kind: 'sink', type: 'file', settings: { path: 'text.txt', encoding: 'line' } },
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(read(folder, 'json.jsonl'), [{ message: 'one' }, { message: 'two\nlines' }, { message: '' }]);
  assert.equal(readFileSync(join(folder, 'text.txt'), 'utf8'), 'one\n\n');
  const [document] = read(join(folder, 'state'), 'dead-letters.ndjson') as { reason: string; position: number }[];
  assert.deepEqual([document!.position, document!.reason], [2, 'the text holds a newline, expected one line']);
});

test('a row of a record that a server refuses is documented with the position of its record', async (t) => {
  const folder = temporaryFolder(t);
  const server = createServer((request, response) => {
    request.setEncoding('utf8');
    let body = '';
    request.on('data', (text) => {
      body += text;
    });
    request.on('end', () => response.writeHead(body.includes('"n":3') ? (body.includes('},{') ? 413 : 422) : 200).end());
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const type = writeSource(
    folder,
    `{ records: { columns: ['_ppf_topic'], rows: 'one' } }`,
    Array.from({ length: 9 }, (_, n) => [1000 * n, ['t'], `{"n":${n}}`] as const),
  );
  for (const batch of [{ rows: 1 }, { rows: 4 }, { rows: 100, timeout_ms: 20 }]) {
    const file = writePunchline(folder, 'BatchPunchline', [
      { id: 'in', kind: 'source', type, out: [{ id: 'out' }] },
      { id: 'out', kind: 'sink', type: 'http', settings: { url, batch, split_statuses: '413' } },
    ]);
    const state = join(folder, `state-${batch.rows}`);
    const { code, stderr } = await reef(t, ['run', file, '--state', state]);
    assert.equal(code, 0, stderr);
    const documents = read(state, 'dead-letters.ndjson') as { position: number; id: string; origin: { text: string } }[];
    assert.deepEqual(
      documents.map(({ position, id, origin }) => [position, id, origin.text]),
      [[3000, 'in:p:3000', '{"n":3}']],
    );
    const settled = JSON.parse(readFileSync(join(folder, 'settled.json'), 'utf8')) as { marks: number[]; rejected: number[] }[];
    assert.deepEqual(
      settled.flatMap(({ rejected }) => rejected).filter((count) => count > 0),
      [1],
    );
  }
});

test('values stand beside their rows whatever is asked for before them', async (t) => {
  const folder = temporaryFolder(t);
  const names = ['_ppf_topic', '_ppf_partition_id', '_ppf_partition_offset'];
  const type = writeSource(
    folder,
    `{ records: { columns: ${JSON.stringify(names)}, rows: 'one' } }`,
    Array.from({ length: 100 }, (_, n) => [n, [`t${n}`, n % 3, n], `{"n":${n}}`] as const),
  );
  const columns = ['_ppf_id', ...names, 'n'].map((name) => ({ name, type: 'any' }));
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type, out: [{ id: 'out', columns }] },
    fileOut('out'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    read(folder, 'out.jsonl'),
    Array.from({ length: 100 }, (_, n) => ({
      _ppf_id: `in:p:${n}`,
      _ppf_topic: `t${n}`,
      _ppf_partition_id: n % 3,
      _ppf_partition_offset: n,
      n,
    })),
  );
});
