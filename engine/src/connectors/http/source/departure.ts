/**
 * When rows go on their way that wait for others: at once where nothing is on its way (with all that this turn of the event loop
 * brings), when there are enough, or after some milliseconds.
 */

/** So much goes on its way without waiting for more. */
const ENOUGH_BYTES = 256 * 1024;

export interface DepartureOptions {
  readonly gatherMs: number;
  depart(): void;
}

export class Departure {
  readonly #options: DepartureOptions;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DepartureOptions) {
    this.#options = options;
  }

  /** So many bytes wait. `idle`: nothing is on its way. */
  schedule(bytes: number, idle: boolean): void {
    if (bytes >= ENOUGH_BYTES) this.now();
    else if (bytes === 0 || this.#immediate) return;
    else if (idle) this.#immediate = setImmediate(() => this.now());
    else this.#timer ??= setTimeout(() => this.now(), this.#options.gatherMs);
  }

  now(): void {
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#immediate = undefined;
    this.#timer = undefined;
    this.#options.depart();
  }
}
