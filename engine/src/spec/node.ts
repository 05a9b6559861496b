import type { Batch } from '../batch/batch.ts';
import type { Requires } from './client-libraries.ts';
import type { ColumnDeclaration } from './column-type.ts';
import type { Fields, Settings } from './fields.ts';
import type { Codec, Json, PunchlineKind } from './plan.ts';
import type { RecordLayout } from './records.ts';

/**
 * What a node type is: one declaration, from which validation, types, defaults, help and docs derive.
 * The name of a type is its key in the registry (its folder), never repeated in the declaration.
 * Its functions are declared as methods, so that a spec of particular settings can stand where any spec is asked for.
 */
interface NodeSpecification<F extends Fields> {
  /** One sentence, ends with a full stop. */
  readonly summary: string;
  readonly settings: F;
  /** Punchline fragments (one node each) that a user may copy; those that need nothing are run in CI. */
  readonly examples: readonly NodeExample[];
  /** For the node's page: what it opens to others, what it trusts, what it reads or writes on the machine. Sentences. */
  readonly security?: string;
  /** Client libraries that `open` loads: exact versions by package name, optional dependencies all. Default none. */
  readonly requires?: Requires;
  /** What it counts beside what every node of its kind does: names and sentences. */
  readonly metrics?: Readonly<Record<string, string>>;
  /** Constraints across settings; called only when each setting is right by itself. Default none. */
  check?(settings: Settings<F>): readonly SettingIssue[];
}

export interface NodeExample {
  readonly title: string;
  readonly yaml: string;
  /** Of a function or sink: rows to show it with. Its page has what comes out of them, found by running it. */
  readonly input?: readonly { readonly [column: string]: Json }[];
  /** What must be there for it to run and end (`a server`, `a certificate`): without that it is only checked. */
  readonly needs?: string;
}

/** What is wrong with settings that are right one by one. */
export interface SettingIssue {
  /** Leads to the setting that it is about; empty: to the node. */
  readonly path: readonly (string | number)[];
  /** To be read after the name of the setting: `is empty, expected at least one message`. */
  readonly message: string;
  /** `warning`: it is allowed, and a risk. Default `error`. */
  readonly severity?: 'error' | 'warning';
}

/** What every node is given when it is opened. */
export interface OpenContext<F extends Fields> {
  readonly id: string;
  readonly settings: Settings<F>;
  /** Folder that relative paths start from. */
  readonly folder: string;
  readonly punchlineKind: PunchlineKind;
  /** Its name, for what others are to know a node by. Absent in tests of single nodes. */
  readonly punchline?: string;
  readonly log: Log;
}

/** What a source or sink is given to prove that it could be opened. */
export interface ProbeContext<F extends Fields> extends OpenContext<F> {
  readonly codec: Codec;
  /** Aborts when the answer has taken too long. */
  readonly signal: AbortSignal;
}

export interface Log {
  info(message: string, data?: Readonly<Record<string, unknown>>): void;
  warn(message: string, data?: Readonly<Record<string, unknown>>): void;
}

// ---------------------------------------------------------------------------------------------- sources (main thread)

export interface SourceSpec<F extends Fields = Fields> extends NodeSpecification<F> {
  readonly kind: 'source';
  /** The codecs that it reads; the first is the default. */
  readonly codecs: readonly Codec['name'][];
  /** True: it reads JSON documents as well as lines (`encoding.form`). Default false. */
  readonly documents?: boolean;
  /** One sentence: what is promised about delivery and what a replay starts from. */
  readonly delivery: string;
  /** Tables that it may send rows to, `''` (NO_TABLE) where it also means the outs without a table. Default none. */
  tables?(settings: Settings<F>): readonly string[];
  /** Columns of its rows where they are known before it runs; `undefined`: anything may come. */
  columns?(settings: Settings<F>): readonly ColumnDeclaration[] | undefined;
  /**
   * For `reef check --connect`: proves that what the settings name can be reached, and with these rights, without moving a row or
   * leaving anything behind. Resolves with sentences that are read behind `source "in"` (`reaches broker a:9092 as "reef"`); rejects with
   * a `ReefError` that says what is in the way.
   */
  probe?(context: ProbeContext<F>): Promise<readonly string[]>;
  /**
   * A function that every row goes through before it leaves the source: what is read is parsed by workers, not here. `declared`: as in
   * {@link SourceContext}. Default none.
   */
  front?(settings: Settings<F>, declared: readonly ColumnDeclaration[] | undefined): SourceFront | undefined;
  open(context: SourceContext<F>): Source | Promise<Source>;
}

