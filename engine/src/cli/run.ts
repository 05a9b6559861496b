/** `reef run`: runs the punchlines of a file or folder until they end or are stopped. */
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Observation } from '../control/observation.ts';
import { tapAnswer } from '../control/tap-answer.ts';
import { ReefError } from '../errors.ts';
import { EnergyMeter } from '../observe/energy.ts';
import { Logger, type LoggerOptions, type LogLine } from '../observe/logger.ts';
import { peakMemoryBytes } from '../observe/peak-memory.ts';
import { cpuSeconds } from '../observe/process-series.ts';
import { renderSummary, summaryFigures, type Usage } from '../observe/summary.ts';
import { Terminal } from '../observe/terminal.ts';
import { endProcess } from '../pipeline/end-threads.ts';
import type { Metrics } from '../pipeline/metrics.ts';
import { DEAD_LETTERS } from '../pipeline/plan-worker.ts';
import { DRAIN_SECS, type RunOptions, type RunResult, runPunchline } from '../pipeline/run-punchline.ts';
import type { Punchline } from '../spec/plan.ts';
import { sha256 } from '../state/audit-log.ts';
import { defaultStateFolder } from '../state/state-folder.ts';
import { argumentProblem } from './argument-problem.ts';
import type { CommandIo } from './command-io.ts';
import { readLogging } from './logging-options.ts';
import { type MetricsOptions, readMetricsOptions } from './metrics-options.ts';
import { unreachable } from './probe-nodes.ts';
import { punchlineFiles } from './punchline-files.ts';
import { crashesTo } from './redacted-io.ts';
import { runUsage } from './usage.ts';
import { reefVersion } from './version.ts';

const MOST_WORKERS = 16;

interface RunArgs {
  readonly file: string;
  readonly state: string | undefined;
  readonly workers: number;
  readonly drainSecs: number;
  /** It ends where something cannot be reached, and does not wait for it. */
  readonly connect: boolean;
  readonly logging: LoggerOptions;
  readonly metrics: MetricsOptions;
}

/**
 * Exit codes: 0 finished, or stopped in order; 1 failed; 2 a wrong command line; 3 a wrong punchline; 4 stopped, but not all
 * that was read could be delivered in time; 128 + signal: a batch was stopped before its end, or a second signal came.
 */
export async function runRun(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseRunArgs(args, io);
  if (typeof parsed === 'string') {
    io.stderr.write(`reef run: ${parsed}\nusage: ${runUsage}\n`);
    return 2;
  }
  const since = performance.now() - process.uptime() * 1000;
  const energy = EnergyMeter.open();
  const terminal = new Terminal(io.stderr);
  const logger = new Logger(terminal, io.stderr, parsed.logging);
  crashesTo((message) => logger.say({ level: 'error', message }));
  const observation = new Observation({
    facts: { version: reefVersion(), energy },
    metricsAt: parsed.metrics.at,
    security: parsed.metrics.security,
    log: logger.log(),
    answers: ({ running }) => ({ tap: tapAnswer(running) }),
  });
  const punchlines = await loadAll(parsed, io, logger);
  if (!punchlines) return 3;
  if (parsed.connect && !(await allReached(punchlines, logger))) return 1;

  try {
    await observation.open();
  } catch (error) {
    logger.say({ level: 'error', ...errorLine(error) });
    return 2;
  }

  const running: Metrics[] = [];
  let leftOpen = false;
  const stop = new AbortController();
  const showProgress = (): void => {
    if (logger.format === 'text') terminal.progress(() => running, since);
  };
  const signals = watchSignals(logger, stop, parsed.drainSecs);
  const runs = punchlines.map(async (punchline) => {
    const result = await runOne(punchline, parsed, io, logger, {
      stop: stop.signal,
      created: (watched) => observation.add({ name: punchline.label, running: watched }),
      started: (metrics) => {
        running.push(metrics);
        if (running.length === punchlines.length) showProgress();
      },
      leftOpen: () => {
        leftOpen = true;
      },
    });
    return { punchline, result };
  });
  const ended = await Promise.all(runs);
  await observation.close();
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
    const exitCode = codes[index]!;
    if (!(result instanceof Error)) tellEnd(logger, punchline.label, result, { usage, exitCode });
    if (ended.length > 1) {
      logger.say({ level: 'info', punchline: punchline.label, message: `exit code ${exitCode}` });
    }
  }
  if (leftOpen) await endProcess(worst(codes));
  return worst(codes);
}

