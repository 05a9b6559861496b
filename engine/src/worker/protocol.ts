/**
 * What main and a worker say to each other. Rows never travel in messages: both sides see the same memory, messages carry
 * pointers into it and counts.
 */
import type { ColumnDeclaration } from '../spec/column-type.ts';
import type { Codec, Json, PunchlineKind } from '../spec/plan.ts';
import type { RecordLayout } from '../spec/records.ts';
import type { SideColumn } from '../spec/row-texts.ts';
import type { TapSide } from '../spec/tap-side.ts';

/** All that a worker must know of a punchline: plain data. */
export interface WorkerPlan {
  readonly punchline: string;
  readonly punchlineKind: PunchlineKind;
  readonly folder: string;
  /** Every column name that anything in the chain refers to. */
  readonly columns: readonly string[];
  readonly sources: readonly PlannedSource[];
  readonly functions: readonly PlannedFunction[];
  readonly sinks: readonly PlannedSink[];
  /** Index in `sinks` of the dead-letter file. */
  readonly deadLetters: number;
  /** What must not stand in reasons: see spec/secrets.ts. */
  readonly secrets: readonly string[];
}

export interface PlannedSource {
  readonly id: string;
  readonly codec: Codec;
  readonly lineColumn: string;
  readonly out: readonly PlannedEdge[];
  readonly errors: ErrorTarget;
}

export interface PlannedFunction {
  readonly id: string;
  readonly type: string;
  readonly settings: Readonly<Record<string, Json>>;
  /** Columns that every edge into it declares, and with one type. */
  readonly declared: readonly ColumnDeclaration[];
  readonly out: readonly PlannedEdge[];
  readonly errors: ErrorTarget;
}

/** What main has done for a function before any worker opens it. */
export interface PreparedFunction {
  readonly value?: unknown;
  /** Not to be opened: the reason that its rows are rejected with, and the module's digest. */
  readonly isolated?: string;
  readonly digest?: string;
}

export interface PlannedSink {
  readonly id: string;
  readonly codec: Codec;
  /** False: rows are only counted. */
  readonly payload: boolean;
  readonly rowOffsets: boolean;
  /** With `rowOffsets`: it may refuse rows, so main must know where each came from. */
  readonly origins: boolean;
  /** Columns of which it wants the text beside each row; with `rowOffsets`. */
  readonly side: readonly SideColumn[];
  /** Where rows go that the sink's codec cannot write, or that the sink refuses. */
  readonly errors: ErrorTarget;
}

export type EdgeTarget = { readonly function: number } | { readonly sink: number };

export interface PlannedEdge {
  readonly target: EdgeTarget;
  readonly table?: string;
  readonly columns?: readonly ColumnDeclaration[];
}

/** The error table that a node's rejected rows go to; `undefined`: the dead-letter file. */
export type ErrorTarget = PlannedEdge | undefined;

export interface WorkerData {
  readonly plan: WorkerPlan;
  /** By index, as in `plan.functions`. */
  readonly prepared: readonly PreparedFunction[];
  /** Shared; index 0 is set when all is to end at once. */
  readonly cancelled: Int32Array;
  readonly memory: WebAssembly.Memory;
  readonly kernel: WebAssembly.Module;
  readonly arena: { readonly start: number; readonly end: number };
  readonly maxRows: number;
  readonly tap: TapData;
}

export interface TapData {
  /** Shared: rows that may be shown now, for each side of each node. */
  readonly credit: Int32Array;
  /** Ids in the order of their numbers. */
  readonly nodes: readonly string[];
}

/** A row that somebody watches go by. */
export interface TappedRow {
  /** Its `_ppf_id`. */
  readonly id: string;
  /** JSON, or what was read where that is none; of a long row the beginning. */
  readonly text: string;
  /** Length of all of it. */
  readonly bytes: number;
  readonly reason?: string;
}

/** A piece of memory for one sink's encoded rows. */
export interface OutRange {
  readonly sink: number;
  readonly start: number;
  readonly end: number;
  /** There is no larger one: what does not fit goes to the dead letters. */
  readonly largest: boolean;
}