/** A built-in function with its settings, and the column in which it finds a line. */
export interface SourceFront {
  readonly type: string;
  readonly settings: Readonly<Record<string, Json>>;
  readonly lineColumn: string;
}

export interface SourceContext<F extends Fields> extends OpenContext<F> {
  readonly codec: Codec;
  /** `out[].columns` of all its edges, without repeats; `undefined` when an edge declares none. */
  readonly declared: readonly ColumnDeclaration[] | undefined;
  /** Columns that something in the punchline refers to: what nobody asks for need not be fed. */
  readonly referenced: ReadonlySet<string>;
}

/** An opened source. The engine calls `run` once, and `close` once whatever happened. */
export interface Source {
  /**
   * Feeds rows until there are no more (then resolves) or `signal` aborts (then resolves soon).
   * Rejects with a `ReefError` when it cannot go on; one with `retry` is run again after a pause.
   */
  run(feed: Feed, signal: AbortSignal): Promise<void>;
  /** Total bytes that this run will feed where that is known (for progress); `undefined`: unknown. */
  totalBytes?(): number | undefined;
  /**
   * Everything of `partition` up to `position` has been delivered to every required sink and the checkpoint that says so is on disk.
   * Brokers acknowledge here. Called for a partition when its position has changed, and for all of `Feed.resume` once.
   */
  committed?(partition: string, position: Position): void | Promise<void>;
  /**
   * True: what `committed` was told of can be fed again all the same, so in a BatchPunchline its checkpoints need not wait for the
   * disk. Default false: whoever holds the rows lets go of them.
   */
  readonly repeats?: boolean;
  close(): Promise<void>;
}

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

// ------------------------------------------------------------------------------------------- functions (worker thread)

export interface FunctionSpec<F extends Fields = Fields> extends NodeSpecification<F> {
  readonly kind: 'function';
  /** Columns that `apply` may ask for with `batch.column(name)`. */
  reads(settings: Settings<F>): readonly string[];
  /** Columns that `apply` may set; a `filter` writes none. */
  writes(settings: Settings<F>): readonly ColumnDeclaration[];
  /** True: it may also add columns that are known only when it runs (a wasm module). Default false. */
  writesOthers?(settings: Settings<F>): boolean;
  /** Columns that are gone afterwards. Default none. */
  removes?(settings: Settings<F>): readonly string[];
  /** When given, only these columns (and those it writes) are left afterwards. */
  keeps?(settings: Settings<F>): readonly string[] | undefined;
  /** Tables that it may route rows to, `''` (NO_TABLE) where it also means the outs without a table. Default none. */
  tables?(settings: Settings<F>): readonly string[];
  /** `partition`: it keeps state between batches, so all batches of a partition go to one worker, in order. */
  readonly state?: 'partition';
  /**
   * For `reef check`: looks at what the settings name (a module, say) without running any of it. Resolves with sentences about what
   * it found, rejects with a `ReefError` when `open` would.
   */
  examine?(context: Pick<OpenContext<F>, 'settings' | 'folder'>): Promise<readonly string[]>;
  /**
   * SHA-256, hexadecimal, of the module that the settings name, found without compiling any of it: a module that has killed the
   * process is known by it.
   */
  digestOf?(context: PrepareContext<F>): Promise<string | undefined>;
  /**
   * Work that is the same for all workers, done once on the main thread before one of them opens the function. The result, which
   * must survive a structured clone (a `WebAssembly.Module` does), is `context.prepared` there.
   */
  prepare?(context: PrepareContext<F>): Promise<unknown>;
  /** For the audit log: the module within what `prepare` resolved with, by its SHA-256, and where it was found. */
  moduleOf?(prepared: unknown): { readonly digest: string; readonly from: string };
  open(context: FunctionContext<F>): BatchFunction | Promise<BatchFunction>;
}

export type PrepareContext<F extends Fields> = Pick<OpenContext<F>, 'id' | 'settings' | 'folder'>;

export interface FunctionContext<F extends Fields> extends OpenContext<F> {
  /** What `prepare` resolved with. */
  readonly prepared: unknown;
  /** Columns that every edge into the node declares, and with one type; others may come too. */
  readonly declared: readonly ColumnDeclaration[];
  /**
   * Says that `apply` is still at work. A worker that is silent for a minute in the middle of a batch is ended; a function that
   * bounds its own time (and may rightly take longer) calls this every second or so.
   */
  alive(): void;
  /**
   * Counts rows that there is something to say of though they are delivered: `what` (to be read after "rows with") is warned of
   * once in a run, with the hint, and counted in the metrics. Of few kinds: each is kept for the whole run.
   */
  notice(what: string, rows: number, hint: string): void;
  /** Index 0 is not 0 once the punchline is being ended at once: what `apply` still does is thrown away. */
  readonly cancelled: Int32Array;
}

