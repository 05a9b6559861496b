import type { RowTexts } from './row-texts.ts';

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
  /** Each row ends with its delimiter (`\n`; with the codec `raw` there is none). */
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** `rows + 1` offsets into `bytes`; row i is `[offsets[i], offsets[i+1])`, its delimiter included. */
  readonly offsets: Uint32Array;
  /** What `sideColumns` asks for; empty where it asks for nothing. */
  readonly side: readonly RowTexts[];
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
