/**
 * Holds a source to so many rows per second. Rows are counted when they are delivered, by those who know what a row is, so it holds
 * for every codec; what is on the way is kept to about a tenth of a second's rows, so that it is a flow and no series of bursts.
 */
import { setTimeout as delay } from 'node:timers/promises';

/** Until the first rows are counted. */
const FIRST_BYTES = 256;
/** Parts of a second. */
const SHARE = 10;
/** Nothing is delivered for so long: perhaps the first row is longer than what was let through. */
const STUCK_MS = 50;

export class Pace {
  readonly #rate: number;
  /** Rows that may go now; below 0: too many have gone. */
  #credit: number;
  #credited = performance.now();
  /** Bytes that may be on the way. */
  #window = FIRST_BYTES;
  #underWay = 0;
  #rows = 0;
  #bytes = 0;
  #wake: (() => void) | undefined;

  constructor(rowsPerSecond: number) {
    this.#rate = rowsPerSecond;
    this.#credit = this.#most;
  }

  /** Resolves when more rows may come; rejects when the signal aborts. */
  async ready(signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#earn();
      if (this.#credit <= 0) await delay(((1 - this.#credit) / this.#rate) * 1000, undefined, { signal });
      else if (this.#underWay < this.#window) return;
      else if (!(await this.#delivered(signal))) this.#window *= 2;
    }
  }

  /** How many bytes may come, at least 1. */
  get bytes(): number {
    return Math.max(1, Math.ceil(this.#window - this.#underWay));
  }

  fed(bytes: number): void {
    this.#underWay += bytes;
  }

  settled(rows: number, bytes: number): void {
    this.#earn();
    this.#credit -= rows;
    this.#underWay = Math.max(0, this.#underWay - bytes);
    this.#rows += rows;
    this.#bytes += bytes;
    if (this.#rows > 0) this.#window = Math.max(1, (this.#bytes / this.#rows) * this.#most);
    this.#wake?.();
  }

  get #most(): number {
    return Math.max(1, this.#rate / SHARE);
  }

  #earn(): void {
    const now = performance.now();
    this.#credit = Math.min(this.#most, this.#credit + ((now - this.#credited) / 1000) * this.#rate);
    this.#credited = now;
  }

  /** False: not in time. */
  async #delivered(signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<true>();
    this.#wake = () => resolve(true);
    const over = new AbortController();
    const timer = delay(STUCK_MS, false, { signal: AbortSignal.any([signal, over.signal]) });
    timer.catch(() => {});
    try {
      return await Promise.race([promise, timer]);
    } finally {
      over.abort();
    }
  }
}
