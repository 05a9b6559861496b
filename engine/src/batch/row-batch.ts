/**
 * What the worker's chain needs of batches beyond the functions' {@link Batch}: decode a slot, pass views along edges,
 * encode for sinks. Implemented over the kernel.
 */
import type { ColumnDeclaration } from '../spec/column-type.ts';
import type { Codec, Json } from '../spec/plan.ts';
import type { RecordLayout } from '../spec/records.ts';
import type { Batch } from './batch.ts';
import type { TokenAccess } from './token-access.ts';

export interface DecodeRequest {
  /** Pointers into shared memory. */
  readonly from: number;
  readonly to: number;
  /** True when no more bytes of this partition follow: an unfinished last row counts. */
  readonly last: boolean;
  /** `rejected`: lines whatever their bytes are, for rows that are only to be rejected: all live, no error 5. */
  readonly codec: Codec | { readonly name: 'rejected' };
  /** The rows stand in records, of which the first begins at `begin`; `from` may lie within one. */
  readonly records?: (RecordLayout & { readonly begin: number }) | undefined;
  /** For the line codec: name of its one column, default `line`. */
  readonly lineColumn?: string | undefined;
  /** Byte offset, within its partition, of the byte at `from`. */
  readonly offset: number;
  /** Byte offsets, within the partition, of the rows one by one: those that they are about, where the engine made them. */
  readonly positions?: readonly number[] | undefined;
  /** `_ppf_id` of a row is this text and the row's byte offset, or in records its position. */
  readonly idPrefix: string;
  /** Milliseconds since 1970 that `_ppf_timestamp` gives. */
  readonly timestamp: number;
  /** Fewer rows than the decoder's limit, after an {@link ArenaFullError}. */
  readonly maxRows?: number;
}

/** A decoder is one kernel instance with its arena; it holds one decoded batch at a time. */
export interface Decoder {
  /** Names that views may be asked for: all columns that the chain reads, writes, removes or declares. Once, at start. */
  setColumns(names: readonly string[]): void;
  /** Decodes rows from the slot: at most the decoder's row limit. The previous batch and all its views end here. */
  decode(request: DecodeRequest): Decoded;
  /** Decodes rows that the engine itself made (error documents): NDJSON text, put into the arena. Earlier views stay valid. */
  decodeText(ndjson: string, request: Pick<DecodeRequest, 'offset' | 'idPrefix' | 'timestamp' | 'positions'>): Decoded;
}

export interface Decoded {
  /** Pointer behind the last byte taken. */
  readonly consumed: number;
  /** Rows found, the bad ones included. */
  readonly rows: number;
  /** Rows that could not be decoded, with reasons; they are not live in `view`. */
  readonly rejected: readonly Rejection[];
  readonly malformed: number;
  readonly notObject: number;
  /** All good rows. */
  readonly view: RowView;
  /** Columns of records that are to be set on every row. */
  readonly recordColumns: readonly string[];
  /** The bytes of a row as they came from the source (a copy). */
  raw(row: number): Uint8Array;
  /** Byte offset of a row within its partition. */
  offset(row: number): number;
  /** What the row is known by: the same, or in records its position. */
  position(row: number): number;
}

export interface Rejection {
  readonly row: number;
  readonly reason: string;
}

/** A batch on its way through the chain: live rows, columns laid over the decoded rows, a projection. Clones share what they can. */
export interface RowView extends Batch, TokenAccess {
  /** A view that can be changed without changing this one. Costs no copy of rows. */
  clone(): RowView;
  /** Restricts `column` and `set` to a function's declared names (for its error messages); `undefined` lifts it. */
  allow(names: { readonly reads: readonly string[]; readonly writes: readonly string[] } | undefined): void;
  /** Leaves only these columns, in this order, converted to their declared types; rows that cannot be are rejected. */
  project(columns: readonly ColumnDeclaration[]): void;
  /** Keeps only these live rows (ascending). */
  retain(rows: Uint32Array): void;
  /** Rejections since the last call, and forgets them. */
  takeRejections(): readonly Rejection[];
  /** Rows filtered since the last call, and forgets. */
  takeFiltered(): number;
  /** Where `route` sent rows: table to live row numbers; `undefined` key absent means never routed. */
  routed(): { readonly tables: ReadonlyMap<string, Uint32Array>; readonly unrouted: Uint32Array };
  /** Forgets the routes: the next node starts anew. */
  clearRoutes(): void;
  /** Before `encode`: rejects the rows that the codec cannot write (a line that holds a newline, NaN in JSON). The chain asks takeRejections afterwards. */
  prepare(codec: Codec): void;
  /** Encodes one row as JSON text the way a sink would get it (a copy, without newline). */
  encodeRow(row: number): Uint8Array;
}

/** Encodes a view's live rows for one sink, piece by piece where a slot is too small. */
export interface Encoder {
  /**
   * `json`: one object per row. `line`: of a view with exactly one column (projected on one, or decoded from lines) that column's
   * text, a string without quotes and escapes, absent and null as an empty line; of any other view the row's JSON.
   * Writes rows `view.rows[from..]` to `[out, outEnd)`. Returns how many rows were written and how many bytes.
   * `rows` 0 with rows left means that not even one row fits.
   * `offsets`: pointer to room for (rows + 1) u32, or 0.
   */
  encode(
    view: RowView,
    codec: Codec,
    from: number,
    limit: number,
    out: number,
    outEnd: number,
    offsets: number,
  ): { readonly rows: number; readonly bytes: number };
}

export interface DecoderOptions {
  readonly memory: WebAssembly.Memory;
  readonly kernel: WebAssembly.Module;
  /** Arena bounds, pointers into the memory. */
  readonly arena: { readonly start: number; readonly end: number };
  /** Most rows in a decoded batch (a multiple of 16). */
  readonly maxRows: number;
}

export { ArenaFullError } from './arena-full-error.ts';
export type { Json };
