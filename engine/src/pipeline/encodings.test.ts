/** Whole punchlines with CSV, compression, documents and sets of files, also when they are killed. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { deflateSync, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { reef, startReef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';
import { runInProcess } from '../testing/run-in-process.ts';

/** More with REEF_TEST_KILLS=300 (takes minutes). */
const KILLS = Number(process.env.REEF_TEST_KILLS ?? 15);

type Settings = Readonly<Record<string, unknown>>;
interface Column {
  readonly name: string;
  readonly type: string;
}

function chain(folder: string, source: Settings, sink: Settings, columns?: readonly Column[]): string {
  return writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: source, out: [{ id: 'out', ...(columns ? { columns } : {}) }] },
    { id: 'out', kind: 'sink', type: 'file', settings: sink },
  ]);
}

async function run(t: TestContext, folder: string, file: string): Promise<readonly string[]> {
  const tuning = { slotBytes: 4096, maxRowBytes: 8192 };
  const { result, warnings } = await runInProcess(file, { stateFolder: join(folder, 'state'), workers: 2, tuning });
  if (result.outcome !== 'finished') t.diagnostic(String(result.error));
  return result.outcome === 'finished' ? warnings : [String(result.error), ...warnings];
}

function deadLetters(folder: string): { reason: string; origin: { text: string } }[] {
  const path = join(folder, 'state/dead-letters.ndjson');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

test('CSV becomes typed rows, over many batches, and bad rows cost only themselves', async (t) => {
  const folder = temporaryFolder(t);
  const rows = Array.from({ length: 3000 }, (_, n) => ({ n, text: n % 7 ? `a, "b"\n${'x'.repeat(n % 90)}` : '' }));
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const lines = rows.map(({ n, text }) => `${n};${quoted(text)}\r\n`);
  lines.splice(1000, 0, 'no number;"x"\r\n', '7;"8"9\r\n', '1;2;3\r\n');
  writeFileSync(join(folder, 'in.csv'), `\ufeffn;text\r\n${lines.join('')}`);
  const columns = [
    { name: 'n', type: 'integer' },
    { name: 'text', type: 'string' },
  ];
  const source = { path: 'in.csv', encoding: { codec: 'csv', separator: ';' } };
  assert.deepEqual(await run(t, folder, chain(folder, source, { path: 'out.jsonl' }, columns)), []);
  assert.equal(readFileSync(join(folder, 'out.jsonl'), 'utf8'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  assert.deepEqual(
    deadLetters(folder).map(({ reason, origin }) => [reason.replace(/, expected.*/, ''), origin.text]),
    [
      ['the row has something between the closing quote of a field and the next separator', '7;"8"9'],
      ['the row has 3 fields', '1;2;3'],
      // Rows that cannot be read come before those that cannot be converted.
      ['column "n" is "no number" (string)', 'no number;"x"'],
    ],
  );
});

test('CSV that is written is read again as it was, header and all', async (t) => {
  const folder = temporaryFolder(t);
  const rows = Array.from({ length: 500 }, (_, n) => ({ 'a,b': `x\n"${n}"`, ...(n % 3 ? { c: n % 2 ? '' : `${n}` } : {}) }));
  writeFileSync(join(folder, 'in.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const encoding = { codec: 'csv', columns: ['a,b', 'c'] };
  assert.deepEqual(await run(t, folder, chain(folder, { path: 'in.jsonl' }, { path: 'mid.csv.zst', encoding })), []);
  assert.match(zstdDecompressSync(readFileSync(join(folder, 'mid.csv.zst'))).toString(), /^"a,b",c\n"x\n""0""",\n/);
  assert.deepEqual(await run(t, folder, chain(folder, { path: 'mid.csv.zst', encoding: 'csv' }, { path: 'out.jsonl' })), []);
  assert.equal(readFileSync(join(folder, 'out.jsonl'), 'utf8'), readFileSync(join(folder, 'in.jsonl'), 'utf8'));
});

test('each file has a header of its own, and what is wrong with one costs only that file', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'in'));
  writeFileSync(join(folder, 'in/1.csv'), 'a,b\n1,2\n');
  writeFileSync(join(folder, 'in/2.csv'), 'a"x,b\n3,4\n');
  writeFileSync(join(folder, 'in/3.csv'), 'b,,b\n5,6,7\n');
  writeFileSync(join(folder, 'in/4.csv'), 'c\n');
  const problems = await run(t, folder, chain(folder, { path: 'in', encoding: 'csv' }, { path: 'out.jsonl' }));
  assert.match(problems[0]!, /2\.csv.*the header of its CSV has a quote inside of a name/);
  assert.ok(problems.some((problem) => /a column has no name: it is called "column_2"/.test(problem)));
  assert.equal(readFileSync(join(folder, 'out.jsonl'), 'utf8'), '{"a":"1","b":"2"}\n{"b":"5","column_2":"6","b_2":"7"}\n');
});

test('CSV without a header takes its columns from the settings, else from the edge', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.csv'), '1,x\n2,y\n');
  const given = { path: 'in.csv', encoding: { codec: 'csv', header: false, columns: ['n', 'k'] } };
  await run(t, folder, chain(folder, given, { path: 'out.jsonl' }));
  assert.equal(readFileSync(join(folder, 'out.jsonl'), 'utf8'), '{"n":"1","k":"x"}\n{"n":"2","k":"y"}\n');
  const declared = { path: 'in.csv', encoding: { codec: 'csv', header: false } };
  const columns = [
    { name: 'n', type: 'integer' },
    { name: 'k', type: 'string' },
  ];
  await run(t, folder, chain(folder, declared, { path: 'out.jsonl' }, columns));
  assert.equal(readFileSync(join(folder, 'out.jsonl'), 'utf8'), '{"n":1,"k":"x"}\n{"n":2,"k":"y"}\n');
});

const lines = Array.from({ length: 2000 }, (_, n) => `{"n":${n},"text":"${'y'.repeat(n % 50)}"}\n`);

for (const [name, pack] of [
  ['in.jsonl.gz', gzipSync],
  ['in.jsonl.zst', zstdCompressSync],
  ['in.jsonl.zz', deflateSync],
  ['found-by-content', gzipSync],
] as const) {
  test(`compressed files are read, parts one behind the other too (${name})`, async (t) => {
    const folder = temporaryFolder(t);
    const parts = [lines.slice(0, 700), lines.slice(700)].map((part) => pack(Buffer.from(part.join(''))));
    writeFileSync(join(folder, name), Buffer.concat(parts));
    assert.deepEqual(await run(t, folder, chain(folder, { path: name }, { path: 'out.jsonl' })), []);
    assert.equal(readFileSync(join(folder, 'out.jsonl'), 'utf8'), lines.join(''));
  });
}

test('a compressed file that is cut off delivers the whole rows before the cut, and the other files, and fails', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'in'));
  const packed = gzipSync(lines.join(''), { level: 1 });
  writeFileSync(join(folder, 'in/1.jsonl.gz'), packed.subarray(0, packed.length >> 1));
  writeFileSync(join(folder, 'in/2.jsonl'), '{"last":1}\n');
  const problems = await run(t, folder, chain(folder, { path: 'in' }, { path: 'out.jsonl' }));
  assert.match(problems[0]!, /1\.jsonl\.gz: its gzip data ends too early, at compressed byte \d+/);
  const out = readFileSync(join(folder, 'out.jsonl'), 'utf8').split('\n').slice(0, -1);
  assert.equal(out.pop(), '{"last":1}');
  assert.ok(out.length > 300);
  assert.equal(`${out.join('\n')}\n`, lines.slice(0, out.length).join(''));
  assert.deepEqual(deadLetters(folder), [], 'half a row was taken for one');
});

