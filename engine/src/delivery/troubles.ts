import type { Log } from '../spec/node.ts';

/** A new outbreak so soon after the last word about one is not worth another. */
const QUIET_MS = 10_000;

/**
 * What is said of a sink that fails and is tried again: the first failure, then every doubling, then that it works again. A server
 * that is away for a night must not fill the log, and neither must one that refuses every tenth request.
 */
export class Troubles {
  readonly #id: string;
  readonly #log: Log;
  readonly #now: () => number;
  /** Failures since something was taken. */
  #failures = 0;
  /** The present outbreak was told. */
  #told = false;
  #toldAt = Number.NEGATIVE_INFINITY;
  #last = '';
  /** Failures that were followed by another try. */
  retries = 0;

  constructor(id: string, log: Log, now: () => number = () => performance.now()) {
    this.#id = id;
    this.#log = log;
    this.#now = now;
  }

  failed(message: string): void {
    this.retries++;
    this.#last = message;
    const count = ++this.#failures;
    if ((count & (count - 1)) !== 0) return;
    if (!this.#told && this.#now() - this.#toldAt < QUIET_MS) return;
    this.#told = true;
    this.#toldAt = this.#now();
    this.#log.warn(`${message}; trying again until it works (try ${count})`);
  }

  /** The last failure, where nothing was taken since. */
  get failing(): string | undefined {
    return this.#failures > 0 ? this.#last : undefined;
  }

  worked(): void {
    if (this.#failures === 0) return;
    if (this.#told) this.#log.info(`sink "${this.#id}" takes rows again after ${this.#failures} failed tries`);
    this.#failures = 0;
    this.#told = false;
  }
}
