import type { Log } from '../spec/node.ts';

/**
 * What functions print, to the log: at most so many bytes a second (two seconds' worth at once), the rest is counted and the count
 * is said when there is room again.
 */
export class FunctionLog {
  readonly #log: Log;
  readonly #perSecond: number;
  readonly #clock: () => number;
  #room: number;
  #at: number;
  #dropped = 0;

  constructor(log: Log, bytesPerSecond: number, clock: () => number = () => performance.now()) {
    this.#log = log;
    this.#perSecond = bytesPerSecond;
    this.#clock = clock;
    this.#room = bytesPerSecond * 2;
    this.#at = clock();
  }

  /** Text that one row made a function print. */
  print(text: string): void {
    this.#refill();
    if (text.length > this.#room) {
      this.#dropped += text.length;
      return;
    }
    this.#room -= text.length;
    this.#sayDropped();
    this.#log.info(text.trimEnd());
  }

  /** Bytes that never got here. */
  drop(bytes: number): void {
    this.#dropped += bytes;
  }

  /** Says what was dropped since the last time, if anything was. */
  flush(): void {
    this.#refill();
    if (this.#room > 0) this.#sayDropped();
  }

  #refill(): void {
    const now = this.#clock();
    this.#room = Math.min(this.#perSecond * 2, this.#room + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
  }

  #sayDropped(): void {
    if (this.#dropped === 0) return;
    this.#log.warn(`printed ${this.#dropped} bytes more than log_bytes_per_sec (${this.#perSecond}) lets through`);
    this.#dropped = 0;
  }
}
