/** Watching rows of a punchline that runs. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TapSide } from '../spec/tap-side.ts';
import { temporaryFolder } from '../testing/reef-process.ts';
import { runInProcess } from '../testing/run-in-process.ts';
import type { TappedRow } from '../worker/protocol.ts';
import { Taps } from './taps.ts';

interface Seen extends TappedRow {
  readonly node: string;
  readonly side: TapSide;
}

/** Runs an endless punchline and watches the node until every wanted side has shown so many rows. */
async function watched(
  t: TestContext,
  node: string,
  sides: readonly TapSide[],
  { rate = 50, rows = 3 }: { readonly rate?: number; readonly rows?: number } = {},
): Promise<{ readonly seen: readonly Seen[]; readonly seconds: number; readonly ended: boolean }> {
  const folder = temporaryFolder(t);
  const file = join(folder, 'p.yaml');
  const dag = [
    {
      id: 'in',
      kind: 'source',
      type: 'generator',
      settings: { interval: 1, messages: ['1', '-1', 'no number'] },
      out: [{ id: 'f', columns: [{ name: 'data', type: 'integer' }] }],
    },
    { id: 'f', kind: 'function', type: './f.mjs', out: [{ id: 'out', columns: [{ name: 'c', type: 'integer' }] }] },
    { id: 'out', kind: 'sink', type: 'file', settings: { path: '/dev/null' } },
  ];
  writeFileSync(
    join(folder, 'f.mjs'),
    `export default { kind: 'function', summary: 'Made by a test.', settings: {}, examples: [], reads: () => ['data'],
      writes: () => [{ name: 'c', type: 'integer' }], open: () => ({ apply(batch) {
        const data = batch.column('data').i64();
        for (const row of batch.rows) if (data[row] < 0n) batch.reject(row, 'it is negative');
        batch.set('c', { constant: 5 });
      } }) };\n`,
  );
  writeFileSync(file, JSON.stringify({ kind: 'StreamPunchline', metadata: { name: 'watched' }, spec: { dag } }));
  const stop = new AbortController();
  const seen: Seen[] = [];
  let ended = false;
  let began = 0;
  let over = 0;
  await runInProcess(file, {
    stateFolder: join(folder, 'state'),
    workers: 1,
    stop: stop.signal,
    started: (_metrics, taps) => {
      began = performance.now();
      taps.watch({
        node,
        sides,
        rate,
        row: (side, row) => {
          seen.push({ node, side, ...row });
          if (!sides.every((each) => seen.filter((one) => one.side === each).length >= rows)) return;
          over ||= performance.now();
          stop.abort();
        },
        ended: () => {
          ended = true;
        },
      });
    },
  });
  return { seen, seconds: (over - began) / 1000, ended };
}

function texts(seen: readonly Seen[], side: TapSide): Set<string> {
  return new Set(
    seen.filter((row) => row.side === side).map(({ text, reason }) => (reason === undefined ? text : `${text}: ${reason}`)),
  );
}

test('rows are shown as they come to a function, as they leave it, and those that it rejects with the reason', async (t) => {
  const { seen, ended } = await watched(t, 'f', ['before', 'after', 'rejected'], { rows: 12 });
  assert.deepEqual(texts(seen, 'before'), new Set(['{"data":1}', '{"data":-1}']));
  assert.deepEqual(texts(seen, 'after'), new Set(['{"data":1,"c":5}']));
  assert.deepEqual(texts(seen, 'rejected'), new Set(['{"data":-1}: it is negative']));
  assert.match(seen[0]!.id, /^in:.*:\d+$/);
  assert.equal(seen[0]!.bytes, seen[0]!.text.length);
  assert.equal(ended, true);
});

test('rows are shown as they leave a source, with those that are none, and as they reach a sink', async (t) => {
  const source = await watched(t, 'in', ['after', 'rejected']);
  assert.ok(texts(source.seen, 'after').has('{"data":"1"}'));
  assert.match([...texts(source.seen, 'rejected')][0]!, /^\{"data":"no number"\}: .*expected/);
  assert.deepEqual(texts((await watched(t, 'out', ['before'])).seen, 'before'), new Set(['{"c":5}']));
});

test('no more rows are shown in a second than asked for, however many flow', async (t) => {
  const { seen, seconds } = await watched(t, 'f', ['before'], { rate: 20, rows: 15 });
  assert.ok(seen.length <= 20 * seconds + 3, `${seen.length} rows in ${seconds} s`);
});

test('without anybody who watches there is no credit, and no timer', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const taps = new Taps([{ id: 'a' }, { id: 'b' }]);
  const row = (): void => {};
  const unwatch = taps.watch({ node: 'b', sides: ['after'], rate: 100, row, ended: row });
  t.mock.timers.tick(100);
  assert.deepEqual([taps.wants('b', 'after'), taps.wants('b', 'before'), taps.wants('a', 'after')], [true, false, false]);
  assert.equal(taps.take('b', 'after', 500), 10);
  unwatch();
  t.mock.timers.tick(1000);
  assert.ok(taps.data.credit.every((rows) => rows === 0));
});
