/**
 * The bench's input: rows of about 160 bytes with 8 fields, from a seeded generator, so that every machine measures the same bytes.
 * The file lies in the user's cache folder and is used again.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, rename, stat, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export const benchFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'reef', 'bench');

const ROWS_PER_CHUNK = 2000;
const levels = ['info', 'info', 'info', 'debug', 'warn', 'error'] as const;
const paths = ['/api/v1/items', '/api/v1/orders', '/health', '/login', '/static/app.js'] as const;

/** Path of a file with so many rows; made when it is missing. */
export async function inputWith(rows: number): Promise<{ readonly path: string; readonly bytes: number }> {
  const path = join(benchFolder, `rows-${rows}.jsonl`);
  await mkdir(benchFolder, { recursive: true });
  const found = await stat(path).catch(() => undefined);
  if (found) return { path, bytes: found.size };
  const { bavail, bsize } = await statfs(benchFolder);
  if (bavail * bsize < rows * 170 * 3) {
    throw new Error(`Cannot make the bench's input in ${benchFolder}: less than ${((rows * 510) / 1e9).toFixed(1)} GB are free.`);
  }
  console.error(`making ${path}`);
  await pipeline(chunks(rows), createWriteStream(`${path}.part`));
  await rename(`${path}.part`, path);
  return { path, bytes: (await stat(path)).size };
}

export function* chunks(rows: number): Generator<Buffer> {
  const random = mulberry32(20231123);
  for (let first = 0; first < rows; first += ROWS_PER_CHUNK) {
    let text = '';
    for (let row = first; row < Math.min(rows, first + ROWS_PER_CHUNK); row++) text += rowText(row, random);
    yield Buffer.from(text);
  }
}

function rowText(row: number, random: () => number): string {
  const id = String(row).padStart(9, '0');
  const time = 1_700_000_000 + Math.floor(row / 50) + Math.floor(random() * 86_400);
  const host = `edge-${String(Math.floor(random() * 400)).padStart(3, '0')}`;
  const level = levels[Math.floor(random() * levels.length)]!;
  const path = `${paths[Math.floor(random() * paths.length)]!}/${Math.floor(random() * 10_000)}`;
  const bytes = Math.floor(random() * 100_000);
  const latency = Math.floor(random() * 1_000_000) / 1000;
  return (
    `{"id":"${id}","creation_timestamp":${time},"host":"${host}","level":"${level}",` +
    `"path":"${path}","bytes":${bytes},"latency_ms":${latency},"cached":${random() < 0.5}}\n`
  );
}

/** A small generator with 32 bits of state; good enough for test data, the same everywhere. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
