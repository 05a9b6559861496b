import { ReefError } from '../errors.ts';
import type { PartitionOptions } from '../spec/feed.ts';
import type { Codec } from '../spec/plan.ts';
import type { RecordLayout } from '../spec/records.ts';
import type { ComputeRequest, Counts, OutRange, Part, RejectRange } from '../worker/protocol.ts';
import type { RowCutter } from './row-cutter.ts';
import type { Slot, SlotPool } from './slots.ts';

/** A stretch of rows of a job that is computed in one go. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly reject?: RejectRange;
  /** Workers that have died over it. */
  deaths: number;
}

/** One batch on its way through the workers. */
export interface Job {
  readonly number: number;
  /** Index of the source in the plan. */
  readonly source: number;
  readonly sourceId: string;
  readonly partition: string;
  /** Its rows are documents about rows of this source: they have its name in their `_ppf_id`. */
  readonly of?: string;
  /** A replay gives the same rows, so it pays to know which of them were being computed. */
  readonly replayable: boolean;
  readonly slot: Slot;
  readonly pool: SlotPool;
  /** Offset, within the partition, of the byte at `start`. */
  readonly start: number;
  readonly offset: number;
  /** No bytes follow in this partition. */
  readonly last: boolean;
  /** Its ranges hold nothing but whole rows: a worker must take all of each. */
  readonly wholeRows: boolean;
  /** Tells its rows apart. */
  readonly cutter: RowCutter;
  readonly timestamp: number;
  /** Index of the one worker that may compute it, where a function keeps state by partition. */
  readonly pin: number | undefined;
  /** Of the partition, see {@link PartitionOptions}. */
  readonly table?: string;
  readonly codec?: Codec;
  readonly records?: RecordLayout;
  /** Rows are counted between them. */
  readonly marks?: readonly number[];
  /** What is left to compute, in order; normally one range. */
  ranges: Range[];
  /** Output slots that are lent to it, by sink. */
  readonly lent: Map<number, LentSlot>;
  /** All earlier batches of its partition are through: its output goes straight to the sinks. */
  isFirst(): boolean;
  /** Encoded rows are ready, in order. */
  ready(parts: readonly ReadyPart[]): void;
  counted(counts: Counts): void;
  /** All is computed; `consumed`: pointer behind the last byte that was taken. */
  computed(consumed: number): void;
}

/** What its worker is to do next. */
export function requestFor(job: Job, out: readonly OutRange[], wanted: readonly number[]): ComputeRequest {
  const range = job.ranges[0]!;
  return {
    type: 'compute',
    batch: job.number,
    source: job.source,
    partition: job.partition,
    from: range.from,
    to: range.to,
    // A row to be rejected is a whole one, though its newline may belong to the next range.
    last: range.reject !== undefined || (job.last && job.ranges.length === 1),
    offset: job.offset + (range.from - job.start),
    timestamp: job.timestamp,
    out,
    wanted,
    ...(range.reject ? { reject: range.reject } : {}),
    ...(job.of === undefined ? {} : { of: job.of }),
    ...(job.table === undefined ? {} : { table: job.table }),
    ...(job.codec === undefined ? {} : { codec: job.codec }),
    ...(job.records === undefined ? {} : { records: job.records }),
    ...(job.marks === undefined ? {} : { marks: job.marks }),
  };
}

/** What is wrong when a worker took a range up to `consumed`: what it left would be lost in silence. */
export function leftBehind(
  { wholeRows, sourceId, partition }: Job,
  { from, to }: Range,
  consumed: number,
): ReefError | undefined {
  if (!wholeRows || consumed === to) return undefined;
  const taken = `${consumed - from} of ${to - from} bytes`;
  return new ReefError(
    'function',
    `Cannot go on with source "${sourceId}" (${partition}): a worker took ${taken} of whole rows, expected all; this is a mistake in Reef, none of them counts as delivered`,
  );
}

/** An output slot with the number of parts in it that no sink has taken yet. */
export class LentSlot {
  readonly slot: Slot;
  readonly #pool: SlotPool;
  readonly #freed: () => void;
  #parts = 0;
  /** A worker may still write to it. */
  #open = true;

  constructor(slot: Slot, pool: SlotPool, freed: () => void) {
    this.slot = slot;
    this.#pool = pool;
    this.#freed = freed;
  }

  hold(): void {
    this.#parts++;
  }

  drop(): void {
    this.#parts--;
    this.#releaseIfDone();
  }

  close(): void {
    this.#open = false;
    this.#releaseIfDone();
  }

  #releaseIfDone(): void {
    if (this.#open || this.#parts > 0) return;
    this.#pool.release(this.slot);
    this.#freed();
  }
}

export interface ReadyPart {
  readonly part: Part;
  readonly lent: LentSlot;
}
