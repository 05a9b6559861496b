/** Whole punchlines through the built command: what comes out, in which order, and where bad rows go. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { reef, startReef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';
import { writeFunction } from '../testing/user-function.ts';

const fileIn = (path: string, ...to: object[]): object => ({
  id: 'in',
  kind: 'source',
  type: 'file',
  settings: { path },
  out: to,
});
const fileOut = (id: string, path = `${id}.jsonl`): object => ({ id, kind: 'sink', type: 'file', settings: { path } });

function lines(folder: string, name: string): string[] {
  return readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1);
}

function deadLetters(
  state: string,
): { node: string; reason: string; position: number; origin: { text?: string; base64?: string } }[] {
  return lines(state, 'dead-letters.ndjson').map((line) => JSON.parse(line));
}

test('two workers on one file keep its order', async (t) => {
  const folder = temporaryFolder(t);
  const rows = Array.from({ length: 60_000 }, (_, n) => `{"n":${n},"pad":"${'p'.repeat(n % 200)}"}\n`).join('');
  writeFileSync(join(folder, 'in.jsonl'), rows);
  const file = writePunchline(folder, 'BatchPunchline', [fileIn('in.jsonl', { id: 'out' }), fileOut('out')]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state'), '--workers', '2']);
  assert.equal(code, 0, stderr);
  assert.equal(readFileSync(join(folder, 'out.jsonl'), 'utf8'), rows);
});

test('a batch that is run twice gives the same result twice', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), '{"a":1}\nbad\n{"a":2}\n');
  const file = writePunchline(folder, 'BatchPunchline', [fileIn('in.jsonl', { id: 'out' }), fileOut('out')]);
  for (let run = 0; run < 2; run++) {
    const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(lines(folder, 'out.jsonl'), ['{"a":1}', '{"a":2}']);
    assert.equal(deadLetters(join(folder, 'state')).length, 1);
  }
});

test('rows fan out to every sink, and each branch keeps only its declared columns', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), '{"a":1,"b":"x","c":[1, 2]}\n{"c":null,"a":"2"}\n');
  const columns = [
    { name: 'c', type: 'any' },
    { name: 'a', type: 'integer' },
  ];
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('in.jsonl', { id: 'all' }, { id: 'some', columns }),
    fileOut('all'),
    fileOut('some'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(lines(folder, 'all.jsonl'), ['{"a":1,"b":"x","c":[1, 2]}', '{"c":null,"a":"2"}']);
  assert.deepEqual(lines(folder, 'some.jsonl'), ['{"c":[1, 2],"a":1}', '{"c":null,"a":2}']);
});

test('a function routes rows to tables, and unrouted rows go to every out', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), '{"to":"left"}\n{"to":"right"}\n{"to":"both"}\n{"to":"nowhere"}\n');
  const body = `const to = batch.column('to');
    for (const table of ['left', 'right', 'nowhere']) batch.route(to.equals(table), table);`;
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('in.jsonl', { id: 'split' }),
    {
      id: 'split',
      kind: 'function',
      type: writeFunction(folder, 'split.js', body, ['to']),
      out: [
        { id: 'l', table: 'left' },
        { id: 'r', table: 'right' },
      ],
    },
    fileOut('l'),
    fileOut('r'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(lines(folder, 'l.jsonl'), ['{"to":"left"}', '{"to":"both"}']);
  assert.deepEqual(lines(folder, 'r.jsonl'), ['{"to":"right"}', '{"to":"both"}']);
  assert.match(stderr, /1 routed to a table that no out has/);
});

test('rejected rows go to the nearest error table as documents that hold the row twice', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), '{"n":1}\n{"n":"one"}\nnot json\n[1]\n{"n":2}\n');
  const body = `const n = batch.column('n').i64(); batch.set('double', { integer: n.map((value) => value * 2n) });`;
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('in.jsonl', { id: 'mark' }),
    {
      id: 'mark',
      kind: 'function',
      type: writeFunction(folder, 'mark.js', `batch.set('seen', { constant: true });`, [], ['seen']),
      out: [{ id: 'double' }],
    },
    {
      id: 'double',
      kind: 'function',
      type: writeFunction(folder, 'double.js', body, ['n'], ['double']),
      out: [{ id: 'good' }, { id: 'errors', table: '_ppf_errors', columns: [{ name: '_ppf_error_document', type: 'string' }] }],
    },
    fileOut('good'),
    fileOut('errors'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(lines(folder, 'good.jsonl'), ['{"n":1,"seen":true,"double":2}', '{"n":2,"seen":true,"double":4}']);
  const documents = lines(folder, 'errors.jsonl').map((line) => JSON.parse(JSON.parse(line)._ppf_error_document));
  const seen = documents.map(({ node, reason, position, origin, entered }) => [
    node,
    reason,
    position,
    origin.text,
    entered.text,
  ]);
  assert.deepEqual(
    seen.sort((a, b) => a[2] - b[2]),
    [
      ['double', 'column "n" is "one" (string), expected integer', 8, '{"n":"one"}', '{"n":"one","seen":true}'],
      ['in', seen.find(([, , position]) => position === 20)![1], 20, 'not json', 'not json'],
      ['in', 'the row is valid JSON but no object', 29, '[1]', '[1]'],
    ],
  );
  assert.match(stderr, /3 rejected/);
  assert.match(stderr, /1 valid but no object/);
});

test('without an error table rejected rows are in the dead-letter file that the summary names', async (t) => {
  const folder = temporaryFolder(t);
  const state = join(folder, 'state');
  writeFileSync(join(folder, 'in.jsonl'), Buffer.from('{"a":1}\n{"a":"\xff"}\n', 'latin1'));
  const file = writePunchline(folder, 'BatchPunchline', [fileIn('in.jsonl', { id: 'out' }), fileOut('out')]);
  const { stderr } = await reef(t, ['run', file, '--state', state]);
  assert.ok(stderr.includes(join(state, 'dead-letters.ndjson')), stderr);
  const [document] = deadLetters(state);
  assert.equal(document?.origin.base64, Buffer.from('{"a":"\xff"}', 'latin1').toString('base64'));
  assert.match(document!.reason, /UTF-8/);
});

test('a function that throws rejects the rows of its batch and the run goes on', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), '{"a":1}\n');
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('in.jsonl', { id: 'bad' }),
    { id: 'bad', kind: 'function', type: writeFunction(folder, 'bad.js', `throw new Error('no luck')`), out: [{ id: 'out' }] },
    fileOut('out'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.equal(deadLetters(join(folder, 'state'))[0]!.reason, 'no luck');
});

test('a row that kills its worker is found by halving and rejected, the others pass in order', async (t) => {
  const folder = temporaryFolder(t);
  const rows = Array.from({ length: 50 }, (_, n) => `{"n":${n}}`);
  writeFileSync(join(folder, 'in.jsonl'), `${rows.join('\n')}\n`);
  const body = `const n = batch.column('n').f64(); for (const row of batch.rows) if (n[row] === 17) process.exit(3);`;
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('in.jsonl', { id: 'kill' }),
    { id: 'kill', kind: 'function', type: writeFunction(folder, 'kill.js', body, ['n']), out: [{ id: 'out' }] },
    fileOut('out'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    lines(folder, 'out.jsonl'),
    rows.filter((_, n) => n !== 17),
  );
  const [document] = deadLetters(join(folder, 'state'));
  assert.equal(document?.origin.text, '{"n":17}');
  assert.match(document!.reason, /worker died twice/);
});

test('a row that kills the process is isolated at the next start', async (t) => {
  const folder = temporaryFolder(t);
  const rows = Array.from({ length: 2000 }, (_, n) => `{"n":${n}}`);
  writeFileSync(join(folder, 'in.jsonl'), `${rows.join('\n')}\n`);
  const body = `const n = batch.column('n').f64(); for (const row of batch.rows) if (n[row] === 1234) process.kill(process.pid, 'SIGKILL');`;
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('in.jsonl', { id: 'kill' }),
    { id: 'kill', kind: 'function', type: writeFunction(folder, 'kill.js', body, ['n']), out: [{ id: 'out' }] },
    fileOut('out'),
  ]);
  const state = join(folder, 'state');
  const first = await reef(t, ['run', file, '--state', state]);
  assert.equal(first.signal, 'SIGKILL');
  const second = await reef(t, ['run', file, '--state', state]);
  assert.equal(second.code, 0, second.stderr);
  assert.deepEqual(
    lines(folder, 'out.jsonl'),
    rows.filter((_, n) => n !== 1234),
  );
  assert.equal(deadLetters(state)[0]!.origin.text, '{"n":1234}');
});

test('a row larger than a slot passes, one beyond the bound is rejected with its length, digest and head', async (t) => {
  const folder = temporaryFolder(t);
  const state = join(folder, 'state');
  const large = `{"a":"${'x'.repeat(5_000_000)}"}`;
  const tooLarge = `{"b":"${'y'.repeat(17_000_000)}"}`;
  writeFileSync(join(folder, 'in.jsonl'), `{"n":1}\n${large}\n${tooLarge}\n{"n":2}\n`);
  const file = writePunchline(folder, 'BatchPunchline', [fileIn('in.jsonl', { id: 'out' }), fileOut('out')]);
  const { code, stderr } = await reef(t, ['run', file, '--state', state]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    lines(folder, 'out.jsonl').map((line) => line.length),
    [7, large.length, 7],
  );
  const [document] = deadLetters(state) as unknown as { reason: string; position: number; origin: Record<string, unknown> }[];
  assert.match(document!.reason, /17000008 bytes long, at most 16777216 are allowed/);
  assert.equal(document!.position, 8 + large.length + 1);
  assert.equal(document!.origin.bytes, tooLarge.length);
  assert.equal(document!.origin.sha256, createHash('sha256').update(tooLarge).digest('hex'));
  assert.equal((document!.origin.text as string).length, 64 * 1024);
});

test('output that grows far beyond a slot is written whole and in order', async (t) => {
  const folder = temporaryFolder(t);
  const rows = Array.from({ length: 20_000 }, (_, n) => `{"n":${n}}`);
  writeFileSync(join(folder, 'in.jsonl'), `${rows.join('\n')}\n`);
  const body = `batch.set('pad', { constant: 'z'.repeat(2000) });`;
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('in.jsonl', { id: 'grow' }),
    { id: 'grow', kind: 'function', type: writeFunction(folder, 'grow.js', body, [], ['pad']), out: [{ id: 'a' }, { id: 'b' }] },
    fileOut('a'),
    fileOut('b'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  for (const name of ['a.jsonl', 'b.jsonl']) {
    const written = lines(folder, name);
    assert.equal(written.length, rows.length);
    assert.ok(
      written.every((line, n) => line === `{"n":${n},"pad":"${'z'.repeat(2000)}"}`),
      name,
    );
  }
});

test('SIGTERM ends a stream in order, and the next start goes on behind it', async (t) => {
  const folder = temporaryFolder(t);
  const state = join(folder, 'state');
  const file = writePunchline(folder, 'StreamPunchline', [
    {
      id: 'in',
      kind: 'source',
      type: 'generator',
      settings: { interval: 1, messages_column: [{ a: 'x' }] },
      out: [{ id: 'out' }],
    },
    { id: 'out', kind: 'sink', type: 'stdout' },
  ]);
  const { child, ended } = startReef(t, ['run', file, '--state', state]);
  child.stdout.once('data', () => child.kill('SIGTERM'));
  const { code, stdout, stderr } = await ended;
  assert.equal(code, 0, stderr);
  assert.ok(stdout.endsWith('}\n'), stdout);
  const { positions } = JSON.parse(readFileSync(join(state, 'checkpoint.json'), 'utf8'));
  assert.equal(positions.in.messages.messages, stdout.split('\n').length - 1);
});

test('a closed pipe ends the run with a clear message', async (t) => {
  const folder = temporaryFolder(t);
  const file = writePunchline(folder, 'StreamPunchline', [
    {
      id: 'in',
      kind: 'source',
      type: 'generator',
      settings: { interval: 0, messages_column: [{ a: 'x' }] },
      out: [{ id: 'out' }],
    },
    { id: 'out', kind: 'sink', type: 'stdout' },
  ]);
  const { child, ended } = startReef(t, ['run', file, '--state', join(folder, 'state')]);
  child.stdout.once('data', () => child.stdout.destroy());
  const { code, stderr } = await ended;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /closed/);
  assert.doesNotMatch(stderr, / at .*:\d+:\d+/);
});

test('that nobody reads what it says does not end a run', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), '{"n":1}\n');
  const file = writePunchline(folder, 'StreamPunchline', [
    fileIn('in.jsonl', { id: 'out' }),
    { id: 'out', kind: 'sink', type: 'stdout' },
  ]);
  const { child, ended } = startReef(t, ['run', file, '--state', join(folder, 'state')]);
  child.stderr.destroy();
  child.stdout.once('data', () => child.kill('SIGTERM'));
  const { code, stdout } = await ended;
  assert.equal(code, 0);
  assert.equal(stdout, '{"n":1}\n');
});

test('a workers option out of bounds is a usage error', async (t) => {
  const { code, stderr } = await reef(t, ['run', 'x.yaml', '--workers', '0']);
  assert.equal(code, 2);
  assert.match(stderr, /--workers is "0", expected a whole number from 1 to 16/);
});

test('a function in TypeScript is stripped of its types once, and again when it has changed', async (t) => {
  const folder = temporaryFolder(t);
  const cache = join(folder, 'cache');
  writeFileSync(join(folder, 'in.jsonl'), '{"a":1}\n');
  const run = async (body: string): Promise<string[]> => {
    const type = writeFunction(folder, 'mark.ts', body, [], ['mark']);
    const file = writePunchline(folder, 'BatchPunchline', [
      fileIn('in.jsonl', { id: 'mark' }),
      { id: 'mark', kind: 'function', type, out: [{ id: 'out' }] },
      fileOut('out'),
    ]);
    const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')], { XDG_CACHE_HOME: cache });
    assert.equal(code, 0, stderr);
    return lines(folder, 'out.jsonl');
  };
  const setTo = (value: number): string => `const mark: number = ${value}; batch.set('mark', { constant: mark });`;
  assert.deepEqual(await run(setTo(1)), ['{"a":1,"mark":1}']);
  assert.deepEqual(await run(setTo(1)), ['{"a":1,"mark":1}']);
  assert.equal(readdirSync(join(cache, 'reef', 'stripped-types')).length, 1);
  assert.deepEqual(await run(setTo(2)), ['{"a":1,"mark":2}']);
});

test('a mistake in a TypeScript function is told as Node tells it', async (t) => {
  const folder = temporaryFolder(t);
  const type = writeFunction(folder, 'broken.ts', 'const const = 1;');
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('in.jsonl', { id: 'broken' }),
    { id: 'broken', kind: 'function', type, out: [{ id: 'out' }] },
    fileOut('out'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 3);
  assert.match(stderr, /broken\.ts.*SyntaxError/);
});

test('a function that keeps state sees every batch of a partition in order, in one worker', async (t) => {
  const folder = temporaryFolder(t);
  const pad = 'p'.repeat(300);
  const text = (file: string): string =>
    Array.from({ length: 20_000 }, (_, n) => `{"file":"${file}","n":${n},"pad":"${pad}"}\n`).join('');
  for (const file of ['a', 'b', 'c']) writeFileSync(join(folder, `${file}.jsonl`), text(file));
  const body = `const n = batch.column('n').f64();
    const first = n[batch.rows[0]];
    const file = batch.column('file').string(batch.rows[0]);
    const gap = first !== (next.get(file) ?? 0);
    next.set(file, n[batch.rows.at(-1)] + 1);
    batch.set('gap', { constant: gap });`;
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('*.jsonl', { id: 'watch' }),
    {
      id: 'watch',
      kind: 'function',
      type: writeFunction(folder, 'watch.js', body, ['n', 'file'], ['gap'], 'const next = new Map()'),
      out: [{ id: 'out' }],
    },
    fileOut('out', 'out.ndjson'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state'), '--workers', '2']);
  assert.equal(code, 0, stderr);
  const rows = lines(folder, 'out.ndjson');
  assert.equal(rows.length, 60_000);
  assert.ok(rows.every((row) => row.endsWith('"gap":false}')));
});

test('a filter sends what does not pass to its other table', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), '{"n":1}\n{"n":2}\n{"n":3}\n');
  const condition = { column: 'n', op: 'gt', value: 1 };
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('in.jsonl', { id: 'large' }),
    {
      id: 'large',
      kind: 'function',
      type: 'filter',
      settings: { condition, otherwise: 'small' },
      out: [{ id: 'out' }, { id: 'rest', table: 'small' }],
    },
    fileOut('out'),
    fileOut('rest'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual([lines(folder, 'out.jsonl'), lines(folder, 'rest.jsonl')], [['{"n":2}', '{"n":3}'], ['{"n":1}']]);
});

test('a punchline comes from standard input, and several in one file run side by side with a state folder each', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), '{"n":1}\n');
  const document = (name: string): string =>
    JSON.stringify({
      kind: 'BatchPunchline',
      metadata: { name },
      spec: { dag: [fileIn(join(folder, 'in.jsonl'), { id: 'out' }), fileOut('out', join(folder, `${name}.out`))] },
    });
  const state = join(folder, 'state');
  const { child, ended } = startReef(t, ['run', '-', '--state', state]);
  child.stdin.end(`${document('one')}\n---\n${document('two')}\n`);
  const { code, stderr } = await ended;
  assert.equal(code, 0, stderr);
  assert.deepEqual([lines(folder, 'one.out'), lines(folder, 'two.out')], [['{"n":1}'], ['{"n":1}']]);
  assert.deepEqual(readdirSync(state).sort(), ['one', 'two']);
});

test('the line codec reads text as one column and writes one column as text', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.log'), 'first "line"\r\n\nthird \\ é\n');
  const source = (id: string): object => ({
    id,
    kind: 'source',
    type: 'file',
    settings: { path: 'in.log', encoding: 'line' },
    out: [{ id: 'json' }, { id: 'text' }],
  });
  const text = { id: 'text', kind: 'sink', type: 'file', settings: { path: 'text.log', encoding: { codec: 'line' } } };
  const file = writePunchline(folder, 'BatchPunchline', [source('in'), fileOut('json'), text]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(lines(folder, 'json.jsonl'), [
    '{"message":"first \\"line\\""}',
    '{"message":""}',
    '{"message":"third \\\\ é"}',
  ]);
  assert.deepEqual(lines(folder, 'text.log'), ['first "line"', '', 'third \\ é']);
});

test('a tail from the end of a file goes on behind it after a restart, though no row had come', async (t) => {
  const folder = temporaryFolder(t);
  const state = join(folder, 'state');
  const path = join(folder, 'in.jsonl');
  writeFileSync(path, '{"old":1}\n');
  const file = writePunchline(folder, 'StreamPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl', from: 'end' }, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'stdout' },
  ]);
  const first = startReef(t, ['run', file, '--state', state]);
  await until(() => Object.keys(checkpointOf(state)?.positions.in ?? {}).length > 0);
  first.child.kill('SIGKILL');
  await first.ended;
  appendFileSync(path, '{"new":1}\n');
  const second = startReef(t, ['run', file, '--state', state]);
  second.child.stdout.once('data', () => second.child.kill('SIGTERM'));
  const { stdout, code, stderr } = await second.ended;
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '{"new":1}\n');
});

function checkpointOf(state: string): { positions: Record<string, object> } | undefined {
  try {
    return JSON.parse(readFileSync(join(state, 'checkpoint.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Looks again at every turn of the event loop until it is so; the test's own timeout bounds it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

test("users' modules import the engine that runs them, not a second copy of it", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), '{"a":1}\n');
  const engine = `import { batchFunction, ReefError } from '@reef/engine';`;
  writeFileSync(
    join(folder, 'error.mjs'),
    `${engine} export const Same = ReefError; export const from = import.meta.resolve('@reef/engine');`,
  );
  writeFileSync(
    join(folder, 'same.mts'),
    `${engine} import { from, Same } from './error.mjs';
    export default batchFunction({
      summary: 'Says where the engine is from.', settings: {}, examples: [],
      reads: () => [], writes: () => [{ name: 'from', type: 'string' }],
      open: () => ({ apply(batch: { size: number; set(name: string, data: object): void }) {
        batch.set('from', { strings: Array.from({ length: batch.size }, () => String(Same === ReefError) + ' ' + from) });
      } }),
    });`,
  );
  const file = writePunchline(folder, 'BatchPunchline', [
    fileIn('in.jsonl', { id: 'same' }),
    { id: 'same', kind: 'function', type: './same.mts', out: [{ id: 'out' }] },
    fileOut('out'),
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(lines(folder, 'out.jsonl'), ['{"a":1,"from":"true reef:engine"}']);
});
