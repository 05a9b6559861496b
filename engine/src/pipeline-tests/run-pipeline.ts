/**
 * Runs a rewired punchline with the real engine. Without restarts in this process; with them in a child process that is killed as
 * `kill -9` does it, and started again over the same state folder.
 */
import { fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { harnessFile } from '../assets.ts';
import { ReefError } from '../errors.ts';
import { type RunOptions, runPunchline } from '../pipeline/run-punchline.ts';
import type { Log } from '../spec/node.ts';
import type { Punchline } from '../spec/plan.ts';
import type { Case, Fault } from './case.ts';
import { Gathered, type RejectedDocument } from './gathered.ts';
import type { FromChild, ToChild } from './harness/child.ts';
import { collectWith } from './harness/collector.ts';
import type { Rewired } from './rewire.ts';

export interface PipelineRun {
  readonly gathered: Gathered;
  readonly rejected: readonly RejectedDocument[];
  /** Faults that did not come to pass, as sentences. */
  readonly unused: readonly string[];
  /** Why it did not come to its end. */
  readonly failure?: string;
  /** What the engine warned of. */
  readonly warnings: readonly string[];
}

export interface PipelineRunOptions {
  readonly stateFolder: string;
  readonly workers: number;
}

/** Checkpoints follow at once where a restart is to show what they are worth. */
const CHECKPOINT_MS = 5;
const DRAIN_MS = 1000;

export async function runPipeline(
  { punchline, aliases }: Rewired,
  test: Case,
  faults: readonly Fault[],
  options: PipelineRunOptions,
): Promise<PipelineRun> {
  const warnings: string[] = [];
  const log: Log = { info: () => {}, warn: (message) => warnings.push(message) };
  const inChild = faults.some(({ kind }) => kind === 'restart');
  const run = inChild ? runInChildren : runHere;
  const { gathered, failure, deadLetters } = await run({ punchline, test, faults, log, ...options });
  const text = await readFile(deadLetters, 'utf8').catch(() => '');
  const rejected = gathered.rejected(text, aliases);
  const innocent = [...aliases].filter(([id]) => rejected.every(({ inPlace }) => inPlace !== id));
  return {
    gathered,
    rejected,
    unused: [...gathered.unused, ...innocent.map(([, node]) => `no row of "${node}" was over its limit`)],
    warnings,
    ...(failure === undefined ? {} : { failure }),
  };
}

interface Job extends PipelineRunOptions {
  readonly punchline: Punchline;
  readonly test: Case;
  readonly faults: readonly Fault[];
  readonly log: Log;
}

interface Ended {
  readonly gathered: Gathered;
  readonly failure?: string;
  readonly deadLetters: string;
}

/** What both ways have in common. */
export function runOptions(job: Omit<Job, 'test' | 'faults' | 'punchline'>, stop: AbortSignal): RunOptions {
  const { stateFolder, workers, log } = job;
  return { stateFolder, workers, log, stop, drainMs: DRAIN_MS, tuning: { checkpointMs: CHECKPOINT_MS } };
}

/** Why a run that has ended is no success. */
export function failureOf(outcome: string, error: unknown): string | undefined {
  if (outcome === 'finished') return undefined;
  if (outcome === 'failed') return error instanceof Error ? error.message : String(error);
  return 'it was stopped before its end';
}

async function runHere(job: Job): Promise<Ended> {
  const gathered = new Gathered(job.faults, () => {});
  collectWith(async (taken) => {
    gathered.take(taken);
  });
  const { timeoutSecs } = job.test;
  const stop = AbortSignal.timeout(timeoutSecs * 1000);
  const deadLetters = `${job.stateFolder}/dead-letters.ndjson`;
  try {
    const result = await runPunchline(job.punchline, runOptions(job, stop));
    const failure = stop.aborted ? tooLong(timeoutSecs) : failureOf(result.outcome, result.error);
    return { gathered, deadLetters: result.deadLetters, ...(failure === undefined ? {} : { failure }) };
  } catch (error) {
    if (!(error instanceof ReefError)) throw error;
    return { gathered, deadLetters, failure: error.message };
  }
}

async function runInChildren(job: Job): Promise<Ended> {
  const { test, log } = job;
  const deadLetters = `${job.stateFolder}/dead-letters.ndjson`;
  const until = performance.now() + test.timeoutSecs * 1000;
  let kill = (): void => {};
  const gathered = new Gathered(job.faults, () => kill());
  for (;;) {
    const restarts = gathered.restarts;
    const failure = await runChild(job, gathered, log, until - performance.now(), (end) => {
      kill = end;
    });
    if (gathered.restarts === restarts) return { gathered, deadLetters, ...(failure === undefined ? {} : { failure }) };
  }
}

/** Resolves with why the child did not come to the end of the pipeline. */
function runChild(
  { punchline, stateFolder, workers }: Job,
  gathered: Gathered,
  log: Log,
  timeoutMs: number,
  started: (kill: () => void) => void,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let failure: string | undefined = 'its process ended before the pipeline did';
    const child = fork(harnessFile('child-entry'), [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    const send = (message: ToChild): void => {
      if (child.connected) child.send(message, () => {});
    };
    const kill = (): void => {
      child.kill('SIGKILL');
    };
    started(kill);
    const timer = setTimeout(
      () => {
        failure = tooLong(Math.round(timeoutMs / 1000));
        kill();
      },
      Math.max(timeoutMs, 1),
    );
    child.on('message', (message: FromChild) => {
      if (message.type === 'ended') failure = message.failure;
      else if (message.type === 'warned') log.warn(message.message);
      else {
        try {
          if (gathered.take(message.taken)) send({ type: 'answer', number: message.number });
        } catch (error) {
          send({ type: 'answer', number: message.number, refused: (error as Error).message });
        }
      }
    });
    child.once('exit', () => {
      clearTimeout(timer);
      resolve(failure);
    });
    send({ type: 'run', punchline, stateFolder, workers });
  });
}

function tooLong(seconds: number): string {
  return `it has not ended in ${seconds} s`;
}