/** An opened function. One per worker; it is never called twice at once. */
export interface BatchFunction {
  /** Works on one batch in place. Throwing rejects every row of the batch that is still live: use `batch.reject` for single rows. */
  apply(batch: Batch): void | Promise<void>;
  /** SHA-256, hexadecimal, of the module that it runs: stands in error documents. */
  readonly digest?: string | undefined;
  close?(): void | Promise<void>;
}

// ------------------------------------------------------------------------------------------------- sinks (main thread)

/** `S` says which of the two ways of taking rows it has. */
export interface SinkSpec<F extends Fields = Fields, S extends AnySink = AnySink> extends NodeSpecification<F> {
  readonly kind: 'sink';
  readonly codecs: readonly Codec['name'][];
  readonly delivery: string;
  /** Columns that it needs beside the row itself. Default none. */
  reads?(settings: Settings<F>): readonly string[];
  /**
   * Columns of which it wants the text beside the row: a key, a topic, the name of an index, `_ppf_id`. They come as `side`, in this
   * order. Default none.
   */
  sideColumns?(settings: Settings<F>): readonly string[];
  /** False: it only counts rows, nothing is encoded for it. Default true. */
  readonly payload?: boolean;
  /** True: it wants the bounds of every row, not only the bytes. Default false; a sink of bulks always has them. */
  readonly rowOffsets?: boolean;
  /** The same where it depends on the settings. */
  needsOffsets?(settings: Settings<F>): boolean;
  /** True: it is opened as a {@link BulkSink}. Set by {@link bulkSink}. */
  readonly bulk?: boolean;
  /**
   * For `reef check --connect`: proves that what the settings name can be reached, and with these rights, without moving a row or
   * leaving anything behind. Resolves with sentences that are read behind `source "in"` (`reaches broker a:9092 as "reef"`); rejects with
   * a `ReefError` that says what is in the way.
   */
  probe?(context: ProbeContext<F>): Promise<readonly string[]>;
  open(context: SinkContext<F>): S | Promise<S>;
}

export type AnySink = Sink | BulkSink;

export interface SinkContext<F extends Fields> extends OpenContext<F> {
  readonly codec: Codec;
  /** What {@link Sink.write} last resolved with before the checkpoint that this start resumes from; `undefined` on a fresh start. */
  readonly resume: SinkPosition | undefined;
  /** This start goes on from a checkpoint; without `resume`, the run that it is of had no such sink. Default false. */
  readonly goesOn?: boolean;
  /**
   * A path in the state folder, where nothing stands yet, for what the sink must remember beside its positions. It is the same at
   * each start.
   */
  readonly memory: string;
}

/** What a sink must know to undo, after a crash, what came after a checkpoint: a file's length, say. */
export type SinkPosition = Json;

/**
 * An opened sink that writes a stream: a file, a pipe, a screen. The engine calls `write` for one chunk at a time, in order, and
 * `close` once. Whatever takes rows one by one and may refuse some of them is a {@link BulkSink} instead.
 */
export interface Sink {
  /**
   * Resolves when the chunk is delivered; the memory behind it is used again afterwards.
   * Rejects with a `ReefError`: one with `retry` makes the engine call `write` again with the same chunk after a pause
   * (the sink must then not have kept part of it: a file is cut back to where the chunk began).
   */
  write(chunk: SinkChunk): Promise<SinkPosition | undefined>;
  /**
   * Where it stands before the first `write`. Saved before the first chunk is written, so that a crash before the first
   * checkpoint can be undone as well.
   */
  position?(): SinkPosition | undefined;
  /** Makes what was written safe against power loss; called before a checkpoint that covers it. */
  sync?(): Promise<void>;
  /** The checkpoint that holds this position is on disk. */
  committed?(position: SinkPosition): void;
  /** Rows that it still wants in each batch (a screen that shows the first 20); the others count as delivered. Default all. */
  wanted?(): number;
  /** All is written (`finished`), or the punchline stops early. */
  close(outcome: 'finished' | 'stopped'): Promise<void>;
}

