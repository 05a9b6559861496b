/** The codec `raw` in whole punchlines: bytes of any kind go in and come out unchanged. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { binarySamples } from '../testing/binary-samples.ts';
import { mainFile, reef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';
import { runInProcess } from '../testing/run-in-process.ts';

const samples = binarySamples();
const content = [{ name: 'content', type: 'bytes' }];

function chain(folder: string, source: object, sinks: readonly object[], columns?: readonly object[]): string {
  const nodes = sinks.map((sink, index) => ({ id: `out${index}`, kind: 'sink', ...sink }));
  const out = nodes.map(({ id }) => ({ id, ...(columns ? { columns } : {}) }));
  return writePunchline(folder, 'BatchPunchline', [{ id: 'in', kind: 'source', ...source, out }, ...nodes]);
}

test('each file is a row, compressed or not, and comes out of files as it went in', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'in'));
  for (const [n, bytes] of samples.entries()) writeFileSync(join(folder, 'in', `${n}`), n === 6 ? gzipSync(bytes) : bytes);
  const source = { type: 'file', settings: { path: 'in', encoding: 'raw' } };
  const sinks = ['json', 'raw'].map((encoding) => ({ type: 'file', settings: { path: `out.${encoding}`, encoding } }));
  const file = chain(folder, source, sinks, [...content, { name: '_ppf_id', type: 'string' }]);
  const { code, stderr } = await reef(t, ['run', file]);
  assert.equal(code, 0, stderr);
  const rows = readFileSync(join(folder, 'out.json'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    rows.map((row) => JSON.parse(row)),
    samples.map((bytes, n) => ({ content: bytes.toString('base64'), _ppf_id: `in:in/${n}:0` })),
  );
  assert.deepEqual(readFileSync(join(folder, 'out.raw')), Buffer.concat(samples));
  const again = await reef(t, ['run', file]);
  assert.equal(again.code, 0);
});

test('a file that is longer than a row may be goes to the error table with its length and digest, and costs no other', async (t) => {
  const folder = temporaryFolder(t);
  const long = Buffer.alloc(60_000, 'ab\0');
  mkdirSync(join(folder, 'in'));
  writeFileSync(join(folder, 'in', '1'), long);
  writeFileSync(join(folder, 'in', '2'), samples[0]!);
  const file = chain(folder, { type: 'file', settings: { path: 'in', encoding: 'raw' } }, [
    { type: 'file', settings: { path: 'out.raw', encoding: 'raw' } },
  ]);
  const { result } = await runInProcess(file, {
    stateFolder: join(folder, 'state'),
    workers: 1,
    tuning: { maxRowBytes: 65_536 },
  });
  assert.equal(result.outcome, 'finished');
  assert.deepEqual(readFileSync(join(folder, 'out.raw')), samples[0]);
  const [letter] = readFileSync(join(folder, 'state/dead-letters.ndjson'), 'utf8').trimEnd().split('\n');
  const { reason, origin } = JSON.parse(letter!);
  assert.equal(reason, 'the row is 80000 bytes long, at most 65536 are allowed: bytes stand in it as base64');
  assert.deepEqual([origin.bytes, origin.sha256], [long.length, createHash('sha256').update(long).digest('hex')]);
});

test('standard input is one row, and standard output its bytes', async (t) => {
  const folder = temporaryFolder(t);
  const file = chain(folder, { type: 'stdin', settings: { encoding: 'raw' } }, [
    { type: 'stdout', settings: { encoding: 'raw' } },
  ]);
  for (const bytes of samples) {
    const child = spawn(process.execPath, [mainFile, 'run', file], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(bytes);
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    const [code] = await once(child, 'close');
    assert.equal(code, 0);
    assert.deepEqual(Buffer.concat(parts), bytes);
  }
});

test('a row whose column holds no bytes goes to the error table, the others are written', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in'), '{"content":"AP8K"}\n{"content":"no base64!"}\n{"content":7}\n{}\n');
  const file = chain(folder, { type: 'file', settings: { path: 'in' } }, [
    { type: 'file', settings: { path: 'out', encoding: 'raw' } },
  ]);
  const { result } = await runInProcess(file, { stateFolder: join(folder, 'state'), workers: 1 });
  assert.equal(result.outcome, 'finished');
  assert.deepEqual(readFileSync(join(folder, 'out')), Buffer.from([0x00, 0xff, 0x0a]));
  const letters = readFileSync(join(folder, 'state/dead-letters.ndjson'), 'utf8').trimEnd().split('\n');
  assert.equal(letters.length, 3);
});
