/** Sinks that refuse, stall and come back, in whole punchlines: where each row ends, and what it costs the others. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { reef, startReef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';
import { writeFunction } from '../testing/user-function.ts';

interface Document {
  readonly node: string;
  readonly reason: string;
  readonly source: string;
  readonly partition: string;
  readonly position: number;
  readonly id: string;
  readonly origin: { readonly text?: string };
  readonly entered: { readonly text?: string };
}

const fileIn = (...to: object[]): object => ({ id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: to });
const fileOut = (id: string): object => ({ id, kind: 'sink', type: 'file', settings: { path: `${id}.jsonl` } });
const httpOut = (url: string, settings: object = {}): object => ({
  id: 'out',
  kind: 'sink',
  type: 'http',
  settings: { url, retry: { initial_ms: 1, max_ms: 20 }, ...settings },
});
const documentColumn = { name: '_ppf_error_document', type: 'string' };
const errors = { id: 'errors', table: '_ppf_errors', columns: [documentColumn] };

function lines(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

function writeRows(folder: string, count: number, pad = ''): string[] {
  const rows = Array.from({ length: count }, (_, n) => `{"n":${n},"pad":"${pad}"}`);
  writeFileSync(join(folder, 'in.jsonl'), `${rows.join('\n')}\n`);
  return rows;
}

type Take = (rows: readonly { readonly n: number }[], response: ServerResponse) => void;

async function serve(t: TestContext, take: Take, port = 0): Promise<{ url: string; port: number; server: Server }> {
  const server = createServer(async (request, response) => {
    try {
      const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
      take(JSON.parse(body), response);
    } catch {
      response.destroy();
    }
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: own } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${own}/`, port: own, server };
}

/** Takes all but rows of which the number ends in 7. */
function refuseSevens(taken: number[]): Take {
  return (rows, response) => {
    if (rows.some(({ n }) => n % 10 === 7))
      response.writeHead(rows.length > 1 ? 413 : 422).end(rows.length > 1 ? '' : 'no sevens');
    else {
      taken.push(...rows.map(({ n }) => n));
      response.end('{}');
    }
  };
}

const numbersBut7 = (count: number): number[] => Array.from({ length: count }, (_, n) => n).filter((n) => n % 10 !== 7);

test('rows that a server refuses stand in the error table, as they came and as they entered the sink', async (t) => {
  const folder = temporaryFolder(t);
  const rows = writeRows(folder, 200);
  const taken: number[] = [];
  const { url } = await serve(t, refuseSevens(taken));
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn({ id: 'only', columns: [{ name: 'n', type: 'integer' }] }),
    { id: 'only', kind: 'function', type: 'enrich_field', settings: { fields: { more: 'x' } }, out: [{ id: 'out' }, errors] },
    httpOut(url, { batch: { rows: 50 } }),
    fileOut('errors'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(taken, numbersBut7(200));
  const documents = lines(join(folder, 'errors.jsonl')).map(
    (line) => JSON.parse(JSON.parse(line)._ppf_error_document) as Document,
  );
  let position = 0;
  const expected = rows.flatMap((row, n) => {
    const at = position;
    position += row.length + 1;
    if (n % 10 !== 7) return [];
    const id = `in:in.jsonl:${at}`;
    const common = { node: 'out', reason: `${new URL(url).origin} answers 422: no sevens`, source: 'in', partition: 'in.jsonl' };
    return [{ ...common, position: at, id, origin: { text: row }, entered: { text: `{"n":${n},"more":"x"}` } }];
  });
  const seen = documents.map(({ node, reason, source, partition, position: at, id, origin, entered }) => {
    return { node, reason, source, partition, position: at, id, origin, entered };
  });
  assert.deepEqual(
    seen.toSorted((one, other) => one.position - other.position),
    expected,
  );
  assert.match(stderr, /180 to "out"/);
  assert.match(stderr, /20 rejected \(20 at "out"\)/);
});

test('documents of refused rows have the ids of their rows, also where a bulk is of several files and sources', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'many'));
  for (const name of ['a', 'b']) writeFileSync(join(folder, 'many', name), '{"n":1,"pad":"é\\n"}\n{"n":7}\n{"n":17}\n');
  writeFileSync(join(folder, 'in.jsonl'), '{"n":27}\n{"n":2}\n{"n":37}\n');
  const { url } = await serve(t, refuseSevens([]));
  const columns = [{ name: '_ppf_id', type: 'string' }, documentColumn];
  const body =
    "for (const row of batch.rows) if (batch.column('_ppf_error_document').string(row).includes(':37}')) batch.reject(row, 'not this');";
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn({ id: 'out' }, { ...errors, id: 'look' }),
    { id: 'more', kind: 'source', type: 'file', settings: { path: 'many' }, out: [{ id: 'out' }, { ...errors, id: 'look' }] },
    {
      id: 'look',
      kind: 'function',
      type: writeFunction(folder, 'look.js', body, [documentColumn.name]),
      out: [{ id: 'errors', columns }],
    },
    httpOut(url, { batch: { rows: 100 }, concurrency: 1 }),
    fileOut('errors'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  const rows = lines(join(folder, 'errors.jsonl')).map(
    (line) => JSON.parse(line) as { _ppf_id: string; _ppf_error_document: string },
  );
  for (const { _ppf_id, _ppf_error_document } of rows) assert.equal(_ppf_id, (JSON.parse(_ppf_error_document) as Document).id);
  const ids = rows.map(({ _ppf_id }) => _ppf_id).sort();
  assert.deepEqual(ids, ['in:in.jsonl:0', 'more:many/a:21', 'more:many/a:29', 'more:many/b:21', 'more:many/b:29']);
  const [dead] = lines(join(folder, 'state', 'dead-letters.ndjson')).map((line) => JSON.parse(line) as Document);
  assert.equal(dead!.id, 'in:in.jsonl:17');
});

