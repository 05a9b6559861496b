/**
 * The kernel's scan by itself: validating, row bounds and the values' places, nothing written. CPU time per row for several
 * kinds of rows, beside JSON.parse and, where it can be built, native simdjson with one field.
 * Prints figures, asserts nothing: `node bench/micro/kernel-scan.ts [seconds per line]`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rowTableBytes } from '../../engine/src/batch/kernel-abi.ts';
import { instantiateKernel, type KernelVariant, loadKernelModule } from '../../engine/src/batch/kernel-module.ts';
import { measure } from '../measure.ts';
import { workloads } from '../workloads.ts';

const seconds = Number(process.argv[2] ?? 0.5);
const INPUT_BYTES = 8 << 20;
const PIECE_BYTES = 1 << 20;
const CAP = 1 << 14;
const SIMDJSON_BYTES = 200e6;

const places = [
  'Somewhere, CA',
  'The Geysers, California',
  'Ridgecrest',
  'Anza, CA',
  'Kobuk, Alaska',
  'the Kermadec Islands region',
];

function pick<T>(list: readonly T[], i: number): T {
  return list[(i * 7919) % list.length]!;
}

const kinds: Readonly<Record<string, { readonly keys: readonly string[]; readonly row: (i: number) => object }>> = {
  earthquakes: {
    keys: ['id', 'creation_timestamp', 'magnitude', 'place', 'depth', 'type', 'status', 'felt'],
    row: (i) => ({
      id: i,
      creation_timestamp: 1_700_735_445 + i * 7,
      magnitude: (i % 70) / 10,
      place: `${(i * 31) % 200}km ${pick(['N', 'NW', 'ESE', 'SW'], i)} of ${pick(places, i)}`,
      depth: ((i * 37) % 9999) / 100,
      type: i % 20 ? 'earthquake' : 'quarry blast',
      status: i % 3 ? 'reviewed' : 'automatic',
      felt: (i * 2654435761) % 3 > 1,
    }),
  },
  'not ASCII': {
    keys: ['creation_timestamp', 'nom', 'lieu', 'depth'],
    row: (i) => ({
      id: i,
      creation_timestamp: 1_700_735_445 + i * 7,
      nom: `Séisme près de ${pick(['Nîmes', 'Besançon', 'Orléans'], i)} à ${i % 50} km`,
      lieu: pick(['東京の大阪府', '北海道釧路', '日本海'], i),
      text: `она была ${i % 100} километров от города`,
      depth: ((i * 37) % 9999) / 100,
    }),
  },
  nested: {
    keys: ['creation_timestamp', 'id', 'geometry'],
    row: (i) => ({
      type: 'Feature',
      properties: { mag: (i % 70) / 10, place: pick(places, i), time: 1_700_735_445_000 + i, tz: null, felt: i % 4 ? null : i },
      geometry: { type: 'Point', coordinates: [-116 - (i % 100_000) / 1e5, 33 + (i % 99_999) / 1e5, (i % 2000) / 100] },
      creation_timestamp: 1_700_735_445 + i,
      id: `ci${38_371_208 + i}`,
    }),
  },
};

function textOf(row: (i: number) => object): string {
  let text = '';
  for (let i = 0; text.length < INPUT_BYTES - 4096; i++) text += `${JSON.stringify(row(i))}\n`;
  return text;
}

/** CPU seconds of one run, the best of many. */
function best(run: () => void): number {
  let found = Number.POSITIVE_INFINITY;
  const stop = performance.now() + seconds * 1000;
  do {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    found = Math.min(found, (user + system) / 1e6);
  } while (performance.now() < stop);
  return found;
}

function print(name: string, rows: number, bytes: number, cpuSeconds: number): void {
  const rate = (rows / cpuSeconds / 1e6).toFixed(2).padStart(7);
  console.log(`  ${name.padEnd(28)} ${rate} M rows/CPU-s ${(bytes / cpuSeconds / 1e9).toFixed(2).padStart(6)} GB/s`);
}