export interface ComputeRequest {
  readonly type: 'compute';
  /** Number of the batch; answers name it. */
  readonly batch: number;
  /** Index in `plan.sources`. */
  readonly source: number;
  readonly partition: string;
  readonly from: number;
  readonly to: number;
  readonly last: boolean;
  /** Byte offset, within the partition, of the byte at `from`. */
  readonly offset: number;
  readonly timestamp: number;
  /** Output memory for the sinks that rows usually reach; more is asked for with `need`. */
  readonly out: readonly OutRange[];
  /** Per sink, how many rows of this batch it wants encoded (-1: all). */
  readonly wanted: readonly number[];
  /** In place of the source's name in `_ppf_id`: its rows are documents about rows of this one. */
  readonly of?: string;
  /** Rows leave the source along outs with this table only. */
  readonly table?: string;
  /** In place of the source's codec. */
  readonly codec?: Codec;
  /** The rows stand in records. */
  readonly records?: RecordLayout;
  /** Offsets within the partition: rows are counted before the first, between each two, and behind the last. */
  readonly marks?: readonly number[];
  /** The range must not be computed: it is one row that goes to the error table with this reason. */
  readonly reject?: RejectRange;
}

export interface RejectRange {
  readonly reason: string;
  /** For a row beyond the bound, of which only the head is in memory: its whole length and digest. */
  readonly truncated?: { readonly bytes: number; readonly sha256: string };
}

export type ToWorker =
  /** The first message: what the worker is for. */
  | { readonly type: 'begin'; readonly data: WorkerData }
  | ComputeRequest
  | { readonly type: 'more'; readonly batch: number; readonly out: OutRange };

/** A stretch of encoded rows in an out range. */
export interface Part {
  readonly sink: number;
  /** Start of the out range that it stands in: names the slot. */
  readonly slot: number;
  readonly start: number;
  readonly bytes: number;
  readonly rows: number;
  /** Pointer to rows + 1 u32 offsets, or 0. */
  readonly offsets: number;
  /** Pointer to rows pairs of u32 pointers: to the row's first byte as it was read, and behind its last; or 0. */
  readonly origins: number;
  /** With origins, of rows that stand in records: pointer to the f64 that each is known by; else 0. */
  readonly positions: number;
  /** The texts of side columns: pointers to the first, and to rows + 1 u32 offsets from there. */
  readonly side: readonly { readonly start: number; readonly offsets: number }[];
}

/** Rows at a function that there is something to say of. */
export interface Notice {
  readonly node: string;
  readonly what: string;
  readonly hint: string;
  readonly rows: number;
}

export interface Counts {
  rows: number;
  malformed: number;
  notObject: number;
  filtered: number;
  /** Routed to a table that no edge has. */
  nowhere: number;
  /** Rejected rows by node id. */
  readonly rejected: Record<string, number>;
  /** What each function did, by its id. */
  readonly functions: Record<string, FunctionCounts>;
  /** CPU time of the worker over all of it, in microseconds. */
  cpuMicros: number;
  /** Rows that reached each sink, by index. */
  readonly delivered: number[];
  notices: readonly Notice[];
  /** Figures of functions' own. */
  counted: readonly Counted[];
  /** Where there are marks, for each stretch that was computed in one go. */
  marked?: readonly Marked[];
}

/** What a function has counted under a name that its type declares. */
export interface Counted {
  readonly node: string;
  readonly metric: string;
  readonly by: number;
}

export interface FunctionCounts {
  /** Rows that came to it, and that left it. */
  entered: number;
  left: number;
  /** CPU time of the worker while it was at work. */
  cpuMicros: number;
}

/** Rows between marks, and those of them that went to an error table. */
export interface Marked {
  readonly rows: readonly number[];
  readonly rejected: readonly number[];
}

export type FromWorker =
  | { readonly type: 'ready' }
  /** Still at work on the batch: that it came is all that it says. */
  | { readonly type: 'alive' }
  /** A function could not be opened, or asks for a stop: nothing can be computed. */
  | { readonly type: 'unfit'; readonly message: string }
  /** `parts`: filled so far, complete; `bytes`: what the next row needs at least (0: unknown). */
  | {
      readonly type: 'need';
      readonly batch: number;
      readonly sink: number;
      readonly parts: readonly Part[];
      readonly bytes: number;
    }
  | {
      readonly type: 'done';
      readonly batch: number;
      readonly consumed: number;
      readonly parts: readonly Part[];
      readonly counts: Counts;
    }
  | { readonly type: 'tapped'; readonly node: string; readonly side: TapSide; readonly rows: readonly TappedRow[] }
  /** `data` names the node. */
  | { readonly type: 'log'; readonly level: 'info' | 'warn'; readonly message: string; readonly data: Json };
