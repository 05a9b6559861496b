import { ReefError } from '../errors.ts';

const WINDOW_ROWS = 1000;

/** Watches how many of the last rows failed; stops the punchline when they are too many. */
export class FailureRate {
  readonly #node: string;
  readonly #most: number;
  #rows = 0;
  #failed = 0;

  constructor(node: string, most: number) {
    this.#node = node;
    this.#most = most;
  }

  /** Of a batch: how many rows ran and how many failed. Throws a `ReefError` of code `stop`. */
  count(rows: number, failed: number): void {
    // Older rows fade in proportion: what is kept stands for the last 1,000.
    const kept = Math.max(0, 1 - rows / WINDOW_ROWS);
    this.#rows = this.#rows * kept + rows;
    this.#failed = this.#failed * kept + failed;
    if (this.#rows < WINDOW_ROWS / 10 || this.#failed <= this.#most * this.#rows) return;
    const share = `${((100 * this.#failed) / this.#rows).toFixed(0)} %`;
    throw new ReefError(
      'stop',
      `Stopping at function "${this.#node}": ${share} of its last rows failed, more than failure_rate ${this.#most}; on_repeated_failure: error_table would go on`,
    );
  }
}
