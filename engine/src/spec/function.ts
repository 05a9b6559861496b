import type { Batch } from '../batch/batch.ts';
import type { ColumnDeclaration } from './column-type.ts';
import type { Fields, Settings } from './fields.ts';
import type { NodeDeclaration, OpenContext } from './node.ts';

export interface FunctionSpec<F extends Fields = Fields> extends NodeDeclaration<F> {
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

/** Declares a function type. */
export function batchFunction<const F extends Fields>(spec: Omit<FunctionSpec<F>, 'kind'>): FunctionSpec<F> {
  return { kind: 'function', ...spec };
}
