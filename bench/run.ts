/**
 * The bench: whole processes, CPU time (user + system), Reef in turn with its rivals, several rounds, medians, start-up included.
 *
 *   npm run bench                        10 M rows, 5 rounds (an hour on a small machine)
 *   npm run bench -- --rows 1000000 --rounds 3 --only node-loop,reef-moment
 *   npm run bench -- --short             200 k rows, once: shows that everything runs, its figures mean nothing
 *   npm run bench -- --json FILE         the samples too
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { countRows, measure, type Run } from './measure.ts';
import { benchFolder, inputWith } from './rows.ts';
import { debianPackages, type Workload, workloads } from './workloads.ts';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000000' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    short: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const rows = options.short ? 200_000 : Number(options.rows);
const rounds = options.short ? 1 : Number(options.rounds);

if (process.env.REEF_SETUP === '1') {
  execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...debianPackages], { stdio: 'inherit' });
}
const only = options.only?.split(',');
const chosen = workloads.filter(({ name }) => only === undefined || only.includes(name));
const ready = chosen.filter((workload) => {
  const missing = workload.missing();
  if (missing) console.error(`left out ${workload.name}: it needs ${missing} (REEF_SETUP=1 installs Debian packages)`);
  return !missing;
});

const samples = new Map<Workload, Run[]>(ready.map((workload) => [workload, []]));
for (let round = 1; round <= rounds; round++) {
  for (const workload of ready) {
    const run = await once(workload);
    samples.get(workload)!.push(run);
    console.error(
      `round ${round}: ${workload.name.padEnd(18)} ${(cpuOf(run)).toFixed(2)} CPU-s, ${run.wallSeconds.toFixed(2)} s`,
    );
  }
}
const machine = describeMachine(ready.flatMap(({ version }) => (version ? [version()] : [])));
console.log(report());
if (options.json) {
  const results = ready.map((workload) => ({ ...workload, rows: rowsOf(workload), runs: samples.get(workload) }));
  writeFileSync(options.json, `${JSON.stringify({ machine, rows, rounds, results }, null, 2)}\n`);
}

async function once(workload: Workload): Promise<Run> {
  const { path: input } = await inputWith(rowsOf(workload));
  const folder = mkdtempSync(join(benchFolder, 'run-'));
  try {
    const output = join(folder, 'output.jsonl');
    const run = await measure(workload.prepare({ input, output, folder, rows: rowsOf(workload) }));
    if (workload.output) {
      const written = await countRows(output);
      const least = rowsOf(workload) * (workload.keeps ?? 1);
      if (written < least || written > rowsOf(workload))
        throw new Error(`${workload.name} wrote ${written} rows of ${rowsOf(workload)}.`);
    }
    return run;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function report(): string {
  const loop = ready.find(({ name }) => name === 'node-loop');
  const loopSpeed = loop && medianSpeed(loop);
  const lines = ready.map((workload) => {
    const runs = samples.get(workload)!;
    const speed = medianSpeed(workload);
    return row([
      workload.what,
      (speed / 1e6).toFixed(3),
      loopSpeed ? `${(speed / loopSpeed).toFixed(2)}×` : '–',
      (rowsOf(workload) / median(runs.map((run) => run.wallSeconds)) / 1e6).toFixed(3),
      `${Math.round(median(runs.map((run) => run.peakBytes)) / 1e6)}`,
      rowsOf(workload).toLocaleString('en'),
    ]);
  });
  return [
    `${machine.join('; ')}. ${rounds} rounds in turn, medians.`,
    '',
    row(['How', 'M rows/CPU-s', 'times (a)', 'M rows/s', 'peak MB', 'rows']),
    row(['---', '--:', '--:', '--:', '--:', '--:']),
    ...lines,
  ].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function rowsOf(workload: Workload): number {
  return Math.round(rows / (workload.divisor ?? 1));
}

function medianSpeed(workload: Workload): number {
  return rowsOf(workload) / median(samples.get(workload)!.map(cpuOf));
}

function cpuOf(run: Run): number {
  return run.userSeconds + run.systemSeconds;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
