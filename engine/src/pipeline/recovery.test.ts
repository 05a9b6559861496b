/** Workers that die, rows that kill, slots that are short: what must go on, and in which order. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { reef, startReef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';
import { runInProcess } from '../testing/run-in-process.ts';
import { writeFunction } from '../testing/user-function.ts';

const fileIn = (path: string, ...to: object[]): object => ({
  id: 'in',
  kind: 'source',
  type: 'file',
  settings: { path },
  out: to,
});
const fileOut = (id: string): object => ({ id, kind: 'sink', type: 'file', settings: { path: `${id}.ndjson` } });
const numbered = (count: number): string[] => Array.from({ length: count }, (_, n) => `{"n":${n}}`);

function lines(folder: string, name: string): string[] {
  return readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1);
}

test('a row that is larger than an output slot goes to several sinks', { timeout: 20_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const rows = ['{"n":1}', `{"large":"${'x'.repeat(100_000)}"}`, '{"n":2}', `{"large":"${'y'.repeat(120_000)}"}`];
  writeFileSync(join(folder, 'in.jsonl'), `${rows.join('\n')}\n`);
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('in.jsonl', { id: 'a' }, { id: 'b' }, { id: 'c' }),
    ...['a', 'b', 'c'].map(fileOut),
  ]);
  const tuning = { slotBytes: 4096, maxRowBytes: 1 << 20 };
  const { result } = await runInProcess(file, { stateFolder: join(folder, 'state'), workers: 1, tuning });
  assert.equal(result.outcome, 'finished');
  for (const sink of ['a', 'b', 'c']) assert.deepEqual(lines(folder, `${sink}.ndjson`), rows);
});

test('a function that ends its worker while it is opened fails the start', { timeout: 20_000 }, async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), '{"n":1}\n');
  const type = writeFunction(folder, 'dies.js', '', [], [], 'process.exit(7)');
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('in.jsonl', { id: 'dies' }),
    { id: 'dies', kind: 'function', type, out: [{ id: 'out' }] },
    fileOut('out'),
  ]);
  await assert.rejects(
    runInProcess(file, { stateFolder: join(folder, 'state'), workers: 1 }),
    /Cannot start a worker: it exited with code 7/,
  );
});

test('a file sink that has another name when a stopped batch goes on keeps what its file has', { timeout: 60_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const rows = numbered(4000);
  writeFileSync(join(folder, 'in.jsonl'), `${rows.join('\n')}\n`);
  for (const [path, kind] of [
    ['out.jsonl', 'one file'],
    ['%{n}.jsonl', 'a set of files'],
  ] as const) {
    const state = join(folder, `state of ${kind}`);
    const dag = (id: string): object[] => [
      { ...fileIn('in.jsonl', { id }), engine_settings: { throughput: id === 'a' ? 1000 : 0 } },
      { id, kind: 'sink', type: 'file', settings: { path: path.replace('%{n}', '%{m}') } },
    ];
    const output = join(folder, path.replace('%{n}', '_'));
    const { child, ended } = startReef(t, ['run', writePunchline(folder, 'BatchPunchline', dag('a')), '--state', state]);
    for await (const _ of watch(folder)) if (existsSync(output) && statSync(output).size > 0) break;
    child.kill('SIGTERM');
    await ended;
    const before = readFileSync(output, 'utf8').split('\n').length - 1;
    assert.ok(before > 0 && before < rows.length, `${before} rows`);
    const { code, stderr } = await reef(t, ['run', writePunchline(folder, 'BatchPunchline', dag('b')), '--state', state]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /File sink \\?"b\\?" had no part in the run that goes on: it writes behind what is there/);
    assert.deepEqual(readFileSync(output, 'utf8').split('\n').slice(0, -1), rows, kind);
  }
});

test('the rows of another file are not taken for those that killed the process', { timeout: 40_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const state = join(folder, 'state');
  const rows = numbered(200);
  writeFileSync(join(folder, 'in.jsonl'), `${rows.join('\n')}\n`);
  const body = `const n = batch.column('n').f64({ missing: 'skip' }); for (const row of batch.rows) if (n[row] === 123) process.kill(process.pid, 'SIGKILL');`;
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('in.jsonl', { id: 'kill' }),
    { id: 'kill', kind: 'function', type: writeFunction(folder, 'kill.js', body, ['n']), out: [{ id: 'out' }] },
    fileOut('out'),
  ]);
  assert.equal((await reef(t, ['run', file, '--state', state])).signal, 'SIGKILL');
  const isolated = await reef(t, ['run', file, '--state', state]);
  assert.equal(isolated.code, 0, isolated.stderr);
  assert.equal(lines(folder, 'out.ndjson').length, 199);
  // The same name, other rows: of other lengths, and later of the same.
  for (const others of [rows.map((_, n) => `{"n":${n + 1000}}`), rows.map((_, n) => `{"m":${n}}`)]) {
    writeFileSync(join(folder, 'in.jsonl'), `${others.join('\n')}\n`);
    const { code, stderr } = await reef(t, ['run', file, '--state', state]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(lines(folder, 'out.ndjson'), others);
  }
});

test('a row that kills the process is found in the last of several files too', { timeout: 40_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const state = join(folder, 'state');
  for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, `${name}.jsonl`), `{"file":"${name}"}\n`);
  const body = `const is = batch.column('file').equals('c');
    for (const row of batch.rows) if (is[row]) process.kill(process.pid, 'SIGKILL');`;
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('*.jsonl', { id: 'kill' }),
    { id: 'kill', kind: 'function', type: writeFunction(folder, 'kill.js', body, ['file']), out: [{ id: 'out' }] },
    fileOut('out'),
  ]);
  assert.equal((await reef(t, ['run', file, '--state', state])).signal, 'SIGKILL');
  const second = await reef(t, ['run', file, '--state', state]);
  assert.equal(second.code, 0, second.stderr);
  assert.deepEqual(lines(folder, 'out.ndjson'), ['{"file":"a"}', '{"file":"b"}']);
});

test('what does not fit a worker is given to a function with state again once, not in every batch', {
  timeout: 40_000,
}, async (t) => {
  const folder = temporaryFolder(t);
  const rows = numbered(40_000);
  writeFileSync(join(folder, 'in.jsonl'), `${rows.join('\n')}\n`);
  const body = `const large = 'x'.repeat(8192);
    const numbers = new BigInt64Array(batch.size);
    for (const row of batch.rows) numbers[row] = BigInt(seen++);
    batch.set('seen', { integer: numbers });
    batch.set('large', { strings: Array.from({ length: batch.size }, () => large) });`;
  const columns = ['n', 'seen'].map((name) => ({ name, type: 'integer' }));
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('in.jsonl', { id: 'count' }),
    {
      id: 'count',
      kind: 'function',
      type: writeFunction(folder, 'count.js', body, [], ['large', 'seen'], 'let seen = 0'),
      out: [{ id: 'out', columns }],
    },
    fileOut('out'),
  ]);
  const { result } = await runInProcess(file, {
    stateFolder: join(folder, 'state'),
    workers: 1,
    tuning: { maxRowBytes: 1 << 20, maxRows: 8192 },
  });
  assert.equal(result.outcome, 'finished');
  const out = lines(folder, 'out.ndjson').map((line) => JSON.parse(line) as { n: number; seen: number });
  assert.deepEqual(
    out.map(({ n }) => n),
    rows.map((_, n) => n),
  );
  const again = out.map(({ n, seen }) => seen - n);
  assert.ok(again[0]! > 0, 'everything fitted: the test shows nothing');
  assert.ok(again.at(-1)! < 2 * 8192, `${again.at(-1)} rows came twice`);
  assert.equal(again.at(-1), again[0]);
});

test('a row that killed the process as the last of its file is rejected when the file has grown', {
  timeout: 20_000,
}, async (t) => {
  for (const codec of ['json', 'line']) {
    const folder = temporaryFolder(t);
    const state = join(folder, 'state');
    mkdirSync(state);
    writeFileSync(join(folder, 'in.jsonl'), '{"n":1}\n{"n":2}\n{"n":3}\n');
    // Without the newline, as it stood then.
    const range = { source: 'in', partition: 'in.jsonl', from: 8, to: 15 };
    writeFileSync(join(state, 'suspects.json'), JSON.stringify([{ kind: 'range', range }]));
    const source = { ...fileIn('in.jsonl', { id: 'out' }), settings: { path: 'in.jsonl', encoding: codec } };
    const sink = { ...fileOut('out'), settings: { path: 'out.ndjson', encoding: codec } };
    const file = writePunchline(folder, 'BatchPunchline', [source, sink]);
    const { result } = await runInProcess(file, { stateFolder: state, workers: 1 });
    assert.equal(result.outcome, 'finished');
    assert.deepEqual(lines(folder, 'out.ndjson'), ['{"n":1}', '{"n":3}'], codec);
    const documents = lines(state, 'dead-letters.ndjson').map((line) => JSON.parse(line));
    assert.deepEqual(
      documents.map(({ origin, position }) => [origin.text, position]),
      [['{"n":2}', 8]],
    );
  }
});

test('workers that die whatever they are given end the punchline, and the rows are still there at the next start', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), '{"n":1}\n{"n":2}\n');
  const state = "process.nextTick(() => { throw new Error('no good') })";
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'f' }] },
    { id: 'f', kind: 'function', type: writeFunction(folder, 'f.js', '', [], [], state), out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.jsonl' } },
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state'), '--workers', '1']);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /Cannot go on: workers die though no function is given a row: .*no good/);
  writeFunction(folder, 'f.js', '');
  const again = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(again.code, 0, again.stderr);
  assert.equal(readFileSync(join(folder, 'out.jsonl'), 'utf8'), '{"n":1}\n{"n":2}\n');
});
