/**
 * Holds a source to so many rows per second, and to so many under way. Rows are counted when they are delivered, by those who know
 * what a row is, so it holds for every codec; until then there are bytes, of which rows have so many on average. Of a rate what is
 * under way is kept to about a tenth of a second's rows, so that it is a flow and no series of bursts.
 */
/** Until the first rows are counted. */
const FIRST_BYTES = 256;
/** Parts of a second. */
const SHARE = 10;
/** Nothing is delivered for so long: perhaps the first row is longer than what was let through. */
const STUCK_MS = 50;

export class Pace {
  /** Rows per second. */
  readonly #rate: number;
  /** Rows that may be under way. */
  readonly #pending: number;
  /** Rows that may go now; below 0: too many have gone. */
  #credit: number;
  #credited = performance.now();
  /** Bytes that may be on the way. */
  #window = FIRST_BYTES;
  #underWay = 0;
  /** The same by partition. */
  readonly #partitions = new Map<string, number>();
  #rows = 0;
  #bytes = 0;
  /** Who waits: one for each partition. */
  readonly #waiting = new Set<() => void>();

  /** Rows per second and rows under way; `Infinity`: no bound. */
  constructor({ rate, pending }: { readonly rate: number; readonly pending: number }) {
    this.#rate = rate;
    this.#pending = pending;
    this.#credit = this.#most;
  }

  /** Resolves when more rows may come; rejects when the signal aborts. `busy`: rows are on their way, so more will be delivered. */
  async ready(signal: AbortSignal, busy: () => boolean): Promise<void> {
    for (;;) {
      this.#earn();
      if (this.#credit <= 0) await this.#wait(((1 - this.#credit) / this.#rate) * 1000, signal);
      else if (this.#underWay < this.#window) return;
      else if (!(await this.#wait(STUCK_MS, signal)) && !busy()) this.#window *= 2;
    }
  }

  /** How many bytes may come, at least 1. */
  get bytes(): number {
    return Math.max(1, Math.ceil(this.#window - this.#underWay));
  }

  /** A partition begins, perhaps again: what it had on the way is fed anew. */
  opened(partition: string): void {
    this.#move(partition, -(this.#partitions.get(partition) ?? 0));
  }

  fed(partition: string, bytes: number): void {
    this.#move(partition, bytes);
  }

  settled(partition: string, rows: number, bytes: number): void {
    this.#earn();
    this.#credit -= rows;
    this.#move(partition, -bytes);
    this.#rows += rows;
    this.#bytes += bytes;
    if (this.#rows > 0) this.#window = Math.max(1, (this.#bytes / this.#rows) * Math.min(this.#most, this.#pending));
    for (const wake of this.#waiting) wake();
  }

  #move(partition: string, bytes: number): void {
    const before = this.#partitions.get(partition) ?? 0;
    const after = Math.max(0, before + bytes);
    if (after === 0) this.#partitions.delete(partition);
    else this.#partitions.set(partition, after);
    this.#underWay += after - before;
  }

  get #most(): number {
    return Math.max(1, this.#rate / SHARE);
  }

  #earn(): void {
    if (this.#rate === Number.POSITIVE_INFINITY) return;
    const now = performance.now();
    this.#credit = Math.min(this.#most, this.#credit + ((now - this.#credited) / 1000) * this.#rate);
    this.#credited = now;
  }

  /** Until rows are delivered (then true), or the time is over. Rejects when the signal aborts. */
  #wait(ms: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(wake);
        settle();
      };
      const abort = (): void => end(() => reject(signal.reason));
      const wake = (): void => end(() => resolve(true));
      const timer = setTimeout(() => end(() => resolve(false)), ms);
      this.#waiting.add(wake);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort);
    });
  }
}
