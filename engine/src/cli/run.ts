/** `reef run`: runs the punchlines of a file or folder until they end or are stopped. */
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { ReefError } from '../errors.ts';
import { EnergyMeter } from '../observe/energy.ts';
import { peakMemoryBytes } from '../observe/peak-memory.ts';
import { renderSummary } from '../observe/summary.ts';
import { Terminal } from '../observe/terminal.ts';
import { endProcess } from '../pipeline/end-threads.ts';
import type { Metrics } from '../pipeline/metrics.ts';
import { DEAD_LETTERS } from '../pipeline/plan-worker.ts';
import { DRAIN_SECS, type RunOptions, type RunResult, runPunchline } from '../pipeline/run-punchline.ts';
import type { Punchline } from '../spec/plan.ts';
import { defaultStateFolder } from '../state/state-folder.ts';
import { argumentProblem } from './argument-problem.ts';
import type { CommandIo } from './check.ts';
import { punchlineFiles } from './punchline-files.ts';
import { runUsage } from './usage.ts';

const MOST_WORKERS = 16;

interface RunArgs {
  readonly file: string;
  readonly state: string | undefined;
  readonly workers: number;
  readonly drainSecs: number;
}

/**
 * Exit codes: 0 finished, or stopped in order; 1 failed; 2 a wrong command line; 3 a wrong punchline; 4 stopped, but not all
 * that was read could be delivered in time; 128 + signal: a batch was stopped before its end, or a second signal came.
 */
export async function runRun(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseRunArgs(args);
  if (typeof parsed === 'string') {
    io.stderr.write(`reef run: ${parsed}\nusage: ${runUsage}\n`);
    return 2;
  }
  const since = performance.now() - process.uptime() * 1000;
  const energy = EnergyMeter.open();
  const punchlines = await loadAll(parsed, io);
  if (!punchlines) return 3;

  const terminal = new Terminal(io.stderr);
  const running: Metrics[] = [];
  let leftOpen = false;
  const stop = new AbortController();
  const signals = watchSignals(terminal, stop, parsed.drainSecs);
  const runs = punchlines.map(async (punchline) => {
    const result = await runOne(punchline, parsed, io, terminal, {
      stop: stop.signal,
      started: (metrics) => {
        running.push(metrics);
        if (running.length === punchlines.length) terminal.progress(() => running, since);
      },
      leftOpen: () => {
        leftOpen = true;
      },
    });
    return { punchline, result };
  });
  const ended = await Promise.all(runs);
  signals.close();
  terminal.endProgress();

  const usage = {
    seconds: (performance.now() - since) / 1000,
    cpuSeconds: cpuSeconds(),
    joules: energy?.joules(),
    peakBytes: peakMemoryBytes(),
  };
  const codes = ended.map(({ punchline, result }) => exitCode(punchline.plan, result, signals.received));
  for (const [index, { punchline, result }] of ended.entries()) {
    if (!(result instanceof Error)) {
      if (result.error) terminal.print(`reef: ${punchline.label}: ${(result.error as Error).message}\n`);
      const dead = { id: DEAD_LETTERS, path: result.deadLetters };
      terminal.print(renderSummary(punchline.label, outcomeText(result), result.metrics, usage, dead));
    }
    if (ended.length > 1) terminal.print(`reef: ${punchline.label}: exit code ${codes[index]}\n`);
  }
  if (leftOpen) await endProcess(worst(codes));
  return worst(codes);
}

/** A punchline, how the log calls it, and where it keeps its state. */
interface Started {
  readonly plan: Punchline;
  readonly label: string;
  readonly stateFolder: string;
}

/** `undefined` when one of them is wrong, which has been told: nothing is started then. */
async function loadAll(args: RunArgs, io: CommandIo): Promise<readonly Started[] | undefined> {
  const { loadPunchlines } = await import('../punchline/load.ts');
  const { renderProblem } = await import('../punchline/problem.ts');
  const plans: Punchline[] = [];
  let wrong = false;
  let files: readonly string[];
  try {
    files = await punchlineFiles(args.file, io.cwd);
  } catch (error) {
    io.stderr.write(`reef run: ${(error as Error).message}\n`);
    return undefined;
  }
  for (const file of files) {
    const { punchlines, problems, source } = await loadPunchlines(file, io);
    for (const problem of problems) io.stderr.write(`${renderProblem(problem, io.stderr.isTTY ? source : undefined)}\n`);
    wrong ||= problems.some(({ severity }) => severity === 'error');
    plans.push(...punchlines);
  }
  if (wrong) return undefined;
  const inFolder = files[0] !== args.file;
  return plans.map((plan) => {
    const { name, file } = plan;
    // Devices have punchlines of one name.
    const alone = plans.filter((other) => other.name === name).length === 1;
    const below = [...(inFolder ? [basename(file)] : []), ...(inFolder || plans.length > 1 ? [name] : [])];
    return {
      plan,
      label: alone ? name : `${name} (${basename(file)})`,
      stateFolder: args.state === undefined ? defaultStateFolder(file, name, io.env) : join(args.state, ...below),
    };
  });
}

