/**
 * How long a row may run, in CPU time of this thread: wall-clock time would convict the innocent after a pause of the machine.
 * The guest asks `fuelOut` every few milliseconds of its own; nothing is measured for the rows in between.
 *
 * After a row has run into the limit, the limit falls to the larger of 1 s and 100 times the p99 until 1,000 rows have passed, so
 * that poison cannot hold a partition for hours.
 */
const FALLEN_MS = 1000;
const ROWS_UNTIL_TRUST = 1000;
const BUCKETS = 32;

export interface CpuLimitOptions {
  readonly msPerRow: number;
  /** Anything but 0 at index 0 stops the guest at its next look. */
  readonly cancel?: Int32Array;
  /** Told about once a second that the guest is still at work. */
  readonly alive?: () => void;
  /** CPU time of this thread in milliseconds. */
  readonly clock?: () => number;
}

export class CpuLimit {
  readonly #full: number;
  readonly #cancel: Int32Array | undefined;
  readonly #alive: (() => void) | undefined;
  readonly #clock: () => number;
  /** Rows by the power of two of the milliseconds that they took; those never seen here took less than a look's distance. */
  readonly #slow = new Float64Array(BUCKETS);
  #rows = 0;
  #trustedAt = 0;
  #limit: number;
  #row = -1;
  #since = 0;
  #seen = 0;
  #saidAt = 0;
  #stopped: 'cpu' | 'cancel' | undefined;

  constructor({ msPerRow, cancel, alive, clock = threadCpuMs }: CpuLimitOptions) {
    this.#full = msPerRow;
    this.#limit = msPerRow;
    this.#cancel = cancel;
    this.#alive = alive;
    this.#clock = clock;
  }

  /** Milliseconds that a row has now. */
  get limitMs(): number {
    return this.#limit;
  }

  /** True while a time-out before has lowered the limit. */
  get hasFallen(): boolean {
    return this.#limit < this.#full;
  }

  /** Why the guest was last stopped here, and forgets it. */
  takeStopped(): 'cpu' | 'cancel' | undefined {
    const stopped = this.#stopped;
    this.#stopped = undefined;
    return stopped;
  }

  /** Rows are about to run, numbered anew. */
  begin(): void {
    this.#finishRow();
    this.#row = -1;
  }

  /** The guest has used up its fuel while running `row`. Returns 1 to stop it. */
  look(row: number): 0 | 1 {
    if (this.#cancel !== undefined && Atomics.load(this.#cancel, 0) !== 0) {
      this.#stopped = 'cancel';
      return 1;
    }
    // Most looks fall on a row that was not looked at before: it has hardly run yet, and asking for the CPU time is dear.
    if (row !== this.#row) {
      this.#finishRow();
      this.#row = row;
      this.#since = -1;
      this.#tellAlive();
      return 0;
    }
    const now = this.#clock();
    if (this.#since < 0) this.#since = now;
    this.#seen = now;
    this.#tellAlive();
    if (now - this.#since < this.#limit) return 0;
    this.#stopped = 'cpu';
    return 1;
  }

  /** `rows` have ended, in whatever way; `timedOut` of them by this limit. */
  passed(rows: number, timedOut: boolean): void {
    this.#rows += rows;
    if (timedOut) {
      this.#trustedAt = this.#rows + ROWS_UNTIL_TRUST;
      this.#limit = Math.min(this.#full, Math.max(FALLEN_MS, 100 * this.#p99()));
    } else if (this.#rows >= this.#trustedAt) this.#limit = this.#full;
  }

  #tellAlive(): void {
    if (this.#alive === undefined) return;
    const now = performance.now();
    if (now - this.#saidAt < 1000) return;
    this.#saidAt = now;
    this.#alive();
  }

  #finishRow(): void {
    if (this.#row < 0 || this.#since < 0) {
      this.#row = -1;
      return;
    }
    const bucket = Math.ceil(Math.log2(Math.max(1, this.#seen - this.#since)));
    this.#slow[Math.min(bucket, BUCKETS - 1)]! += 1;
    this.#row = -1;
  }

  /** Upper bound of the 99th percentile in milliseconds, from the rows that did not time out. */
  #p99(): number {
    let above = 0;
    for (let bucket = BUCKETS - 1; bucket >= 0; bucket--) {
      if (2 ** bucket >= this.#limit) continue;
      above += this.#slow[bucket]!;
      if (above > this.#rows / 100) return 2 ** bucket;
    }
    return 0;
  }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
