import type { Fields } from '../spec/fields.ts';
import type { Log, OpenContext } from '../spec/node.ts';
import type { Punchline, PunchlineNode } from '../spec/plan.ts';
import type { AnySink } from '../spec/sink.ts';
import type { Source } from '../spec/source.ts';
import type { Range as StreamRange } from '../state/inflight.ts';
import type { State } from '../state/state.ts';
import type { SpecifiedNode } from './plan-worker.ts';

/** What a pipeline uses of its state folder. */
export type PipelineState = Pick<State, 'checkpoint' | 'suspects' | 'inFlight' | 'save' | 'folder' | 'deadLetters'>;

/** Computes only these ranges and delivers nothing: finds out whether they kill the process. */
export interface Probe {
  readonly ranges: readonly StreamRange[];
  /** Those that are not behind yet. */
  readonly open: Set<StreamRange>;
  /** Rows that are computed together, each time noted before; 0: all of a range. One alone is noted with its digest. */
  readonly rowsAtOnce: number;
  /** All ranges are behind. */
  done(): void;
}

/** How sinks are opened: for real, or not at all. */
/** Where a sink says what it has to say. */
export type SinkReports = Pick<OpenContext<Fields>, 'log' | 'count'>;

export interface SinkOpeners {
  node(
    punchline: Punchline,
    node: PunchlineNode,
    specs: ReadonlyMap<string, SpecifiedNode>,
    state: PipelineState,
    reports: SinkReports,
  ): Promise<AnySink>;
  /** The file in the state folder that rejected rows go to where no error table is near. */
  deadLetters(punchline: Punchline, state: PipelineState, log: Log): Promise<AnySink>;
}

/** How a punchline is run; everything that is not about what it computes. */
export interface PipelineOptions {
  /** Most worker threads. */
  readonly workers: number;
  readonly log: Log;
  /** What workers instantiate. */
  readonly kernel: WebAssembly.Module;
  readonly slotBytes: number;
  readonly maxRowBytes: number;
  /** Most rows that a function sees at once. */
  readonly maxRows: number;
  readonly idleMs: number;
  readonly checkpointMs: number;
  /** Every checkpoint waits for the disk; see {@link openState}. */
  readonly durable: boolean;
  /** False only in benchmarks: no tracker, no checkpoints, no confirmation by sinks. */
  readonly tracking: boolean;
  readonly openSinks: SinkOpeners;
  readonly probe?: Probe;
  /** The source as it is to be run, when the punchline says more about its running than about its rows. */
  controlSource?(node: PunchlineNode, source: Source): Source;
  /** A worker hangs on rows of this source and cannot be ended: the process must go (the next start isolates the rows). */
  unkillable(source?: string): void;
}

export const defaultTuning = {
  slotBytes: 512 * 1024,
  maxRowBytes: 16 * 1024 * 1024,
  maxRows: 8192,
  idleMs: 10_000,
  checkpointMs: 1000,
} as const;
