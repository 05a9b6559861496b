/**
 * What poison in one punchline does to another one in the same process: the other one is paced at half of its saturation, measured
 * before, and its rate and the p99 of its rows' latency are taken in turn without poison and with it. Target: the rate kept, p99 at most twice.
 *
 *   node bench/neighbour.ts [--rounds 5] [--seconds 4] [--workers 1]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Probe, poisonPunchline, probePunchline, startBeside, type Window } from '../engine/src/testing/neighbour.ts';
import { describeMachine } from './machine.ts';

const WINDOW_MS = 500;
const POISON_MS = 1000;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    workers: { type: 'string', default: '1' },
  },
});
const windows = Math.max(1, Math.round((Number(values.seconds) * 1000) / WINDOW_MS));
const workers = Number(values.workers);

const folder = mkdtempSync(join(tmpdir(), 'reef-neighbour-'));
try {
  const probe = new Probe();
  const own = await startBeside(probePunchline(folder, probe), join(folder, 'state'), workers);
  await pause(2000);
  const before = probe.delivered;
  await pause(2000);
  const saturation = (probe.delivered - before) / 2;
  probe.pace = saturation / 2;
  // What was fed at full speed is still on its way.
  await probe.window(2000);
  const alone: Window[] = [];
  const beside: Window[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    alone.push(await probe.windows(WINDOW_MS, windows));
    const poison = await startBeside(poisonPunchline(folder, POISON_MS), join(folder, `poison-${round}`), 1);
    beside.push(await probe.windows(WINDOW_MS, windows));
    await poison.stop();
    console.error(`round ${round + 1}: alone ${describe(alone.at(-1)!)}; beside poison ${describe(beside.at(-1)!)}`);
  }
  await own.stop();
  console.log(describeMachine([]).join('; '));
  console.log(`saturation ${Math.round(saturation).toLocaleString('en')} rows/s, paced at half of it`);
  console.log(`alone          ${describe(middle(alone))}`);
  console.log(
    `beside poison  ${describe(middle(beside))}: p99 ${(middle(beside).p99 / middle(alone).p99).toFixed(2)} times (target 2)`,
  );
} finally {
  rmSync(folder, { recursive: true });
}

function middle(all: readonly Window[]): Window {
  return { share: median(all.map(({ share }) => share)), p99: median(all.map(({ p99 }) => p99)) };
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[all.length >> 1]!;
}

function describe({ share, p99 }: Window): string {
  return `${(share * 100).toFixed(0)} % of the rate, p99 ${p99.toFixed(1)} ms`;
}
