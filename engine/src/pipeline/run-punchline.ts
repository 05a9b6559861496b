/** The life of one punchline: state folder, recovery, run, drain, and what is left behind for the next start. */

import { setTimeout as wait } from 'node:timers/promises';
import { probeEntry } from '../assets.ts';
import { loadKernelModule } from '../batch/kernel-module.ts';
import { ReefError } from '../errors.ts';
import type { Log } from '../spec/node.ts';
import type { Punchline } from '../spec/plan.ts';
import { bootId } from '../state/boot.ts';
import { openState, type State } from '../state/state.ts';
import type { Metrics } from './metrics.ts';
import { realSinks } from './open-sinks.ts';
import { defaultTuning, type PipelineOptions } from './options.ts';
import { Pipeline } from './pipeline.ts';
import { type RunControl, runControl } from './run-control.ts';
import { specify } from './specify.ts';

/** What was fed must be delivered in this time after a stop; what is not is read again at the next start. */
export const DRAIN_SECS = 10;

/** The last checkpoint of a run that could not deliver everything gets so long. */
const LAST_SAVE_MS = 1000;

export interface RunOptions {
  readonly stateFolder: string;
  readonly workers: number;
  readonly log: Log;
  /** Aborts: stop feeding, deliver what was fed, end. */
  readonly stop: AbortSignal;
  /** False only in benchmarks. */
  readonly tracking?: boolean;
  readonly tuning?: Partial<Pick<PipelineOptions, 'slotBytes' | 'maxRowBytes' | 'maxRows' | 'idleMs' | 'checkpointMs'>>;
  readonly drainMs?: number;
  /** Rows are about to flow. */
  started?(metrics: Metrics): void;
}

export interface RunResult {
  /**
   * `finished`: the sources ended and all is delivered. `stopped`: asked to stop, all that was fed is delivered.
   * `undrained`: asked to stop, but sinks did not take everything in time. `failed`: see `error`.
   */
  readonly outcome: 'finished' | 'stopped' | 'undrained' | 'failed';
  readonly error?: unknown;
  readonly metrics: Metrics;
  /** Path of the dead-letter file. */
  readonly deadLetters: string;
}

/** Rejects when the punchline could not be started; a failure while it runs is a result. */
export async function runPunchline(punchline: Punchline, options: RunOptions): Promise<RunResult> {
  const specs = await specify(punchline);
  // A batch can start afresh: its checkpoints need not wait for the disk, as long as a restart of the machine is noticed.
  const boot = punchline.kind === 'BatchPunchline' ? bootId() : undefined;
  const state = await openState(options.stateFolder, { boot });
  try {
    sayWhereItGoesOn(state, options.log);
    if (state.interrupted.length > 0 || state.killedAtStart) {
      // Imported when needed: it brings node:child_process.
      const { isolateKillers } = await import('./probe.ts');
      await isolateKillers({ punchline, specs, state, child: probeEntry(), log: options.log });
    }
    const control = runControl(punchline, options.log);
    const pipeline = new Pipeline(punchline, specs, state, {
      ...defaultTuning,
      ...options.tuning,
      kernel: loadKernelModule(),
      workers: options.workers,
      log: options.log,
      tracking: options.tracking ?? true,
      durable: boot === undefined,
      openSinks: realSinks,
      controlSource: control.controlSource,
      // The in-flight record stays: the next start isolates what hangs.
      unkillable: () => process.kill(process.pid, 'SIGKILL'),
    });
    const result = await runOpened(pipeline, punchline, state, { ...options, control });
    await state.markClean({ durable: result.outcome === 'finished' || result.outcome === 'stopped' });
    return result;
  } finally {
    await state.close();
  }
}

async function runOpened(
  pipeline: Pipeline,
  punchline: Punchline,
  state: State,
  options: RunOptions & { readonly control: RunControl },
): Promise<RunResult> {
  const { exit } = options.control;
  const { metrics } = pipeline;
  const common = { metrics, deadLetters: state.deadLetters };
  try {
    await pipeline.open();
    await state.markStarted();
  } catch (error) {
    await pipeline.close('stopped').catch(() => {});
    throw error;
  }
  options.started?.(metrics);
  const undrained = Promise.withResolvers<'undrained'>();
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    pipeline.stop();
    timer ??= setTimeout(() => undrained.resolve('undrained'), options.drainMs ?? DRAIN_SECS * 1000);
  };
  exit?.start(metrics, stop);
  if (options.stop.aborted) stop();
  else options.stop.addEventListener('abort', stop, { once: true });
  try {
    const ended = await Promise.race([pipeline.run(), undrained.promise]);
    // What sinks did take need not be read again; a sink that hangs must not hold up the end a second time.
    if (ended === 'undrained')
      await Promise.race([pipeline.saveProgress().catch(() => {}), wait(LAST_SAVE_MS, undefined, { ref: false })]);
    exit?.check();
    const inTime = pipeline.stopping && (options.stop.aborted || !exit?.success) ? 'stopped' : 'finished';
    const outcome = ended ?? (exit?.failure ? 'failed' : inTime);
    await pipeline.close(outcome === 'finished' ? 'finished' : 'stopped');
    if (outcome === 'finished' && punchline.kind === 'BatchPunchline') await state.remove();
    if (exit?.success) options.log.info(`ended by an exit condition of ${exit.success}`);
    return { outcome, ...(outcome === 'failed' ? { error: exit?.failure } : {}), ...common };
  } catch (error) {
    await pipeline.saveProgress().catch(() => {});
    await pipeline.close('stopped').catch(() => {});
    return { outcome: 'failed', error: asReefError(error), ...common };
  } finally {
    clearTimeout(timer);
    exit?.close();
    options.stop.removeEventListener('abort', stop);
  }
}

/** Without it, the figures of a run that goes on look as if rows were missing. */
function sayWhereItGoesOn({ checkpoint, folder }: State, log: Log): void {
  if (checkpoint && Object.values(checkpoint.positions).some((partitions) => Object.keys(partitions).length > 0)) {
    log.info(`goes on where the last run stopped, at the checkpoint of ${checkpoint.savedAt} in ${folder}`);
  }
}

function asReefError(error: unknown): unknown {
  return error instanceof ReefError
    ? error
    : new ReefError('function', `Cannot go on: ${(error as Error).stack ?? error}`, { cause: error });
}
