import type { BulkSink } from './bulk-sink.ts';
import type { Fields, Settings } from './fields.ts';
import type { ConnectorDeclaration, OpenContext } from './node.ts';
import type { Codec, Json } from './plan.ts';
import type { RowTexts, SideColumn } from './row-texts.ts';

/** `S` says which of the two ways of taking rows it has. */
export interface SinkSpec<F extends Fields = Fields, S extends AnySink = AnySink> extends ConnectorDeclaration<F> {
  readonly kind: 'sink';
  /** Columns that it needs beside the row itself. Default none. */
  reads?(settings: Settings<F>): readonly string[];
  /**
   * Columns of which it wants the text beside the row: a key, a topic, the name of an index, `_ppf_id`. They come as `side`, in this
   * order. Several in a list come as one text: a line of CSV (RFC 4180). Default none.
   */
  sideColumns?(settings: Settings<F>): readonly SideColumn[];
  /** False: it only counts rows, nothing is encoded for it. Default true. */
  readonly payload?: boolean;
  /** True: it wants the bounds of every row, not only the bytes. Default false; a sink of bulks always has them. */
  readonly rowOffsets?: boolean;
  /** The same where it depends on the settings. */
  needsOffsets?(settings: Settings<F>): boolean;
  /** True: it is opened as a {@link BulkSink}. Set by {@link bulkSink}. */
  readonly bulk?: boolean;
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
   * The same of several small chunks that have waited for each other: what it resolves with stands for each of them by itself. A sink
   * for which one large write is cheaper than some small ones has it. Rejects with nothing of any of them kept.
   */
  writeAll?(chunks: readonly SinkChunk[]): Promise<readonly (SinkPosition | undefined)[]>;
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
  /** Each row ends with its delimiter (`\n`; with the codec `raw` there is none). */
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** With `rowOffsets`: `rows + 1` offsets into `bytes`; row i is `[offsets[i], offsets[i+1])`, its delimiter included. */
  readonly offsets?: Uint32Array;
  /** What `sideColumns` asks for. */
  readonly side?: readonly RowTexts[];
  /** `source-id/partition`, for sinks that keep order by it. */
  readonly partition: string;
}

/** Declares a sink type that writes a stream. */
export function sink<const F extends Fields>(spec: Omit<SinkSpec<F, Sink>, 'kind' | 'bulk'>): SinkSpec<F, Sink> {
  return { kind: 'sink', ...spec };
}

/** Declares a sink type that sends bulks. */
export function bulkSink<const F extends Fields>(spec: Omit<SinkSpec<F, BulkSink>, 'kind' | 'bulk'>): SinkSpec<F, BulkSink> {
  return { kind: 'sink', bulk: true, ...spec };
}
