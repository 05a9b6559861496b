/**
 * Peak memory must not depend on the size of the input: file → moment → file on 100 MB and on 10 GB. Takes minutes and 21 GB of disk.
 *
 *   node bench/memory.ts [--large-bytes 10000000000]
 */
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { measure } from './measure.ts';
import { benchFolder, inputWith } from './rows.ts';
import { workloads } from './workloads.ts';

const { values } = parseArgs({ options: { 'large-bytes': { type: 'string', default: '10000000000' } } });
const small = await inputWith(630_000);
const copies = Math.max(1, Math.round(Number(values['large-bytes']) / small.bytes));
const workload = workloads.find(({ name }) => name === 'reef-moment-2')!;

const folder = mkdtempSync(join(benchFolder, 'memory-'));
try {
  const large = join(folder, 'large.jsonl');
  for (let copy = 0; copy < copies; copy++)
    await pipeline(createReadStream(small.path), createWriteStream(large, { flags: 'a' }));
  console.log(describeMachine([]).join('; '));
  const peaks = [];
  for (const [input, bytes] of [
    [small.path, small.bytes],
    [large, small.bytes * copies],
  ] as const) {
    const run = await measure(workload.prepare({ input, folder, output: join(folder, 'output.jsonl'), rows: 0 }));
    peaks.push(run.peakBytes);
    console.log(
      `${(bytes / 1e9).toFixed(2)} GB: ${(run.peakBytes / 1e6).toFixed(0)} MB at most, ${run.wallSeconds.toFixed(1)} s`,
    );
  }
  console.log(`large over small: ${(peaks[1]! / peaks[0]!).toFixed(2)}`);
} finally {
  rmSync(folder, { recursive: true });
}
