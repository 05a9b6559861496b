/** Functions with a module: prepared once for all workers, and kept out when the module has killed the process. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { reef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';

const engine = new URL('../../dist/index.js', import.meta.url);

/** A native function that stands for a module of the given digest. */
function writeModule(folder: string, name: string, digest: string, parts: { prepare?: string; open?: string; apply?: string }) {
  const text = `import { appendFileSync } from 'node:fs';
import { batchFunction } from '${engine}';
export default batchFunction({
  summary: 'Made by a test.',
  settings: {},
  examples: [],
  reads: () => ['n'],
  writes: () => [{ name: 'seen', type: 'any' }],
  digestOf: async () => '${digest}',
  prepare: async ({ folder }) => { ${parts.prepare ?? ''} },
  open: ({ prepared }) => { ${parts.open ?? ''}; return { digest: '${digest}', apply(batch) { ${parts.apply ?? ''} } }; },
});
`;
  writeFileSync(join(folder, name), text);
  return `./${name}`;
}

function punchline(folder: string, types: readonly string[]): string {
  const ids = types.map((_, index) => `f${index}`);
  return writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: ids[0] ?? 'out' }] },
    ...types.map((type, index) => ({ id: ids[index], kind: 'function', type, out: [{ id: ids[index + 1] ?? 'out' }] })),
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.jsonl' } },
  ]);
}

const lines = (...path: string[]): string[] =>
  readFileSync(join(...path), 'utf8')
    .split('\n')
    .slice(0, -1);

test('a function is prepared once, and every worker is given the result', async (t) => {
  const folder = temporaryFolder(t);
  const rows = 20_000;
  writeFileSync(
    join(folder, 'in.jsonl'),
    Array.from({ length: rows }, (_, n) => `{"n":${n},"pad":"${'p'.repeat(150)}"}\n`).join(''),
  );
  const type = writeModule(folder, 'once.js', 'aa', {
    prepare: `appendFileSync(folder + '/prepared', 'once\\n'); return { module: new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)) };`,
    open: `if (!(prepared.module instanceof WebAssembly.Module)) throw new Error('no module');`,
    apply: '',
  });
  const { code, stderr } = await reef(t, ['run', punchline(folder, [type]), '--state', join(folder, 'state'), '--workers', '2']);
  assert.equal(code, 0, stderr);
  assert.equal(lines(folder, 'out.jsonl').length, rows);
  assert.deepEqual(lines(folder, 'prepared'), ['once']);
});

const innocent = `for (const n of batch.column('n').f64()) if (n < 0) throw new Error('never');`;

/** Runs until the process is no longer killed, three times at most. */
async function runUntilItLives(t: TestContext, file: string, state: string) {
  for (let run = 1; run <= 3; run++) {
    const ended = await reef(t, ['run', file, '--state', state]);
    if (ended.signal === null) return { ...ended, run };
  }
  return assert.fail('it was killed three times');
}

for (const [when, parts] of [
  ['on every row', { apply: `process.kill(process.pid, 'SIGKILL'); for (;;);` }],
  ['when it is opened', { open: `process.kill(process.pid, 'SIGKILL'); for (;;);` }],
  ['when it is prepared', { prepare: `process.kill(process.pid, 'SIGKILL'); for (;;);` }],
] as const) {
  test(`a module that kills the process ${when} is isolated at the next start, and others run on`, async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'in.jsonl'), Array.from({ length: 50 }, (_, n) => `{"n":${n}}\n`).join(''));
    const good = writeModule(folder, 'good.js', 'aa11', { apply: innocent });
    const killer = writeModule(folder, 'killer.js', 'bb22', parts);
    const file = punchline(folder, [good, killer]);
    const state = join(folder, 'state');
    const { run, code, stderr } = await runUntilItLives(t, file, state);
    assert.equal(run, 2);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Module bb22 kills the process and is isolated/);
    assert.deepEqual(JSON.parse(readFileSync(join(state, 'suspects.json'), 'utf8')), [{ kind: 'digest', digest: 'bb22' }]);
    const dead = lines(state, 'dead-letters.ndjson').map((line) => JSON.parse(line));
    assert.equal(dead.length, 50);
    for (const { node, digest, reason } of dead) {
      assert.deepEqual([node, digest], ['f1', 'bb22']);
      assert.match(
        reason,
        /^function "f1" is isolated, its rows are rejected: its module \(SHA-256 bb22\) has killed the process/,
      );
    }
    // Another module at the same place runs.
    writeModule(folder, 'killer.js', 'cc33', { apply: innocent });
    const again = await reef(t, ['run', file, '--state', state]);
    assert.equal(again.code, 0, again.stderr);
    assert.equal(lines(folder, 'out.jsonl').length, 50);
  });
}

