/** Random punchlines over random rows, with what must come out of them: for the stress test of the data path. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFunction } from './user-function.ts';

export type Random = (below: number) => number;

/** mulberry32: small, and the same everywhere. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

export interface Tuning {
  readonly slotBytes: number;
  readonly maxRowBytes: number;
  readonly maxRows: number;
  readonly idleMs: number;
  readonly checkpointMs: number;
}

export interface RandomPunchline {
  readonly nodes: readonly object[];
  readonly tuning: Tuning;
  /** Rows that end their worker once, in all. */
  readonly kills: number;
  /** Per sink: the rows of each partition (`source/partition`), by number, in order. */
  readonly expected: ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>;
  /** `source/partition@offset` of every row that must be rejected. */
  readonly rejected: ReadonlySet<string>;
}

interface Fate {
  /** `undefined`: to every out. */
  table?: 'left' | 'right';
  gone?: 'filtered' | 'rejected' | 'nowhere';
}

interface Step {
  readonly type: string;
  fate(n: number, fate: Fate): void;
}

interface File {
  /** `source/partition`. */
  readonly key: string;
  readonly good: { readonly n: number; readonly offset: number }[];
  readonly bad: number[];
}

const chance = (random: Random, percent: number): boolean => random(100) < percent;
const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)]!;

export function randomPunchline(folder: string, random: Random): RandomPunchline {
  const slotBytes = pick(random, [512, 2048, 16_384]);
  const tuning = {
    slotBytes,
    maxRowBytes: slotBytes * (2 + random(6)),
    maxRows: pick(random, [16, 64, 8192]),
    idleMs: pick(random, [1, 20, 10_000]),
    checkpointMs: pick(random, [1, 50, 1000]),
  };
  const kills = chance(random, 40) ? 1 + random(2) : 0;
  const steps = Array.from({ length: kills > 0 ? 1 + random(2) : random(3) }, (_, index) =>
    randomStep(folder, random, tuning, index, index === 0 ? kills : 0),
  );
  const sinks = Array.from({ length: 1 + random(3) }, (_, index) => ({
    id: `sink${index}`,
    table: steps.length === 0 ? undefined : pick(random, [undefined, undefined, 'left', 'right'] as const),
    columns: chance(random, 30),
  }));
  const outs: object[] = sinks.map(({ id, table, columns }) => ({
    id,
    ...(table ? { table } : {}),
    ...(columns
      ? {
          columns: [
            { name: 'n', type: 'integer' },
            { name: 'f', type: 'string' },
          ],
        }
      : {}),
  }));
  const withErrors = chance(random, 60);
  if (withErrors) {
    outs.push({ id: 'errors', table: '_ppf_errors', columns: [{ name: '_ppf_error_document', type: 'string' }] });
  }
  const functionOuts = steps.map((_, index) => (index === steps.length - 1 ? outs : [{ id: `function${index + 1}` }]));
  const sources = Array.from({ length: 1 + random(3) }, (_, index) =>
    randomSource(folder, random, tuning, index, steps.length > 0 ? [{ id: 'function0' }] : outs),
  );
  const files = sources.flatMap((source) => source.files);
  const rejected = new Set(files.flatMap(({ key, bad }) => bad.map((offset) => `${key}@${offset}`)));
  const expected = new Map(sinks.map(({ id }) => [id, new Map<string, number[]>(files.map(({ key }) => [key, []]))]));
  for (const { key, good } of files) {
    for (const { n, offset } of good) {
      const fate: Fate = {};
      for (const [index, step] of steps.entries()) {
        if (!fate.gone) step.fate(n, fate);
        // The out to the next function has no table.
        if (fate.table && index < steps.length - 1) fate.gone ??= 'nowhere';
      }
      if (fate.gone === 'rejected') rejected.add(`${key}@${offset}`);
      if (fate.gone) continue;
      for (const { id, table } of sinks) if (!fate.table || fate.table === table) expected.get(id)!.get(key)!.push(n);
    }
  }
  const sinkNode = (id: string): object => ({ id, kind: 'sink', type: './collect.js', settings: { seed: random(1 << 30) } });
  const nodes = [
    ...sources.map(({ node }) => node),
    ...steps.map(({ type }, index) => ({ id: `function${index}`, kind: 'function', type, out: functionOuts[index] })),
    ...sinks.map(({ id }) => sinkNode(id)),
    ...(withErrors ? [sinkNode('errors')] : []),
  ];
  return { nodes, tuning, kills, expected, rejected };
}