test('an error table that leads through a function works the same, and fails to the dead letters', async (t) => {
  const folder = temporaryFolder(t);
  writeRows(folder, 100);
  const taken: number[] = [];
  const { url } = await serve(t, refuseSevens(taken));
  const body = `for (const row of batch.rows) {
    const document = JSON.parse(batch.column('_ppf_error_document').string(row));
    if (document.entered.text.includes('"n":17,')) batch.reject(row, 'not this one');
  }`;
  const type = writeFunction(folder, 'look.js', body, ['_ppf_error_document']);
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn({ id: 'out' }, { ...errors, id: 'look' }),
    { id: 'look', kind: 'function', type, out: [{ id: 'errors' }] },
    httpOut(url, { batch: { rows: 10 } }),
    fileOut('errors'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(taken, numbersBut7(100));
  assert.equal(lines(join(folder, 'errors.jsonl')).length, 9);
  const dead = lines(join(folder, 'state', 'dead-letters.ndjson')).map((line) => JSON.parse(line) as Document);
  assert.deepEqual(
    dead.map(({ node, reason }) => `${node}: ${reason}`),
    ['look: not this one'],
  );
  const first = JSON.parse(JSON.parse(dead[0]!.entered.text!)._ppf_error_document) as Document;
  assert.match(first.reason, /no sevens$/);
  assert.match(first.entered.text!, /"n":17,/);
});

test('documents that their own server refuses go to the dead letters, never in a circle', async (t) => {
  const folder = temporaryFolder(t);
  writeRows(folder, 30);
  const { url } = await serve(t, (_rows, response) => response.writeHead(400).end('never'));
  const file = writePunchline(folder, 'BatchPunchline', [fileIn({ id: 'out' }, { ...errors, id: 'out' }), httpOut(url)]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  const dead = lines(join(folder, 'state', 'dead-letters.ndjson')).map((line) => JSON.parse(line) as Document);
  assert.equal(dead.length, 30);
  assert.ok(dead.every(({ node, entered }) => node === 'out' && entered.text!.startsWith('{"_ppf_error_document":')));
});

test('more rows are refused than memory holds at once, with slots of all sizes, and none is lost', {
  timeout: 60_000,
}, async (t) => {
  const folder = temporaryFolder(t);
  const rows = Array.from({ length: 4000 }, (_, n) => `{"n":${n},"pad":"${'x'.repeat(n % 50 === 0 ? 30_000 : n % 300)}"}`);
  writeFileSync(join(folder, 'in.jsonl'), `${rows.join('\n')}\n`);
  const { url } = await serve(t, (_rows, response) => response.writeHead(400).end('never'));
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn({ id: 'out' }),
    httpOut(url, { concurrency: 3, ordered: false }),
  ]);
  const { runInProcess } = await import('../testing/run-in-process.ts');
  const state = join(folder, 'state');
  const { result } = await runInProcess(file, {
    stateFolder: state,
    workers: 2,
    tuning: { slotBytes: 4096, maxRowBytes: 1 << 20 },
  });
  assert.equal(result.outcome, 'finished', String(result.error));
  const dead = lines(join(state, 'dead-letters.ndjson')).map((line) => JSON.parse(line) as Document);
  assert.deepEqual(new Set(dead.map(({ origin }) => origin.text)), new Set(rows));
  assert.equal(dead.length, rows.length);
});

