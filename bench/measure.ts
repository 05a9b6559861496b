/**
 * Measures one whole process, start-up included. bash's `time` gives the CPU time of the process and all its threads and waited-for
 * children; it is on every machine, and Node has no call for the resource usage of its children. Peak memory is VmHWM, which the
 * kernel keeps as a high-water mark, read while the process runs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createReadStream, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

export interface Run {
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly wallSeconds: number;
  /** Resident memory at its highest, in bytes; 0 when the process ended before it was looked at. */
  readonly peakBytes: number;
  readonly stdout: string;
  /** Milliseconds from the start to the first byte on standard output. */
  readonly firstOutputMs: number | undefined;
}

export interface Measured {
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** For a process that does not end by itself: it is asked to end (SIGTERM) when this says so. */
  readonly done?: () => Promise<boolean>;
}

const TIMED = `TIMEFORMAT='%U %S %R'; { time "$@" 2>&4; } 4>&2 2>&3`;

export async function measure({ command, env = {}, done }: Measured): Promise<Run> {
  const started = performance.now();
  const bash = spawn('bash', ['-c', TIMED, 'bash', ...command], {
    env: { ...process.env, LC_ALL: 'C', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const [output, errors, times] = ['', '', ''].map((_, index) => collect(bash, index + 1)) as [Text, Text, Text];
  let firstOutputMs: number | undefined;
  bash.stdout!.once('data', () => {
    firstOutputMs = performance.now() - started;
  });
  const closed = new Promise<number>((resolve, reject) => {
    bash.once('error', reject);
    bash.once('close', (code) => resolve(code ?? 1));
  });
  let running = true;
  const watched = watch(bash, () => running, done);
  const code = await closed;
  running = false;
  const peakBytes = await watched;
  if (code !== 0 && !done) throw new Error(`${command.join(' ')} ended with ${code}:\n${errors()}${output()}`);
  const [userSeconds, systemSeconds, wallSeconds] = times().trim().split(' ').map(Number) as [number, number, number];
  return { userSeconds, systemSeconds, wallSeconds, peakBytes, stdout: output(), firstOutputMs };
}

type Text = () => string;

function collect(child: ChildProcess, fd: number): Text {
  let text = '';
  child.stdio[fd]!.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return () => text;
}

/** Follows the measured process until it ends; returns its peak memory. */
async function watch(bash: ChildProcess, running: () => boolean, done: Measured['done']): Promise<number> {
  let peak = 0;
  let asked = false;
  while (running()) {
    const pid = childOf(bash.pid!);
    if (pid !== undefined) peak = Math.max(peak, peakOf(pid));
    if (pid !== undefined && done && !asked && (await done())) {
      asked = true;
      process.kill(pid, 'SIGTERM');
    }
    await pause(20);
  }
  return peak;
}

function childOf(pid: number): number | undefined {
  const first = readProc(`/proc/${pid}/task/${pid}/children`).split(' ')[0];
  return first ? Number(first) : undefined;
}

export function peakOf(pid: number): number {
  const found = /^VmHWM:\s+(\d+) kB/m.exec(readProc(`/proc/${pid}/status`));
  return found ? Number(found[1]) * 1024 : 0;
}

/** The process may end between any two looks. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export async function countRows(path: string): Promise<number> {
  let rows = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) rows++;
  }
  return rows;
}
