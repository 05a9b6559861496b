/** Rows on their way to one sink: a stretch of encoded rows of one batch. */
import type { Bulk } from '../spec/bulk-sink.ts';
import type { SinkPosition } from '../spec/sink.ts';

/** What sinks must remember once the batch is committed, by sink; later writes cover earlier ones. */
export type SinkPositions = ReadonlyMap<string, NumberedPosition>;

/** A sink's position with the number of the write that it stands for. */
export interface NumberedPosition {
  readonly write: number;
  readonly position: SinkPosition;
}

/** Its rows are views over shared memory, good until `release`. */
export interface Parcel extends Bulk {
  /** `source-id/partition`. */
  readonly label: string;
  readonly origins: Origins;
  /** Nobody reads its memory any more. */
  release(): void;
  /** Every row is delivered, or stands in an error table. */
  settled(positions: SinkPositions | undefined): void;
  /** A sink that nobody waits for has no room for it: that is its end. */
  dropped(): void;
  /** One of its rows is refused for good; `offset` as in {@link RowOrigin}. */
  refused(offset: number): void;
}

/** Where a parcel's rows came from. */
export interface Origins {
  readonly source: string;
  readonly partition: string;
  /** Offset, within the partition, of the byte at `from`. */
  readonly offset: number;
  /** Bounds, in the shared memory, of what was read. */
  readonly from: number;
  readonly to: number;
  /** The shared memory. */
  readonly memory: Uint8Array;
  /** Two pointers for each row: to its first byte as it came, and behind its last. Outside of the bounds: the engine has made it. */
  readonly pointers: Uint32Array;
  /** Offset of each row, where they do not follow from the pointers. */
  readonly offsets?: Float64Array;
  /** What each row is known by, where that is not its offset. */
  readonly positions?: Float64Array;
}

/** Where a row came from. */
export interface RowOrigin {
  readonly source: string;
  readonly partition: string;
  /** Offset of the row within its partition. */
  readonly offset: number;
  /** What it is known by: the same, or where it came in a record the record's position. */
  readonly position: number;
  /** The row as it came; `undefined` for one that the engine has made (an error document). */
  readonly bytes: Uint8Array | undefined;
}

/** Where row number `row` of a parcel came from: views, good until its `release`. */
export function rowOrigin(origins: Origins, row: number): RowOrigin {
  const { source, partition, from, to, memory, pointers } = origins;
  const start = pointers[2 * row]!;
  const end = pointers[2 * row + 1]!;
  const read = start >= from && start <= end && end <= to;
  const offset = origins.offsets?.[row] ?? origins.offset + (read ? start - from : 0);
  return {
    source,
    partition,
    offset,
    position: origins.positions?.[row] ?? offset,
    bytes: read ? memory.subarray(start, end) : undefined,
  };
}
