/**
 * What a calm pipeline costs: start to first row, idle memory and CPU against the bare runtime, first row after idle.
 *
 *   node bench/latency.ts [--idle-secs 30]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';

const { values } = parseArgs({
  options: { 'idle-secs': { type: 'string', default: '30' }, rounds: { type: 'string', default: '9' } },
});
const idleSeconds = Number(values['idle-secs']);
const reef = fileURLToPath(new URL('../engine/bin/reef.js', import.meta.url));
const punchline = fileURLToPath(new URL('../examples/moment/moment-stdin.yaml', import.meta.url));
const row = '{"id":"a","creation_timestamp":1517966773}\n';
const echo = `process.stdin.on('data', (chunk) => process.stdout.write(chunk))`;
/** /proc counts CPU time in these. */
const TICKS_PER_SECOND = 100;

const folder = mkdtempSync(join(tmpdir(), 'reef-latency-'));
try {
  const reefArgs = [reef, 'run', punchline, '--state', join(folder, 'state')];
  const first = { reef: await rounds(() => firstRow(reefArgs)), bare: await rounds(() => firstRow(['-e', echo])) };
  console.log(describeMachine([]).join('; '));
  console.log(`start to first row, a function in the way: ${first.reef} ms (median); bare Node that echoes: ${first.bare} ms`);
  const idle = { reef: await idleCost(reefArgs), bare: await idleCost(['-e', echo]) };
  const above = ((idle.reef.bytes - idle.bare.bytes) / 1e6).toFixed(1);
  console.log(
    `after ${idleSeconds} s without rows: ${megabytes(idle.reef.bytes)} MB, bare Node ${megabytes(idle.bare.bytes)} MB: ${above} MB above`,
  );
  console.log(
    `CPU over the last half of that: ${idle.reef.cpuPercent.toFixed(3)} %, bare Node ${idle.bare.cpuPercent.toFixed(3)} %`,
  );
  console.log(`first row after idle: ${idle.reef.wakeMs.toFixed(1)} ms, bare Node ${idle.bare.wakeMs.toFixed(1)} ms`);
} finally {
  rmSync(folder, { recursive: true });
}

async function rounds(one: () => Promise<number>): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) times.push(await one());
  return times.toSorted((a, b) => a - b)[times.length >> 1]!.toFixed(0);
}

/** Milliseconds from the start of the process until the row that waits for it has come through. */
async function firstRow(args: readonly string[]): Promise<number> {
  const started = performance.now();
  const child = start(args);
  child.stdin!.write(row);
  await once(child.stdout!, 'data');
  const milliseconds = performance.now() - started;
  await end(child);
  return milliseconds;
}

async function idleCost(args: readonly string[]): Promise<{ bytes: number; cpuPercent: number; wakeMs: number }> {
  const child = start(args);
  await roundTrip(child);
  await pause((idleSeconds * 1000) / 2);
  const before = cpuTicks(child.pid!);
  await pause((idleSeconds * 1000) / 2);
  const cpuPercent = ((cpuTicks(child.pid!) - before) / TICKS_PER_SECOND / (idleSeconds / 2)) * 100;
  const bytes = residentBytes(child.pid!);
  const wakeMs = await roundTrip(child);
  await end(child);
  return { bytes, cpuPercent, wakeMs };
}

async function roundTrip(child: ChildProcess): Promise<number> {
  const started = performance.now();
  child.stdin!.write(row);
  await once(child.stdout!, 'data');
  return performance.now() - started;
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] });
}

async function end(child: ChildProcess): Promise<void> {
  child.stdin!.end();
  if (child.exitCode === null) await once(child, 'exit');
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