function tellEnd(
  logger: Logger,
  punchline: string,
  result: RunResult,
  { usage, exitCode }: { readonly usage: Usage; readonly exitCode: number },
): void {
  if (result.error) logger.say({ level: 'error', punchline, ...errorLine(result.error) });
  const dead = { id: DEAD_LETTERS, path: result.deadLetters };
  const message = outcomeText(result);
  const summary = summaryFigures({ outcome: result.outcome, exitCode }, result.metrics, usage, dead);
  logger.write({ level: 'info', punchline, message, summary }, renderSummary(punchline, message, result.metrics, usage, dead));
}

/** A punchline, how the log calls it, and where it keeps its state. */
interface Started {
  readonly plan: Punchline;
  readonly label: string;
  readonly stateFolder: string;
  /** Of its file as it was read. */
  readonly fileSha256: string;
}

/** `undefined` when one of them is wrong, which has been told: nothing is started then. */
async function loadAll(args: RunArgs, io: CommandIo, logger: Logger): Promise<readonly Started[] | undefined> {
  const { loadPunchlines } = await import('../punchline/load.ts');
  const { renderProblem } = await import('../punchline/problem.ts');
  const plans: Punchline[] = [];
  const digests = new Map<string, string>();
  let wrong = false;
  let files: readonly string[];
  try {
    files = await punchlineFiles(args.file, io.cwd);
  } catch (error) {
    const { message } = error as Error;
    logger.write({ level: 'error', message }, `reef run: ${message}\n`);
    return undefined;
  }
  for (const file of files) {
    const { punchlines, problems, source, text = '' } = await loadPunchlines(file, io);
    for (const problem of problems) {
      const { severity, message, ...data } = problem;
      const level = severity === 'error' ? 'error' : 'warn';
      logger.write({ level, message, data }, `${renderProblem(problem, io.stderr.isTTY ? source : undefined)}\n`);
    }
    wrong ||= problems.some(({ severity }) => severity === 'error');
    plans.push(...punchlines);
    for (const punchline of punchlines) digests.set(punchline.file, sha256(text));
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
      fileSha256: digests.get(file)!,
      label: alone ? name : `${name} (${basename(file)})`,
      stateFolder: args.state === undefined ? defaultStateFolder(file, name, io.env) : join(args.state, ...below),
    };
  });
}

/** What cannot be reached has been told. */
async function allReached(punchlines: readonly Started[], logger: Logger): Promise<boolean> {
  const missing = await Promise.all(
    punchlines.map(async ({ plan, label }) => (await unreachable(plan)).map((message) => ({ punchline: label, message }))),
  );
  for (const { punchline, message } of missing.flat()) logger.say({ level: 'error', punchline, message });
  return missing.flat().length === 0;
}

async function runOne(
  { plan, label, stateFolder, fileSha256 }: Started,
  args: RunArgs,
  io: CommandIo,
  logger: Logger,
  options: Pick<RunOptions, 'stop' | 'created' | 'started' | 'leftOpen'>,
): Promise<RunResult | Error> {
  try {
    return await runPunchline(plan, {
      stateFolder,
      workers: args.workers,
      log: logger.log(label),
      audit: { reefVersion: reefVersion(), fileSha256 },
      ...options,
      drainMs: args.drainSecs * 1000,
      tracking: io.env.REEF_BENCH_NOOP !== '1',
    });
  } catch (error) {
    logger.say({ level: 'error', punchline: label, ...errorLine(error) });
    return error as Error;
  }
}

function errorLine(error: unknown): Pick<LogLine, 'message' | 'data'> {
  if (error instanceof ReefError) return { message: error.message, data: { code: error.code } };
  return { message: (error as Error).stack ?? String(error) };
}

function parseRunArgs(args: readonly string[], io: CommandIo): RunArgs | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        state: { type: 'string' },
        workers: { type: 'string' },
        'drain-secs': { type: 'string' },
        connect: { type: 'boolean', default: false },
        metrics: { type: 'string' },
        'metrics-cert': { type: 'string' },
        'metrics-key': { type: 'string' },
        'metrics-ca': { type: 'string' },
        'log-format': { type: 'string' },
        'log-level': { type: 'string' },
      },
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
    const logging = readLogging(values, io);
    if (typeof logging === 'string') return logging;
    const metrics = readMetricsOptions(values, io);
    if (typeof metrics === 'string') return metrics;
    return { file, state: values.state, workers, drainSecs, connect: values.connect, logging, metrics };
  } catch (error) {
    return argumentProblem(error);
  }
}

/** The first signal ends in order, the second at once, the third whatever hangs. */
function watchSignals(
  logger: Logger,
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
    const message = `${signal}: delivering what was read, for ${drainSecs} s at most; once more ends at once`;
    logger.say({ level: 'info', message });
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
