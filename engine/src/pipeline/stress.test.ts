/**
 * Random punchlines with tiny slots, sinks that dawdle and fail, sources that fail and are run again, workers that die and runs
 * that are stopped: every row must reach every sink that it is meant for, in the order of its partition, and once where nothing
 * died. `REEF_TEST_SEED=N` repeats one case; `REEF_TEST_STRESS_SECS` says how long new ones are tried.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type RandomPunchline, randomFrom, randomPunchline } from '../testing/random-punchline.ts';
import { temporaryFolder, writePunchline } from '../testing/reef-process.ts';
import { runInProcess } from '../testing/run-in-process.ts';

const SECS = Number(process.env.REEF_TEST_STRESS_SECS ?? 20);
const CASE_MS = 30_000;
const only = process.env.REEF_TEST_SEED;
const engine = new URL('../../dist/index.js', import.meta.url).href;
const random = `function randomFrom(seed) { let state = seed; return (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor(state / 2 ** 32 * below); }; }`;

/** A sink in this very process: takes its time, sometimes fails first, and keeps the text of what it took. */
const collect = `import { ReefError, integer, sink } from '${engine}';
${random}
const taken = globalThis[Symbol.for('reef.stress')];
export default sink({
  summary: 'Made by a test.', settings: { seed: integer('A seed.', {}) }, examples: [], codecs: ['json'], delivery: 'At least once.',
  open({ id, settings }) {
    const random = randomFrom(settings.seed);
    const slow = random(3);
    return {
      async write({ bytes }) {
        const text = Buffer.from(bytes).toString();
        if (random(200) === 0) throw new ReefError('io', 'Not now', { retry: true });
        if (slow === 2) await new Promise((resolve) => setTimeout(resolve, random(4)));
        else if (slow === 1) await new Promise(setImmediate);
        if (Buffer.from(bytes).toString() !== text) throw new Error('the slot was written to while a sink had it');
        taken.set(id, (taken.get(id) ?? '') + text);
        return undefined;
      },
      async close() {},
    };
  },
});
`;

/** A source that feeds its files side by side in random pieces, and fails once in a while. */
const pieces = `import { ReefError, integer, list, source, text } from '${engine}';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
${random}
export default source({
  summary: 'Made by a test.', examples: [], codecs: ['json'], delivery: 'At least once.',
  settings: { names: list(text('A name.'), 'Names.'), seed: integer('A seed.', {}) },
  open({ folder, settings }) {
    const random = randomFrom(settings.seed);
    let failures = random(3);
    return {
      async run(feed, signal) {
        const ended = await Promise.allSettled(settings.names.map(async (name) => {
          const bytes = readFileSync(join(folder, name));
          let at = feed.resume.get(name) ?? 0;
          const partition = feed.partition(name, { offset: at });
          while (at < bytes.length) {
            if (signal.aborted) return;
            const room = await partition.room();
            const length = Math.min(room.length, bytes.length - at, 1 + random(random(2) ? 50 : 5000));
            room.set(bytes.subarray(at, at + length));
            at += length;
            partition.advance(length, { flush: random(4) === 0 });
            if (failures > 0 && random(30) === 0) { failures--; throw new ReefError('io', 'Lost', { retry: true }); }
          }
          await partition.end();
        }));
        if (signal.aborted) return;
        for (const { reason } of ended) if (reason) throw reason;
      },
      async close() {},
    };
  },
});
`;

test('random punchlines deliver every row, in order, once where nothing died', { timeout: SECS * 1000 + 120_000 }, async (t) => {
  const until = performance.now() + SECS * 1000;
  const first = only === undefined ? Date.now() % 1_000_000_000 : Number(only);
  let cases = 0;
  for (let seed = first; cases === 0 || (only === undefined && performance.now() < until); seed++) {
    const folder = join(temporaryFolder(t), 'case');
    try {
      await runCase(seed, folder);
    } catch (error) {
      throw new Error(`Case failed; to repeat it: REEF_TEST_SEED=${seed}`, { cause: error });
    }
    rmSync(folder, { recursive: true });
    cases++;
  }
  t.diagnostic(`${cases} punchlines, from seed ${first}`);
});