function randomStep(folder: string, random: Random, tuning: Tuning, index: number, kills: number): Step {
  const kind = pick(random, ['filter', 'reject', 'grow', 'route', 'state', 'pass'] as const);
  const name = `function${index}.js`;
  const tokens = JSON.stringify(join(folder, 'killed-'));
  const deadly = JSON.stringify(Array.from({ length: kills }, () => random(120)));
  const killing =
    kills > 0
      ? `for (const row of batch.rows) {
           const at = ${deadly}.indexOf(n[row]);
           if (at < 0) continue;
           try { process.getBuiltinModule('node:fs').closeSync(process.getBuiltinModule('node:fs').openSync(${tokens} + at, 'wx')); }
           catch { continue; }
           process.exit(5);
         }`
      : '';
  const head = `const n = batch.column('n').f64(); ${killing}`;
  const write = (body: string, writes: string[] = [], state = ''): string =>
    writeFunction(folder, name, `${head} ${body}`, ['n', 'f'], writes, state);
  const longest = pick(random, [10, tuning.slotBytes, tuning.maxRowBytes * 2]);
  switch (kind) {
    case 'filter':
      return {
        type: write(
          `const keep = new Uint8Array(batch.size); for (const row of batch.rows) keep[row] = n[row] % 3 ? 1 : 0; batch.filter(keep);`,
        ),
        fate: (number, fate) => {
          if (number % 3 === 0) fate.gone = 'filtered';
        },
      };
    case 'reject':
      return {
        type: write(`for (const row of batch.rows) if (n[row] % 5 === 0) batch.reject(row, 'a multiple of five');`),
        fate: (number, fate) => {
          if (number % 5 === 0) fate.gone = 'rejected';
        },
      };
    case 'grow':
      return {
        type: write(
          `const strings = []; for (const row of batch.rows) strings[row] = 'g'.repeat((n[row] * 7919) % ${longest}); batch.set('more', { strings: Array.from({ length: batch.size }, (_, row) => strings[row]) });`,
          ['more'],
        ),
        fate: () => {},
      };
    case 'route':
      return {
        type: write(
          `const left = new Uint8Array(batch.size), right = new Uint8Array(batch.size);
           for (const row of batch.rows) { left[row] = n[row] % 4 === 1 ? 1 : 0; right[row] = n[row] % 4 === 2 ? 1 : 0; }
           batch.route(left, 'left'); batch.route(right, 'right');`,
        ),
        fate: (number, fate) => {
          if (number % 4 === 1) fate.table = 'left';
          else if (number % 4 === 2) fate.table = 'right';
        },
      };
    case 'state':
      return {
        type: write(
          `const backwards = new Uint8Array(batch.size);
           for (const row of batch.rows) {
             const f = batch.column('f').string(row);
             backwards[row] = n[row] <= (last.get(f) ?? -1) ? 1 : 0;
             last.set(f, n[row]);
           }
           batch.set('backwards', { boolean: backwards });`,
          ['backwards'],
          'const last = new Map()',
        ),
        fate: () => {},
      };
    default:
      return { type: write(''), fate: () => {} };
  }
}

function randomSource(
  folder: string,
  random: Random,
  tuning: Tuning,
  index: number,
  out: readonly object[],
): { readonly node: object; readonly files: readonly File[] } {
  const id = `source${index}`;
  const names = Array.from({ length: 1 + random(3) }, (_, file) => `in${index}-${file}.ndjson`);
  const files = names.map((name) => randomFile(folder, name, `${id}/${name}`, random, tuning));
  const node = chance(random, 50)
    ? { id, kind: 'source', type: 'file', settings: { path: `in${index}-*.ndjson` }, out }
    : { id, kind: 'source', type: './pieces.js', settings: { names, seed: random(1 << 30) }, out };
  return { node, files };
}

function randomFile(folder: string, name: string, key: string, random: Random, { slotBytes, maxRowBytes }: Tuning): File {
  const file: File = { key, good: [], bad: [] };
  let text = '';
  const count = random(150);
  for (let n = 0; n < count; n++) {
    const offset = text.length;
    const kind = random(100);
    const row = `{"f":"${key}","n":${n},"pad":""}`;
    const padded = (length: number): string => row.replace('""', `"${'p'.repeat(Math.max(0, length - row.length))}"`);
    if (kind < 3) text += `nonsense ${n}`;
    else if (kind < 5) text += `[${n}]`;
    else if (kind < 8) text += padded(maxRowBytes + 1 + random(maxRowBytes));
    else if (kind < 10) text += padded(maxRowBytes - random(2));
    else if (kind < 16) text += padded(slotBytes - 3 + random(slotBytes));
    else text += padded(random(slotBytes >> 1));
    if (kind < 8) file.bad.push(offset);
    else file.good.push({ n, offset });
    if (n < count - 1 || chance(random, 70)) text += chance(random, 5) ? '\n\n' : '\n';
  }
  writeFileSync(join(folder, name), text);
  return file;
}
