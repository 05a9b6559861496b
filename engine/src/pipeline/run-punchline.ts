/** The life of one punchline: state folder, recovery, run, drain, and what is left behind for the next start. */

import { probeEntry } from '../assets.ts';
import { loadKernelModule } from '../batch/kernel-module.ts';
import { ReefError } from '../errors.ts';
import type { Log } from '../spec/node.ts';
import type { Punchline } from '../spec/plan.ts';
import { bootId } from '../state/boot.ts';
import { openState, type State } from '../state/state.ts';
import { Audit, type AuditFacts } from './audit.ts';
import { type Metrics, newMetrics } from './metrics.ts';
import { realSinks } from './open-sinks.ts';
import { defaultTuning, type PipelineOptions } from './options.ts';
import { Pipeline } from './pipeline.ts';
import { type RunControl, runControl } from './run-control.ts';
import type { RunningPunchline } from './running.ts';
import { specify } from './specify.ts';
import type { Taps } from './taps.ts';
import { withFronts } from './with-fronts.ts';
import { within } from './within.ts';

/** What was fed must be delivered in this time after a stop; what is not is read again at the next start. */
export const DRAIN_SECS = 10;

/** The last checkpoint of a run that could not deliver everything gets so long, */
const LAST_SAVE_MS = 1000;
/** and so long do nodes get to close after that. */
const CLOSE_MS = 5000;

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
  /** For the audit log; absent: none is written. */
  readonly audit?: AuditFacts;
  /** It is there to be watched; nothing is open yet. */
  created?(running: RunningPunchline): void;
  /** Rows are about to flow. */
  started?(metrics: Metrics, taps: Taps): void;
  /** A node could not be closed in time: what it holds may keep the process from ending by itself. */
  leftOpen?(): void;
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
export async function runPunchline(given: Punchline, options: RunOptions): Promise<RunResult> {
  const punchline = await withFronts(given);
  const specs = await specify(punchline);
  // A batch can start afresh: its checkpoints need not wait for the disk, as long as a restart of the machine is noticed.
  const boot = punchline.kind === 'BatchPunchline' ? bootId() : undefined;
  const state = await openState(options.stateFolder, { boot });
  try {
    sayWhereItGoesOn(state, options.log);
    if (state.interrupted.length > 0 || state.killedAtStart) {
      // Imported when needed: it brings node:child_process.
      const { isolateKillers } = await import('./probe.ts');
      await isolateKillers({ punchline, specs, state, child: probeEntry(), log: options.log, stop: options.stop });
      // What was to be found out is still to be found out.
      if (options.stop.aborted) return { outcome: 'stopped', metrics: newMetrics(), deadLetters: state.deadLetters };
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
      unkillable: (source) => {
        const where = source === undefined ? '' : ` on rows of "${source}"`;
        options.log.warn(`A function hangs${where}, and its thread cannot be ended: the process is (SIGKILL), start it again`);
        // The in-flight record stays: the next start isolates what hangs.
        process.kill(process.pid, 'SIGKILL');
      },
    });
    options.created?.(watched(punchline, pipeline, options.stateFolder));
    const audit = options.audit && new Audit(state, options.audit, options.log);
    const active = async (): Promise<void> => audit?.started({ punchline, specs, prepared: pipeline.prepared });
    const result = await runOpened(pipeline, punchline, state, { ...options, control, active }).catch(async (error: unknown) => {
      // A start that failed in order was not killed. What a run before was killed over is kept until a start gets through.
      if (state.interrupted.length === 0) await state.markClean({ durable: false });
      throw error;
    });
    await audit?.stopped(result.outcome, result.error);
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
  options: RunOptions & { readonly control: RunControl; active(): Promise<void> },
): Promise<RunResult> {
  const { exit } = options.control;
  const { metrics } = pipeline;
  const common = { metrics, deadLetters: state.deadLetters };
  const undrained = Promise.withResolvers<'undrained'>();
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    pipeline.stop();
    timer ??= setTimeout(() => undrained.resolve('undrained'), options.drainMs ?? DRAIN_SECS * 1000);
  };
  if (options.stop.aborted) stop();
  else options.stop.addEventListener('abort', stop, { once: true });
  try {
    const opened = pipeline
      .open()
      .then(options.active)
      .then(() => state.markStarted());
    // Nothing was read: when a node does not open, there is nothing to wait for.
    if ((await Promise.race([opened, undrained.promise])) === 'undrained') {
      opened.catch(() => {});
      await closeInTime(pipeline, options);
      return { outcome: 'stopped', ...common };
    }
  } catch (error) {
    clearTimeout(timer);
    options.stop.removeEventListener('abort', stop);
    await closeInTime(pipeline, options);
    throw error;
  }
  options.started?.(metrics, pipeline.taps);
  exit?.start(metrics, stop);
  try {
    const ended = await Promise.race([pipeline.run(), undrained.promise]);
    // What sinks did take need not be read again; a sink that hangs must not hold up the end a second time.
    if (ended === 'undrained') await within(LAST_SAVE_MS, quietly(pipeline.saveProgress()));
    exit?.check();
    const inTime = pipeline.stopping && (options.stop.aborted || !exit?.success) ? 'stopped' : 'finished';
    const outcome = ended ?? (exit?.failure ? 'failed' : inTime);
    if (outcome === 'finished') await pipeline.close('finished');
    else await closeInTime(pipeline, options);
    if (outcome === 'finished' && punchline.kind === 'BatchPunchline') await state.remove();
    if (exit?.success) options.log.info(`ended by an exit condition of ${exit.success}`);
    return { outcome, ...(outcome === 'failed' ? { error: exit?.failure } : {}), ...common };
  } catch (error) {
    // The reason may be one that keeps the checkpoint from being written as well.
    await within(CLOSE_MS, quietly(pipeline.saveProgress()));
    await closeInTime(pipeline, options);
    return { outcome: 'failed', error: asReefError(error), ...common };
  } finally {
    clearTimeout(timer);
    exit?.close();
    options.stop.removeEventListener('abort', stop);
  }
}

function watched({ kind, annotations, nodes }: Punchline, pipeline: Pipeline, stateFolder: string): RunningPunchline {
  return {
    kind,
    annotations,
    nodes: nodes.map(({ id, kind, type }) => ({ id, kind, type })),
    stateFolder,
    metrics: pipeline.metrics,
    taps: pipeline.taps,
    get phase() {
      return pipeline.phase;
    },
    get unready() {
      return pipeline.unready;
    },
    get gauges() {
      return pipeline.gauges;
    },
  };
}

/** All that is to be kept is kept: a node that does not close must not hold up the end. */
async function closeInTime(pipeline: Pipeline, { leftOpen }: RunOptions): Promise<void> {
  if (!(await within(CLOSE_MS, quietly(pipeline.close('stopped'))))) leftOpen?.();
}

/** True when it has come to its end, whatever that was. */
function quietly(done: Promise<void>): Promise<true> {
  return done.then(
    () => true,
    () => true,
  );
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
