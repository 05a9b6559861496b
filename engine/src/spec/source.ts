import type { ColumnDeclaration } from './column-type.ts';
import type { Feed, Position } from './feed.ts';
import type { Fields, Settings } from './fields.ts';
import type { ConnectorDeclaration, OpenContext } from './node.ts';
import type { Codec, Json } from './plan.ts';

export interface SourceSpec<F extends Fields = Fields> extends ConnectorDeclaration<F> {
  readonly kind: 'source';
  /** True: it reads JSON documents as well as lines (`encoding.form`). Default false. */
  readonly documents?: boolean;
  /** Tables that it may send rows to, `''` (NO_TABLE) where it also means the outs without a table. Default none. */
  tables?(settings: Settings<F>): readonly string[];
  /** Columns of its rows where they are known before it runs; `undefined`: anything may come. */
  columns?(settings: Settings<F>, codec?: Codec): readonly ColumnDeclaration[] | undefined;
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
  /**
   * Says what keeps it from reading for now (`there is no topic "a"`), for whoever asks whether the punchline is ready; without a reason:
   * nothing does any more. A failure that `run` rejects with is known without it.
   */
  hindered(why?: string): void;
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

/** Declares a source type; exists so that `settings` gives the types of everything else. */
export function source<const F extends Fields>(spec: Omit<SourceSpec<F>, 'kind'>): SourceSpec<F> {
  return { kind: 'source', ...spec };
}