test('side columns come with the rows, alone and as lines of CSV, whatever the slots, the codec and the row hold', {
  timeout: 60_000,
}, async (t) => {
  const folder = temporaryFolder(t);
  const values = ['"text"', '""', '"a \\"quoted\\"\\nline ü"', '12', 'null', '[1, 2]', '{"o":true}', undefined];
  const rows = Array.from({ length: 3000 }, (_, n) => {
    const value = values[n % values.length];
    return `{"n":${n},"pad":"${'x'.repeat(n % 700 === 0 ? 9000 : n % 90)}"${value === undefined ? '' : `,"key":${value}`}}`;
  });
  writeFileSync(join(folder, 'in.jsonl'), `${rows.join('\n')}\n`);
  writeFileSync(
    join(folder, 'collect.mjs'),
    `import { appendFileSync } from 'node:fs';
    const text = ({ bytes, offsets }, row) => Buffer.from(bytes.subarray(offsets[row], offsets[row + 1] - 1)).toString();
    export default {
      kind: 'sink', bulk: true, summary: 'Collects.', delivery: 'Once.', settings: {}, codecs: ['json'], examples: [],
      sideColumns: () => ['key', 'none', '_ppf_id', ['n', 'key', 'none', '_ppf_id', 'n']],
      open: ({ folder }) => ({
        limits: { rows: 7, bytes: 5000, timeoutMs: 5, concurrency: 2, ordered: true },
        async send(bulk) {
          const rows = Array.from({ length: bulk.rows }, (_, row) => [text(bulk, row), ...bulk.side.map((side) => text(side, row))]);
          appendFileSync(folder + '/out.jsonl', rows.map((row) => JSON.stringify(row) + '\\n').join(''));
        },
        async close() {},
      }),
    };`,
  );
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn({ id: 'out' }),
    { id: 'out', kind: 'sink', type: './collect.mjs' },
  ]);
  const { runInProcess } = await import('../testing/run-in-process.ts');
  const tuning = { slotBytes: 2048, maxRowBytes: 1 << 20 };
  const { result } = await runInProcess(file, { stateFolder: join(folder, 'state'), workers: 2, tuning });
  assert.equal(result.outcome, 'finished', String(result.error));
  let position = 0;
  const expected = rows.map((row, n) => {
    const id = `in:in.jsonl:${position}`;
    position += row.length + 1 + (row.includes('ü') ? 1 : 0);
    const value = values[n % values.length];
    const key = value === undefined || value === 'null' ? '' : value.startsWith('"') ? (JSON.parse(value) as string) : value;
    const quoted = key === '' && value !== '""' ? '' : /[",\n]/.test(key) ? `"${key.replaceAll('"', '""')}"` : key || '""';
    return [row, key, '', id, `${n},${quoted},,${id},${n}`];
  });
  assert.deepEqual(
    lines(join(folder, 'out.jsonl')).map((line) => JSON.parse(line)),
    expected,
  );
});

