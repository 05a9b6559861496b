/** What a case file says, checked: see docs/testing.md. Nodes are named by their ids in the punchline. */
import type { Json, Location } from '../spec/plan.ts';

/** JSON with integers beyond 2^53 as they are. */
export type Value = Json | bigint | readonly Value[] | { readonly [key: string]: Value };
export type Row = { readonly [column: string]: Value };

export interface CaseFile {
  /** As it was given, for messages. */
  readonly file: string;
  readonly path: string;
  readonly text: string;
  /** Path of the punchline. */
  readonly punchline: string;
  readonly cases: readonly Case[];
}

export interface Case {
  readonly name: string;
  readonly location: Location;
  /** Why it is not run. */
  readonly skip?: string;
  readonly input: ReadonlyMap<string, Input>;
  /** Sources and sinks that stay what they are. */
  readonly real: readonly string[];
  readonly expect: ReadonlyMap<string, Expectation>;
  readonly faults: readonly Fault[];
  /** Rows that a source feeds at once; absent: all, or a tenth where there are faults. */
  readonly batchRows?: number;
  readonly timeoutSecs: number;
}

export type Input = {
  /** Of a source that sends rows to tables: the one that these go to. */
  readonly table?: string;
} & (
  | /** Fed as JSON. */ { readonly rows: readonly Row[] }
  /** Bytes that go through the source's own codec. */
  | { readonly text: string }
  | { readonly file: string }
);

export interface Expectation {
  /** What goes to the outs without a table (of a sink: what reaches it). */
  readonly out?: Rows;
  /** What goes to the outs with a table. */
  readonly tables: ReadonlyMap<string, Rows>;
  readonly rejected?: RejectedRows;
}

/** What rows are expected. `path` leads to the key in the case file, for `--update`. */
export interface Rows {
  readonly path: readonly (string | number)[];
  readonly how:
    | { readonly kind: 'rows' | 'includes'; readonly rows: readonly Row[]; readonly file?: string }
    | { readonly kind: 'count'; readonly count: number }
    | { readonly kind: 'text'; readonly text: string }
    /** All that a run without the faults gives. */
    | { readonly kind: 'nothing_lost' };
  /** Absent: kept with one input, any with several. */
  readonly order?: 'kept' | 'any';
  readonly duplicatesAtMost: number;
}

export interface RejectedRows {
  readonly path: readonly (string | number)[];
  readonly how:
    | { readonly kind: 'rejected'; readonly rows: readonly RejectedRow[] }
    | { readonly kind: 'rejected_count'; readonly count: number };
}

/** Only what is given is compared. */
export interface RejectedRow {
  readonly row?: Row;
  /** The row as the bytes that it was, for rows that are no JSON. */
  readonly text?: string;
  readonly reason?: string;
  readonly reasonIncludes?: string;
}

export type Fault =
  /** The sink refuses so many writes, each to be tried again, and then accepts. */
  | { readonly kind: 'refuse'; readonly node: string; readonly times: number; readonly afterRows: number }
  /** At the function, rows whose column has this value run into the CPU limit. */
  | { readonly kind: 'over_limit'; readonly node: string; readonly column: string; readonly value: string | number }
  /** The process is killed when the sink has so many rows, before it can say so; then it is started again. */
  | { readonly kind: 'restart'; readonly node: string; readonly afterRows: number };
