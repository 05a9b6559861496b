/** Tells of rows that take too long (`row_timeout_secs`). They are waited for: a second copy beside the first helps nobody. */
import type { Log } from '../spec/node.ts';

interface Stretch {
  /** Offset behind it. */
  end: number;
  readonly since: number;
}

export class LateRows {
  readonly #source: string;
  readonly #timeoutMs: number;
  readonly #log: Log;
  /** What is not delivered, by partition, the oldest first. */
  readonly #waiting = new Map<string, Stretch[]>();
  #timer: NodeJS.Timeout | undefined;
  /** Since when something has been late, as the log was told. */
  #lateSince: number | undefined;

  constructor(source: string, timeoutSecs: number, log: Log) {
    this.#source = source;
    this.#timeoutMs = timeoutSecs * 1000;
    this.#log = log;
  }

  /** A partition begins, perhaps again: what it had on the way is fed anew. */
  opened(partition: string): void {
    this.#waiting.delete(partition);
  }

  fed(partition: string, end: number): void {
    const since = performance.now();
    const stretches = this.#waiting.get(partition) ?? [];
    this.#waiting.set(partition, stretches);
    const last = stretches.at(-1);
    // Rows that came at about the same time are late at about the same time.
    if (last && since - last.since < this.#timeoutMs / 10) last.end = end;
    else stretches.push({ end, since });
    this.#timer ??= setTimeout(() => this.#look(), this.#timeoutMs).unref();
  }

  settled(partition: string, end: number): void {
    const stretches = this.#waiting.get(partition) ?? [];
    while (stretches.length > 0 && stretches[0]!.end <= end) stretches.shift();
    if (stretches.length === 0) this.#waiting.delete(partition);
    if (this.#lateSince === undefined || this.#isLate(this.#oldest())) return;
    const secs = Math.round((performance.now() - this.#lateSince) / 1000);
    this.#lateSince = undefined;
    this.#log.info(`rows of source "${this.#source}" are delivered in time again, after ${secs} s`);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    this.#timer = undefined;
    const oldest = this.#oldest();
    if (oldest === undefined) return;
    if (this.#isLate(oldest) && this.#lateSince === undefined) {
      this.#lateSince = oldest;
      const limit = `row_timeout_secs is ${this.#timeoutMs / 1000}`;
      this.#log.warn(`rows of source "${this.#source}" are late: ${limit}; they are waited for and not sent a second time`);
    }
    // A stretch that was delivered in part is looked at when the timer next comes round.
    const due = this.#isLate(oldest) ? this.#timeoutMs : oldest + this.#timeoutMs - performance.now();
    this.#timer = setTimeout(() => this.#look(), Math.max(due, 1)).unref();
  }

  #oldest(): number | undefined {
    let oldest: number | undefined;
    for (const [stretch] of this.#waiting.values()) {
      if (stretch && (oldest === undefined || stretch.since < oldest)) oldest = stretch.since;
    }
    return oldest;
  }

  #isLate(since: number | undefined): boolean {
    return since !== undefined && performance.now() - since >= this.#timeoutMs;
  }
}
