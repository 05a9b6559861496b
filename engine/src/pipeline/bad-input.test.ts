/** Everything that a file can do wrong: each costs only its own rows, is told clearly, and nothing is lost. */
import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Ended, reef, startReef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';

interface Outcome extends Ended {
  readonly rows: string[];
  readonly rejected: { reason: string; position: number; origin: Record<string, unknown> }[];
}

function punchline(folder: string, source: object = {}, sink: object = {}): string {
  return writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl', ...source }, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.jsonl', ...sink } },
  ]);
}

function lines(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

async function run(t: TestContext, content: string | Buffer): Promise<Outcome> {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), content);
  return runIn(t, folder);
}

async function runIn(t: TestContext, folder: string): Promise<Outcome> {
  const state = join(folder, 'state');
  const ended = await reef(t, ['run', punchline(folder), '--state', state]);
  assert.equal(ended.code, 0, ended.stderr);
  const rejected = lines(join(state, 'dead-letters.ndjson')).map((line) => JSON.parse(line));
  return { ...ended, rows: lines(join(folder, 'out.jsonl')), rejected };
}

const good = '{"good":1}';

const bad: readonly [name: string, row: string | Buffer, reason: RegExp][] = [
  ['a truncated object', '{"a":{"b":[1,2', /JSON.*(early|closed)/],
  ['a string that is not closed', '{"a":"b', /string is not closed|early/],
  ['invalid UTF-8', Buffer.from('{"a":"\xc3\x28"}', 'latin1'), /UTF-8/],
  ['a NUL byte in a string', '{"a":"\0"}', /control character/],
  ['a NUL byte between tokens', '{"a":\0 1}', /JSON/],
  ['too deep an object', `{"a":${'['.repeat(2000)}${']'.repeat(2000)}}`, /nested too deep/],
  ['two objects on a line', '{"a":1}{"b":2}', /follows/],
  ['a list', '[1]', /no object/],
  ['a number', '1', /no object/],
];

for (const [name, row, reason] of bad) {
  test(`${name} costs only its own row`, async (t) => {
    const { rows, rejected } = await run(
      t,
      Buffer.concat([Buffer.from(`${good}\n`), Buffer.from(row), Buffer.from(`\n${good}\n`)]),
    );
    assert.deepEqual(rows, [good, good]);
    assert.equal(rejected.length, 1);
    assert.match(rejected[0]!.reason, reason);
    assert.equal(rejected[0]!.position, good.length + 1);
    const { text, base64 } = rejected[0]!.origin;
    const kept = text === undefined ? Buffer.from(base64 as string, 'base64') : Buffer.from(text as string);
    assert.deepEqual(kept, Buffer.from(row));
  });
}

test('CRLF ends rows as LF does, blank lines are skipped, and a last row needs no newline', async (t) => {
  const { rows, rejected } = await run(t, `${good}\r\n\r\n   \n\n{"b": 2}\r\n{"c":3}`);
  assert.deepEqual(rows, [good, '{"b": 2}', '{"c":3}']);
  assert.deepEqual(rejected, []);
});

test('an empty file gives an empty file', async (t) => {
  const { rows } = await run(t, '');
  assert.deepEqual(rows, []);
});

test('a large row of many members and long strings passes unchanged', async (t) => {
  const large = JSON.stringify({
    list: Array.from({ length: 200_000 }, (_, n) => ({ n, text: 'é"\\' })),
    long: 'x'.repeat(3_000_000),
  });
  const { rows } = await run(t, `${good}\n${large}\n${good}\n`);
  assert.ok(rows[1] === large && rows.length === 3);
});

test('a line of one gigabyte is rejected by its length and digest, the rows around it pass, memory stays bounded', async (t) => {
  const folder = temporaryFolder(t);
  const file = openSync(join(folder, 'in.jsonl'), 'w');
  writeSync(file, `${good}\n`);
  // A hole: a gigabyte of NUL bytes that takes no disk.
  ftruncateSync(file, 1e9 + good.length + 1);
  writeSync(file, `\n${good}\n`, 1e9 + good.length + 1);
  closeSync(file);
  const { rows, rejected, stderr } = await runIn(t, folder);
  assert.deepEqual(rows, [good, good]);
  assert.equal(rejected[0]!.origin.bytes, 1e9);
  assert.equal((rejected[0]!.origin.sha256 as string).length, 64);
  const [, peak] = /memory +([\d.]+) MB at most/.exec(stderr)!;
  assert.ok(Number(peak) < 200, `${peak} MB`);
});

test('a file that is not there, and a folder in its place, are told before anything runs or at once', async (t) => {
  const folder = temporaryFolder(t);
  const missing = await reef(t, ['run', punchline(folder), '--state', join(folder, 'state')]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /in\.jsonl/);
  assert.doesNotMatch(missing.stderr, /\n {4}at /);
  assert.ok(!existsSync(join(folder, 'out.jsonl')), 'the output was touched although nothing could be read');
  mkdirSync(join(folder, 'out.jsonl'));
  writeFileSync(join(folder, 'in.jsonl'), `${good}\n`);
  const isFolder = await reef(t, ['run', punchline(folder), '--state', join(folder, 'state')]);
  assert.equal(isFolder.code, 1);
  assert.match(isFolder.stderr, /out\.jsonl.*folder/i);
});

test('on a full disk rows wait and are warned about; after a stop they come at the next start', async (t) => {
  const folder = temporaryFolder(t);
  const state = join(folder, 'state');
  writeFileSync(join(folder, 'in.jsonl'), `${good}\n`);
  symlinkSync('/dev/full', join(folder, 'out.jsonl'));
  const { child, ended } = startReef(t, ['run', punchline(folder), '--state', state, '--drain-secs', '0.3']);
  let told = '';
  child.stderr.on('data', (text: string) => {
    const before = told;
    told += text;
    if (!/ENOSPC/.test(before) && /ENOSPC/.test(told)) child.kill('SIGTERM');
  });
  const { code, stderr } = await ended;
  assert.equal(code, 4, stderr);
  unlinkSync(join(folder, 'out.jsonl'));
  const { rows } = await runIn(t, folder);
  assert.deepEqual(rows, [good]);
});
