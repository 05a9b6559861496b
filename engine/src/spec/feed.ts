import type { Codec, Json } from './plan.ts';
import type { RecordLayout } from './records.ts';

/**
 * An opaque place in a partition, from which the source can go on. Plain JSON, small: it stands in the checkpoint.
 */
export type Position = Json;

/** How a source hands over rows. Bytes go straight into shared memory; the engine cuts them into rows and batches. */
export interface Feed {
  /** Positions committed before this start, by partition: for a source to find its old partitions. */
  readonly resume: ReadonlyMap<string, Position>;
  /** The longest row that is allowed. */
  readonly maxRowBytes: number;
  /** Opens a partition: one ordered stream of rows. Its name is part of `_ppf_id` and of the checkpoint. */
  partition(name: string, options?: PartitionOptions): PartitionFeed;
}

export interface PartitionOptions {
  /** Start of the numbering of bytes, for `_ppf_id` and default positions: the byte offset of the first byte fed. Default 0. */
  readonly offset?: number;
  /**
   * Makes the position that stands for "all bytes before `offset` were delivered". Default: the offset itself.
   * A file source adds what identifies the file.
   */
  readonly position?: (offset: number) => Position;
  /** False when a replay cannot give the same rows again (standard input): then nothing is resumed. Default true. */
  readonly replayable?: boolean;
  /** Its rows go along the outs with this table only, `''` those without one. Default: along all but the error table. */
  readonly table?: string;
  /** How its bytes become rows, where it differs from the node's codec. */
  readonly codec?: Codec;
  /** Room is given for so long after the engine has asked to stop: for what has arrived and nobody would send again. Default 0. */
  readonly lingerMs?: number;
  /** Rows stand in records, which a {@link RecordWriter} writes: with bounds of their own and values beside them. */
  readonly records?: RecordLayout;
  /**
   * For sources that answer whoever sent the rows: called for each stretch of bytes, in the order in which they were fed, once every
   * required sink has its rows for good: where one of them would forget them in a crash (a file is cut back to the last checkpoint),
   * once a checkpoint holds them, which is then made at once.
   */
  readonly settled?: (stretch: SettledStretch) => void;
  /** The same as soon as the sinks have them, for whoever only counts. */
  readonly reached?: (stretch: SettledStretch) => void;
}

/** A stretch of a partition and what became of its rows, cut at the marks that lie in it. */
export interface SettledStretch {
  /** Offset behind the stretch. */
  readonly end: number;
  /** Marks within it, ascending. */
  readonly marks: readonly number[];
  /** Rows before the first mark, between each two, and behind the last: one number more than there are marks. */
  readonly rows: readonly number[];
  /** Of these, rows that went to an error table. */
  readonly rejected: readonly number[];
}

export interface AdvanceOptions {
  readonly flush?: boolean;
  readonly marks?: readonly number[];
  /**
   * For records: what has been advanced since the last flush is one record with the head of a payload that is too long: it goes to
   * the error table with the reason, the whole payload's length and digest.
   */
  readonly refused?: { readonly reason: string; readonly bytes: number; readonly sha256: string };
}

export interface PartitionFeed {
  /**
   * Waits for free memory (this is the back-pressure) and returns a view where the next bytes go. At least 1 byte long.
   * The view is good until the next call on this feed. Rejects with an `AbortError` when the engine stops.
   */
  room(): Promise<Uint8Array>;
  /**
   * The first `length` bytes of the room are written.
   * `flush`: complete rows go to a worker now instead of waiting for more (a tail that has caught up, a timer, a message).
   * `marks`: offsets within the partition, ascending, each behind a complete row, at which `settled` counts anew.
   */
  advance(length: number, options?: AdvanceOptions): void;
  /** Complete rows go to a worker now: for who has advanced without saying so. Not between `room` and `advance`. */
  flush(): void;
  /** No more bytes: an unfinished last row counts as complete. Resolves when all is dispatched (not delivered). */
  end(): Promise<void>;
  /** Resolves when all that was fed has been delivered and committed. */
  delivered(): Promise<void>;
  /** False: nothing of what was fed is on its way; what was not delivered is the beginning of a row. */
  busy?(): boolean;
  /** The partition is over for good (its file is gone): once all of it is delivered, its position leaves the checkpoint. */
  forget?(): void;
}