for (const [when, parts] of [
  ['when they are opened', { open: `process.kill(process.pid, 'SIGKILL'); for (;;);` }],
  ['when they are prepared', { prepare: `process.kill(process.pid, 'SIGKILL'); for (;;);` }],
] as const) {
  test(`of three modules two that kill the process ${when} are both isolated at the next start`, async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'in.jsonl'), '{"n":1}\n{"n":2}\n');
    const one = writeModule(folder, 'one.js', 'bb22', parts);
    const good = writeModule(folder, 'good.js', 'aa11', { apply: innocent });
    const two = writeModule(folder, 'two.js', 'cc33', parts);
    const state = join(folder, 'state');
    const { run, code, stderr } = await runUntilItLives(t, punchline(folder, [good, one, two]), state);
    assert.equal(run, 2);
    assert.equal(code, 0, stderr);
    const suspects = JSON.parse(readFileSync(join(state, 'suspects.json'), 'utf8')) as { digest: string }[];
    assert.deepEqual(suspects.map(({ digest }) => digest).sort(), ['bb22', 'cc33']);
    assert.equal(lines(state, 'dead-letters.ndjson').length, 2);
  });
}

test('two modules on different edges that kill the process on every row are both isolated', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), Array.from({ length: 20 }, (_, n) => `{"n":${n}}\n`).join(''));
  const types = ['bb22', 'cc33'].map((digest) =>
    writeModule(folder, `${digest}.js`, digest, { apply: `process.kill(process.pid, 'SIGKILL'); for (;;);` }),
  );
  const nodes = [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'f0' }, { id: 'f1' }, { id: 'out' }] },
    ...types.map((type, index) => ({ id: `f${index}`, kind: 'function', type, out: [{ id: 'out' }] })),
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.jsonl' } },
  ];
  const state = join(folder, 'state');
  const { code, stderr } = await runUntilItLives(t, writePunchline(folder, 'BatchPunchline', nodes), state);
  assert.equal(code, 0, stderr);
  const suspects = JSON.parse(readFileSync(join(state, 'suspects.json'), 'utf8')) as { digest: string }[];
  assert.deepEqual(suspects.map(({ digest }) => digest).sort(), ['bb22', 'cc33']);
  assert.equal(lines(folder, 'out.jsonl').length, 20);
});

test('a row that kills the process by itself leaves the module running', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), Array.from({ length: 50 }, (_, n) => `{"n":${n}}\n`).join(''));
  const type = writeModule(folder, 'some.js', 'dd44', {
    apply: `for (const n of batch.column('n').f64()) if (n === 7 || n === 8) { process.kill(process.pid, 'SIGKILL'); for (;;); }`,
  });
  const state = join(folder, 'state');
  const { code, stderr } = await runUntilItLives(t, punchline(folder, [type]), state);
  assert.equal(code, 0, stderr);
  assert.equal(lines(folder, 'out.jsonl').length, 48);
  assert.equal(lines(state, 'dead-letters.ndjson').length, 2);
});
