/** A punchline that runs in this process, as those see it who watch it. */
import type { NodeKind, PunchlineKind } from '../spec/plan.ts';
import type { Metrics } from './metrics.ts';
import type { Taps } from './taps.ts';

/** `opening`: nothing flows yet. `draining`: it was asked to end, and what was read is being delivered. */
export type Phase = 'opening' | 'running' | 'draining' | 'ended';

/** What is in use now. */
export interface Gauges {
  readonly workers: number;
  /** Batches that no worker has begun. */
  readonly queuedBatches: number;
  readonly inputSlots: SlotUse;
  readonly outputSlots: SlotUse;
}

export interface SlotUse {
  readonly used: number;
  readonly size: number;
  /** Those that wait for one. */
  readonly waiting: number;
}

export interface RunningPunchline {
  readonly kind: PunchlineKind;
  readonly annotations: Readonly<Record<string, string>>;
  readonly nodes: readonly { readonly id: string; readonly kind: NodeKind; readonly type: string }[];
  readonly stateFolder: string;
  readonly phase: Phase;
  /** Nodes that are not open, or sinks that are being tried again since they last took something. */
  readonly unready: readonly { readonly node: string; readonly why: string }[];
  readonly metrics: Metrics;
  readonly gauges: Gauges;
  readonly taps: Taps;
}