test('a server that is away is waited for; killed meanwhile and started again, every row arrives', {
  timeout: 60_000,
}, async (t) => {
  const folder = temporaryFolder(t);
  writeRows(folder, 20_000, 'p'.repeat(100));
  const got = new Set<number>();
  let many = Promise.withResolvers<void>();
  const take: Take = (rows, response) => {
    for (const { n } of rows) got.add(n);
    response.end();
    if (got.size >= 3000) many.resolve();
  };
  const first = await serve(t, take);
  const file = writePunchline(folder, 'StreamPunchline', [fileIn({ id: 'out' }), httpOut(first.url, { batch: { rows: 100 } })]);
  const args = ['run', file, '--state', join(folder, 'state')];

  // It goes away in the middle.
  const one = startReef(t, args);
  await many.promise;
  first.server.closeAllConnections();
  first.server.close();
  await until(one.child.stderr, /trying again until it works/);
  one.child.kill('SIGKILL');
  await one.ended;

  // Not there at all: it waits, and is killed again.
  const two = startReef(t, args);
  await until(two.child.stderr, /nothing listens there; trying again until it works/);
  two.child.kill('SIGKILL');
  await two.ended;

  const back = await serve(t, take, first.port);
  many = Promise.withResolvers();
  const three = startReef(t, args);
  await waitFor(back.server, () => got.size === 20_000);
  three.child.kill('SIGTERM');
  const { code, stderr } = await three.ended;
  assert.equal(code, 0, stderr);
  assert.equal(got.size, 20_000);
});

test('a branch that nobody waits for and that stalls costs the others nothing, and what it misses is counted', {
  timeout: 60_000,
}, async (t) => {
  const folder = temporaryFolder(t);
  const rows = writeRows(folder, 60_000, 'p'.repeat(200));
  // It takes and never answers.
  const { url } = await serve(t, () => {});
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn({ id: 'all' }, { id: 'out' }),
    fileOut('all'),
    httpOut(url, { best_effort: true }),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(lines(join(folder, 'all.jsonl')), rows);
  assert.match(stderr, /60,000 to "all"/);
  const dropped = /0 to "out", ([\d,]+) dropped/.exec(stderr)?.[1];
  assert.ok(dropped, stderr);
  assert.equal(Number(dropped.replaceAll(',', '')), 60_000);
});

test('a branch that stalls cannot hold all memory either when batches are small', { timeout: 60_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const rows: string[] = [];
  for (let file = 0; file < 80; file++) {
    const own = Array.from({ length: 500 }, (_, n) => `{"n":${file * 500 + n},"pad":"${'p'.repeat(180)}"}`);
    writeFileSync(join(folder, `in${file}.jsonl`), `${own.join('\n')}\n`);
    rows.push(...own);
  }
  const { url } = await serve(t, () => {});
  const source = { id: 'in', kind: 'source', type: 'file', settings: { path: 'in*.jsonl' }, out: [{ id: 'all' }, { id: 'out' }] };
  const file = writePunchline(folder, 'BatchPunchline', [source, fileOut('all'), httpOut(url, { best_effort: true })]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(new Set(lines(join(folder, 'all.jsonl'))), new Set(rows));
});

test('a branch that nobody waits for gets everything while it keeps up', { timeout: 60_000 }, async (t) => {
  const folder = temporaryFolder(t);
  writeRows(folder, 3000);
  const got = new Set<number>();
  const { url } = await serve(t, (rows, response) => {
    for (const { n } of rows) got.add(n);
    response.end();
  });
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn({ id: 'all' }, { id: 'out' }),
    fileOut('all'),
    httpOut(url, { best_effort: true, bulk_interval: 60_000 }),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.equal(got.size, 3000);
  assert.match(stderr, /3,000 to "out"\n/);
});

/** The stream says it. */
function until(stream: NodeJS.ReadableStream, said: RegExp): Promise<void> {
  let text = '';
  return new Promise((resolve) => {
    stream.on('data', (more: string) => {
      text += more;
      if (said.test(text)) resolve();
    });
  });
}

/** Looked at after each request. */
function waitFor(server: Server, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    server.on('request', (_request, response: ServerResponse) => response.on('finish', () => condition() && resolve()));
  });
}

test('a server that refuses every row is told of once, and at each doubling', async (t) => {
  const folder = temporaryFolder(t);
  writeRows(folder, 20);
  const { url } = await serve(t, (_, response) => response.writeHead(401).end('who are you'));
  const file = writePunchline(folder, 'BatchPunchline', [fileIn({ id: 'out' }), httpOut(url, { batch: { rows: 1 } })]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  const told = stderr.split('\n').filter((line) => line.includes('for good'));
  assert.equal(told.length, 5, stderr);
  assert.match(told[0]!, /sink "out" refuses a row for good, which the error table has: .* answers 401: who are you/);
  assert.match(told.at(-1)!, /refuses 16 rows so far for good/);
});