async function runCase(seed: number, folder: string): Promise<void> {
  const next = randomFrom(seed);
  mkdirSync(folder);
  writeFileSync(join(folder, 'collect.js'), collect);
  writeFileSync(join(folder, 'pieces.js'), pieces);
  const made = randomPunchline(folder, next);
  const file = writePunchline(folder, 'BatchPunchline', made.nodes);
  const taken = new Map<string, string>();
  Object.assign(globalThis, { [Symbol.for('reef.stress')]: taken });
  const stateFolder = join(folder, 'state');
  const workers = 1 + next(3);
  let stops = next(3) === 0 ? 1 + next(2) : 0;
  for (let outcome = ''; outcome !== 'finished'; stops--) {
    const stop = stops > 0 ? AbortSignal.timeout(1 + next(150)) : new AbortController().signal;
    const hung = new AbortController();
    const { result } = await Promise.race([
      runInProcess(file, { stateFolder, workers, tuning: made.tuning, stop }),
      wait(CASE_MS, undefined, { signal: hung.signal }).then(() => assert.fail(`it hangs; ${describe(made, taken)}`)),
    ]);
    hung.abort();
    if (result.error !== undefined) throw result.error;
    outcome = result.outcome;
    assert.ok(outcome === 'finished' || (stops > 0 && outcome === 'stopped'), outcome);
  }
  const anyDied = [0, 1].some((index) => existsSync(join(folder, `killed-${index}`)));
  for (const [sink, partitions] of made.expected) checkSink(sink, partitions, rowsOf(taken.get(sink) ?? ''), anyDied);
  checkErrors(made.rejected, taken.get('errors') ?? '', join(stateFolder, 'dead-letters.ndjson'), anyDied);
}

type Row = Readonly<Record<string, unknown>>;

function rowsOf(text: string): Row[] {
  assert.ok(text === '' || text.endsWith('\n'), 'the last line is torn');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Row);
}

function checkSink(
  sink: string,
  partitions: ReadonlyMap<string, readonly number[]>,
  rows: readonly Row[],
  anyDied: boolean,
): void {
  const found = new Map<string, number[]>(Array.from(partitions.keys(), (key) => [key, []]));
  for (const { f, n, backwards } of rows) {
    found.get(f as string)!.push(n as number);
    if (!anyDied) assert.notEqual(backwards, true, `a function with state saw row ${n} of ${f} after a later one`);
  }
  for (const [key, numbers] of partitions) {
    const seen = found.get(key)!;
    // What is delivered again after a death may come again from some earlier row on; what is new must be in order.
    const news = anyDied ? [...new Set(seen)] : seen;
    assert.deepEqual(news, numbers, `rows of ${key} in ${sink}`);
  }
}

function checkErrors(rejected: ReadonlySet<string>, errors: string, deadLetters: string, anyDied: boolean): void {
  const documents = [
    ...rowsOf(errors).map((row) => JSON.parse(row._ppf_error_document as string) as Row),
    ...rowsOf(existsSync(deadLetters) ? readFileSync(deadLetters, 'utf8') : ''),
  ];
  const keys = documents.map(({ source, partition, position }) => `${source}/${partition}@${position}`);
  assert.deepEqual([...new Set(keys)].sort(), [...rejected].sort(), 'rejected rows');
  if (!anyDied) assert.equal(keys.length, rejected.size, 'a row was rejected more than once');
}

function describe({ tuning, nodes }: RandomPunchline, taken: ReadonlyMap<string, string>): string {
  const bytes = Object.fromEntries(Array.from(taken, ([id, text]) => [id, text.length]));
  return JSON.stringify({ tuning, bytes, nodes });
}