test('a JSON document gives its elements, and a bad one costs only itself', async (t) => {
  const folder = temporaryFolder(t);
  const elements = lines.map((line) => JSON.parse(line) as unknown);
  const text = JSON.stringify(elements, null, 2);
  writeFileSync(
    join(folder, 'in.json.gz'),
    gzipSync(text.replace('"n": 5,', '"n": five,').replace('"n": 9,', '"n": 9, "m": "a\nb",')),
  );
  const source = { path: 'in.json.gz', encoding: { codec: 'json', form: 'document' } };
  assert.deepEqual(await run(t, folder, chain(folder, source, { path: 'out.jsonl' })), []);
  const found = readFileSync(join(folder, 'out.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);
  assert.deepEqual(
    found,
    elements.filter((_, n) => n !== 5 && n !== 9),
  );
  assert.equal(deadLetters(folder).length, 2);
  writeFileSync(join(folder, 'in.json'), text.slice(0, -3));
  const [problem] = await run(t, folder, chain(folder, { ...source, path: 'in.json' }, { path: 'out.jsonl' }));
  assert.match(problem!, /in\.json: it ends too early/);
});

/** Kills the process after some changes below the folder; false: it ended before. */
async function killAfter(t: TestContext, args: readonly string[], watched: string, changes: number): Promise<boolean> {
  const { child, ended } = startReef(t, args);
  let left = changes;
  const watcher = watch(watched, { recursive: true }, () => {
    if (--left === 0) child.kill('SIGKILL');
  });
  const { signal } = await ended;
  watcher.close();
  return signal === 'SIGKILL';
}

test(`after ${KILLS} kills every row stands in its file once, in order, in whole members`, { timeout: 480_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const rows = 300_000;
  const kinds = ['a', 'b', '../c', 'd'];
  const text = Array.from({ length: rows }, (_, n) => `${n},${kinds[(n * 7) % 4]},"x\n${n % 100}"\n`);
  writeFileSync(join(folder, 'in.csv.gz'), gzipSync(`n,kind,text\n${text.join('')}`, { level: 1 }));
  mkdirSync(join(folder, 'out'));
  const sink = { path: 'out/%{kind}.csv.gz', encoding: 'csv', rotate_bytes: 60_000, max_open_files: 3 };
  const columns = ['n', 'kind', 'text'].map((name) => ({ name, type: name === 'n' ? 'integer' : 'string' }));
  const file = chain(folder, { path: 'in.csv.gz', encoding: 'csv' }, sink, columns);
  const args = ['run', file, '--state', join(folder, 'state')];
  let kills = 0;
  for (let tries = 0; kills < KILLS && tries < 3 * KILLS; tries++) {
    const isKilled = await killAfter(t, args, join(folder, 'out'), 1 + Math.floor(Math.random() * 60));
    if (!isKilled) break;
    kills++;
  }
  t.diagnostic(`${kills} kills with rows in flight`);
  const last = await reef(t, args);
  assert.equal(last.code, 0, last.stderr);
  const seen = new Uint8Array(rows);
  for (const kind of kinds) {
    const names = readdirSync(join(folder, 'out')).filter((name) => name.startsWith(`${kind.replace('../', '%2E%2E%2F')}-`));
    let before = -1;
    for (const name of names.sort()) {
      const records = gunzipSync(readFileSync(join(folder, 'out', name)))
        .toString()
        .split(/\n(?=\d+,)/);
      assert.equal(records.shift(), 'n,kind,text', name);
      for (const record of records) {
        const n = Number(record.slice(0, record.indexOf(',')));
        assert.equal(record.trimEnd(), text[n]!.trimEnd());
        assert.ok(n > before, `${name}: ${n} behind ${before}`);
        before = n;
        seen[n]!++;
      }
    }
  }
  assert.ok(
    seen.every((times) => times === 1),
    'a row is missing or stands there twice',
  );
  assert.ok(kills >= Math.min(KILLS, 5), `only ${kills} kills hit rows in flight: the test proves too little`);
});