/** Encoded rows for a sink. All are views over shared memory: copy what must outlive `write`. */
export interface SinkChunk {
  /** Each row ends with its delimiter (`\n` for json and line). */
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** With `rowOffsets`: `rows + 1` offsets into `bytes`; row i is `[offsets[i], offsets[i+1])`, its delimiter included. */
  readonly offsets?: Uint32Array;
  /** What `sideColumns` asks for. */
  readonly side?: readonly RowTexts[];
  /** `source-id/partition`, for sinks that keep order by it. */
  readonly partition: string;
}

/**
 * An opened sink that sends rows somewhere in bulks: a server, a broker, a database. The engine gathers rows into bulks over all
 * batches and partitions, cuts large batches, sends some bulks at once, keeps the order where it is asked to, tries again what may
 * pass, and sends rows that are refused for good to the error table. The sink only sends a bulk and says what became of it.
 */
export interface BulkSink {
  readonly limits: BulkLimits;
  /**
   * Sends the rows and resolves when the other side has them: with nothing when it has taken all, else with what it has not.
   * Rejects with a `ReefError`: one with `retry` makes the engine send the same rows again (after its `retryAfterMs`, and a pause
   * that grows); any other one ends the punchline. `signal` aborts when all is to end at once.
   */
  send(bulk: Bulk, signal: AbortSignal): Promise<Undelivered | undefined>;
  close(outcome: 'finished' | 'stopped'): Promise<void>;
}

/** How much goes into a bulk, and how many are on their way at once. */
export interface BulkLimits {
  /** Most rows, and most bytes as far as rows allow: a single row may be larger. */
  readonly rows: number;
  readonly bytes: number;
  /** A bulk that is not full is sent after this time. 0: as soon as fewer than `concurrency` are on their way. */
  readonly timeoutMs: number;
  readonly concurrency: number;
  /** True: rows of a partition arrive in the order in which they were read, so one bulk of each is on its way at a time. */
  readonly ordered: boolean;
}

/** Encoded rows. All are views, often over shared memory, good until `send` is over: copy what must outlive it. */
export interface Bulk {
  /** Each row ends with its delimiter (`\n` for json and line). */
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** `rows + 1` offsets into `bytes`; row i is `[offsets[i], offsets[i+1])`, its delimiter included. */
  readonly offsets: Uint32Array;
  /** What `sideColumns` asks for; empty where it asks for nothing. */
  readonly side: readonly RowTexts[];
}

/**
 * A column's text in each row, as the codec `line` writes it: row i's is `[offsets[i], offsets[i+1] - 1)` of `bytes`, a string without
 * quotes and escapes, empty where the row has none. Behind each stands a newline.
 */
export interface RowTexts {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
}

/** What has not been taken of a bulk. Rows are named by their number in it; those that are named nowhere are delivered. */
export interface Undelivered {
  /** Refused for good: they go to the error table, each with what the other side said. */
  readonly refused?: readonly RefusedRow[];
  /** All of them are refused for good, with this reason. */
  readonly refusedAll?: string;
  /** Refused as a whole for what a part may not suffer from (too large, one bad row): the halves are sent; a lone row is refused. */
  readonly split?: string;
  /** These, ascending, are sent again after a pause; the others are not. */
  readonly again?: readonly number[];
  /** Why, and not before which time has passed. */
  readonly againReason?: string;
  readonly retryAfterMs?: number;
}

export interface RefusedRow {
  readonly row: number;
  readonly reason: string;
}

// ----------------------------------------------------------------------------------------------------------------------

export type NodeSpec = SourceSpec | FunctionSpec | SinkSpec;

/** Declares a source type; exists so that `settings` gives the types of everything else. */
export function source<const F extends Fields>(spec: Omit<SourceSpec<F>, 'kind'>): SourceSpec<F> {
  return { kind: 'source', ...spec };
}

/** Declares a function type. */
export function batchFunction<const F extends Fields>(spec: Omit<FunctionSpec<F>, 'kind'>): FunctionSpec<F> {
  return { kind: 'function', ...spec };
}

/** Declares a sink type that writes a stream. */
export function sink<const F extends Fields>(spec: Omit<SinkSpec<F, Sink>, 'kind' | 'bulk'>): SinkSpec<F, Sink> {
  return { kind: 'sink', ...spec };
}

/** Declares a sink type that sends bulks. */
export function bulkSink<const F extends Fields>(spec: Omit<SinkSpec<F, BulkSink>, 'kind' | 'bulk'>): SinkSpec<F, BulkSink> {
  return { kind: 'sink', bulk: true, ...spec };
}