/** A run of the kernel over all pieces of `bytes`. */
function scanner(variant: KernelVariant, bytes: Uint8Array, keys: readonly string[], lines = false): () => void {
  const arena = { start: 1 << 16, end: 8 << 20 };
  const memory = new WebAssembly.Memory({ initial: (arena.end + INPUT_BYTES * 2) >>> 16, maximum: 65536, shared: true });
  const kernel = instantiateKernel(loadKernelModule(variant), memory);
  const all = new Uint8Array(memory.buffer);
  const view = new DataView(memory.buffer);
  kernel.reset(arena.start, arena.end);
  const pairs = kernel.alloc(keys.length * 8);
  for (const [i, key] of keys.entries()) {
    const name = kernel.alloc(key.length);
    all.set(Buffer.from(key), name);
    view.setUint32(pairs + i * 8, name, true);
    view.setUint32(pairs + i * 8 + 4, key.length, true);
  }
  kernel.setKeys(pairs, keys.length);
  const table = kernel.alloc(rowTableBytes(CAP, keys.length));
  view.setUint32(table + 20, CAP, true);
  all.set(bytes, arena.end);
  const end = arena.end + bytes.length;
  const scan = lines ? kernel.scanLines : kernel.scanJson;
  return () => {
    for (let from = arena.end; from < end; from = view.getUint32(table + 4, true)) {
      const count = scan(from, Math.min(from + PIECE_BYTES, end), table, 0);
      if (count <= 0 || view.getUint32(table + 8, true) > 0) throw new Error(`the scan found ${count} rows and bad ones`);
    }
  };
}

async function simdjson(text: string): Promise<{ rows: number; bytes: number; cpuSeconds: number } | string> {
  const rival = workloads.find(({ name }) => name === 'simdjson')!;
  const missing = rival.missing();
  if (missing) return `not measured: ${missing} is missing`;
  const folder = mkdtempSync(join(tmpdir(), 'reef-kernel-scan-'));
  try {
    const input = join(folder, 'rows.jsonl');
    const times = Math.ceil(SIMDJSON_BYTES / Buffer.byteLength(text));
    for (let i = 0; i < times; i++) writeFileSync(input, text, { flag: 'a' });
    const rows = (text.split('\n').length - 1) * times;
    const measured = rival.prepare({ input, rows, output: '', folder });
    let cpuSeconds = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) cpuSeconds = Math.min(cpuSeconds, (await measure(measured)).userSeconds);
    return { rows, bytes: Buffer.byteLength(text) * times, cpuSeconds };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const [kind, { keys, row }] of Object.entries(kinds)) {
  const text = textOf(row);
  const input = Buffer.from(text).subarray(0, INPUT_BYTES * 2 - 64);
  const bytes = input.subarray(0, input.lastIndexOf(10) + 1);
  const lines = bytes.toString().split('\n').slice(0, -1);
  const rows = lines.length;
  console.log(`${kind}: ${rows} rows of ${Math.round(bytes.length / rows)} bytes`);
  const one = ['creation_timestamp'];
  print('scan, 1 key', rows, bytes.length, best(scanner('simd', bytes, one)));
  print(`scan, ${keys.length} keys`, rows, bytes.length, best(scanner('simd', bytes, keys)));
  print('scan, 1 key, without SIMD', rows, bytes.length, best(scanner('scalar', bytes, one)));
  print('lines', rows, bytes.length, best(scanner('simd', bytes, [], true)));
  let sum = 0;
  const parse = () => {
    for (const line of lines) sum += (JSON.parse(line) as { creation_timestamp: number }).creation_timestamp;
  };
  print('JSON.parse', rows, bytes.length, best(parse));
  if (sum === 0) throw new Error('nothing was parsed');
  const rival = await simdjson(text);
  if (typeof rival === 'string') console.log(`  simdjson ${rival}`);
  else print('simdjson, 1 key (user time)', rival.rows, rival.bytes, rival.cpuSeconds);
}
