/** The promise that everything else serves: whatever instant the process is killed at, no row is lost and no line is torn. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, statSync, watch, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { reef, startReef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';

/** CI does 300; more with REEF_TEST_KILLS=1000 (takes minutes). */
const KILLS = Number(process.env.REEF_TEST_KILLS ?? 60);
const ROWS = 400_000;

const addOne = `import { batchFunction } from '${new URL('../../dist/index.js', import.meta.url)}';
export default batchFunction({
  summary: 'Adds one.',
  settings: {},
  examples: [],
  reads: () => ['n'],
  writes: () => [{ name: 'next', type: 'integer' }],
  open: () => ({
    apply(batch) {
      const n = batch.column('n').f64();
      batch.set('next', { integer: BigInt64Array.from(n, (value) => BigInt(value + 1)) });
    },
  }),
});
`;

function writeRows(path: string, rows: number, line: (n: number) => string): void {
  const file = openSync(path, 'w');
  for (let from = 0; from < rows; from += 10_000) {
    writeSync(file, Array.from({ length: Math.min(10_000, rows - from) }, (_, index) => line(from + index)).join(''));
  }
  closeSync(file);
}

/** Resolves when the file has grown past `size`, or `ended` has. */
function grown(path: string, size: number, ended: Promise<unknown>): Promise<boolean> {
  const big = (): boolean => existsSync(path) && statSync(path).size > size;
  return new Promise((resolve) => {
    const watcher = watch(join(path, '..'), () => {
      if (big()) done(true);
    });
    const done = (value: boolean): void => {
      watcher.close();
      resolve(value);
    };
    void ended.then(() => done(false));
    if (big()) done(true);
  });
}

async function killAtRandom(t: TestContext, file: string, state: string, output: string): Promise<number> {
  let kills = 0;
  while (kills < KILLS) {
    const before = existsSync(output) ? statSync(output).size : 0;
    const { child, ended } = startReef(t, ['run', file, '--state', state]);
    const inFlight = await grown(output, before + Math.floor(Math.random() * 150_000), ended);
    if (!inFlight) return kills;
    child.kill('SIGKILL');
    const { signal } = await ended;
    if (signal === 'SIGKILL') kills++;
    else return kills;
  }
  return kills;
}

test(`after ${KILLS} kills at random instants the output is the same as without`, { timeout: 480_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const pad = 'x'.repeat(100);
  const line = (n: number): string => `{"n":${n},"pad":"${pad}"}\n`;
  writeRows(join(folder, 'in.jsonl'), ROWS, line);
  const { writeFileSync } = await import('node:fs');
  writeFileSync(join(folder, 'add-one.js'), addOne);
  const output = join(folder, 'out.jsonl');
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'add' }] },
    { id: 'add', kind: 'function', type: './add-one.js', out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.jsonl' } },
  ]);
  const state = join(folder, 'state');
  const kills = await killAtRandom(t, file, state, output);
  t.diagnostic(`${kills} kills with rows in flight`);
  const last = await reef(t, ['run', file, '--state', state]);
  assert.equal(last.code, 0, last.stderr);
  const expected = createHash('sha256');
  for (let n = 0; n < ROWS; n++) expected.update(`{"n":${n},"pad":"${pad}","next":${n + 1}}\n`);
  assert.equal(createHash('sha256').update(readFileSync(output)).digest('hex'), expected.digest('hex'));
  assert.ok(kills >= Math.min(KILLS, 20), `only ${kills} kills hit rows in flight: the test proves too little`);
});