async function runOne(
  { plan, label, stateFolder }: Started,
  args: RunArgs,
  io: CommandIo,
  terminal: Terminal,
  options: Pick<RunOptions, 'stop' | 'started' | 'leftOpen'>,
): Promise<RunResult | Error> {
  try {
    return await runPunchline(plan, {
      stateFolder,
      workers: args.workers,
      log: terminal.log(label),
      ...options,
      drainMs: args.drainSecs * 1000,
      tracking: io.env.REEF_BENCH_NOOP !== '1',
    });
  } catch (error) {
    const message = error instanceof ReefError ? error.message : ((error as Error).stack ?? String(error));
    terminal.print(`reef: ${label}: ${message}\n`);
    return error as Error;
  }
}

function parseRunArgs(args: readonly string[]): RunArgs | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { state: { type: 'string' }, workers: { type: 'string' }, 'drain-secs': { type: 'string' } },
      allowPositionals: true,
    });
    const [file, ...more] = positionals;
    if (file === undefined) return 'no file is given, expected the name of a punchline file or folder, or - for standard input';
    if (more.length > 0) return `"${more[0]}" is one file too many, expected one`;
    const workers = values.workers === undefined ? Math.min(availableParallelism(), 4) : Number(values.workers);
    if (!Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS) {
      return `--workers is "${values.workers}", expected a whole number from 1 to ${MOST_WORKERS}`;
    }
    if (values.state === '') return '--state is empty, expected the name of a folder';
    const drainSecs = Number(values['drain-secs'] ?? DRAIN_SECS);
    if (!(drainSecs >= 0)) return `--drain-secs is "${values['drain-secs']}", expected a number of seconds`;
    return { file, state: values.state, workers, drainSecs };
  } catch (error) {
    return argumentProblem(error);
  }
}

/** The first signal ends in order, the second at once, the third whatever hangs. */
function watchSignals(
  terminal: Terminal,
  stop: AbortController,
  drainSecs: number,
): { readonly received: number | undefined; close(): void } {
  const numbers = { SIGINT: 2, SIGTERM: 15 } as const;
  let received: number | undefined;
  let count = 0;
  const on = (signal: keyof typeof numbers): void => {
    if (++count > 2) process.kill(process.pid, 'SIGKILL');
    if (count === 2) void endProcess(128 + numbers[signal]);
    if (count > 1) return;
    received = numbers[signal];
    terminal.print(`reef: ${signal}: delivering what was read, for ${drainSecs} s at most; once more ends at once\n`);
    stop.abort();
  };
  process.on('SIGINT', on).on('SIGTERM', on);
  return {
    get received() {
      return received;
    },
    close() {
      process.off('SIGINT', on).off('SIGTERM', on);
    },
  };
}

function outcomeText({ outcome }: RunResult): string {
  return outcome === 'undrained' ? 'stopped before all was delivered (the rest is read again at the next start)' : outcome;
}

function exitCode(punchline: Punchline, result: RunResult | Error, signal: number | undefined): number {
  if (result instanceof Error || result.outcome === 'failed') return 1;
  if (result.outcome === 'undrained') return 4;
  if (result.outcome === 'stopped' && punchline.kind === 'BatchPunchline') return 128 + (signal ?? 0);
  return 0;
}

/** Of several punchlines: one that failed counts more than one that was stopped, and that more than one that only has rows left. */
function worst(codes: readonly number[]): number {
  const badness = (code: number): number => (code === 1 ? 3 : code > 128 ? 2 : code === 0 ? 0 : 1);
  return codes.reduce((worse, code) => (badness(code) > badness(worse) ? code : worse), 0);
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
