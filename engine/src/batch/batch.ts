import type { Json } from '../spec/plan.ts';

/**
 * What a function sees: some thousands of rows at once, column by column. The rows stay where they were read (shared memory,
 * as the bytes that came in); a column is located or converted only when it is asked for.
 *
 * Rows have numbers, 0 to `size - 1`, that never change within a batch. Rows that were filtered or rejected are gone from
 * `rows` but keep their number, so arrays made for a batch are always `size` long and indexed by row number.
 */
export interface Batch {
  /** Length of every column array of this batch. */
  readonly size: number;
  /** Numbers of the rows that are still live, ascending. A new array after `filter` or `reject`: read it again. */
  readonly rows: Uint32Array;
  /** A column that the function has declared in `reads` or `writes`; any other name throws a `TypeError`. */
  column(name: string): Column;
  /** Adds a column or replaces it. Arrays are `size` long (copied) and read at live rows only. */
  set(name: string, data: ColumnData): void;
  /** Removes a column from the rows. */
  drop(name: string): void;
  /** Gives a column another name, in its place; an existing column `to` is replaced. A row that has no `from` is left as it is. */
  rename(from: string, to: string): void;
  /** Leaves only these columns, in this order. */
  select(names: readonly string[]): void;
  /** Keeps the rows where `keep[row]` is not 0. The others count as delivered, in the metric `filtered`. */
  filter(keep: Uint8Array): void;
  /** Sends one row to the error table instead. `reason` is one sentence for people. A row that is gone already is left alone. */
  reject(row: number, reason: string): void;
  /**
   * Sends the rows where `where[row]` is not 0 to `table` alone; an empty name stands for the outs without a table.
   * Rows never routed go to every `out` but the error table.
   */
  route(where: Uint8Array, table: string): void;
  /** One row as a plain object, parsed anew at each call: slow (microseconds a row), for trying things out. */
  object(row: number): Record<string, Json>;
}

/** What stands in a column at a row, told by the first look at its JSON token; nothing is converted for it. */
export const ValueKind = {
  absent: 0,
  string: 1,
  /** A number token without `.`, `e` or `E`. */
  integer: 2,
  float: 3,
  true: 4,
  false: 5,
  null: 6,
  object: 7,
  list: 8,
} as const;
export type ValueKind = (typeof ValueKind)[keyof typeof ValueKind];

/** How the typed getters treat rows whose value is absent, null, or cannot be converted (see docs/conversions.md). */
export interface ReadOptions {
  /**
   * `reject` (default): such rows go to the error table with the reason. `skip`: they stay, their value is 0 (or empty) and
   * `valid` is 0 there; values that are present but of a wrong kind are still rejected. `lenient`: those are skipped too.
   */
  readonly missing?: 'reject' | 'skip' | 'lenient';
}

/** Arrays of a column are good until the batch's `apply` returns, and are not to be written to. */
export interface Column {
  readonly name: string;
  /** {@link ValueKind} of every live row. */
  kinds(): Uint8Array;
  /** 64-bit integers. */
  i64(options?: ReadOptions): BigInt64Array;
  /** Doubles; integers beyond 2^53 are rounded. The fastest way to read numbers. */
  f64(options?: ReadOptions): Float64Array;
  /** 1 or 0. */
  boolean(options?: ReadOptions): Uint8Array;
  /** After a typed getter with `skip` or `lenient`: 1 where there is a value. */
  readonly valid: Uint8Array;
  /** 1 where the value is the string `value` (compared after unescaping). Rows without a string give 0. */
  equals(value: string): Uint8Array;
  /** 1 where the value is a string that holds `part` (`contains`), starts or ends with it. */
  matches(part: string, where: 'contains' | 'starts' | 'ends'): Uint8Array;
  /**
   * Compares every value with `value`: 0 less, 1 equal, 2 greater, 3 where it cannot be compared (absent, or another kind).
   * 64-bit integers exactly, other numbers as doubles; strings by code point.
   */
  compare(value: string | number): Uint8Array;
  /**
   * 1 where the value is a string that is an IPv4 or IPv6 address in one of the networks (`10.0.0.0/8`, `2001:db8::/32`, a lone
   * address). An IPv4 address mapped into IPv6 counts as IPv4. The list is parsed once: give the same array every time.
   */
  within(networks: readonly string[]): Uint8Array;
  /** The string at a row; `undefined` where there is none. Makes a JavaScript string: for the rows that need it. */
  string(row: number): string | undefined;
  /** The value at a row as JavaScript has it (integers beyond 2^53 as bigint); `undefined` where there is none. */
  value(row: number): Json | bigint | undefined;
}

/**
 * The values of a column for {@link Batch.set}. `valid[row] === 0` leaves the column out of that row (2: an explicit null).
 */
export type ColumnData =
  | { readonly integer: BigInt64Array; readonly valid?: Uint8Array }
  | { readonly float: Float64Array; readonly valid?: Uint8Array }
  | { readonly boolean: Uint8Array; readonly valid?: Uint8Array }
  /** One of a few strings per row: `index[row]` selects from `dictionary`. The fastest way to write strings. */
  | {
      readonly dictionary: readonly string[];
      readonly index: Uint8Array | Uint16Array | Uint32Array;
      readonly valid?: Uint8Array;
    }
  /** One string per row; `null` writes null, `undefined` leaves the column out. */
  | { readonly strings: readonly (string | null | undefined)[] }
  /** One JSON text per row, written as it is: the caller vouches that it is valid JSON without a newline. */
  | { readonly json: readonly (string | undefined)[] }
  /** The same value in every row. */
  | { readonly constant: Json };
