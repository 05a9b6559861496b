/** An answer is taken again until it is so many times older than what it took to find. */
const WORTH = 10;

/** What takes long to find out and is asked for many times in a row, where a somewhat older answer will do. */
export class Recent<T> {
  readonly #find: () => Promise<T>;
  #answer: Promise<T> | undefined;
  #until = 0;

  constructor(find: () => Promise<T>) {
    this.#find = find;
  }

  get(): Promise<T> {
    if (this.#answer !== undefined && performance.now() < this.#until) return this.#answer;
    const start = performance.now();
    // Whoever asks meanwhile waits for the same answer.
    this.#until = Number.POSITIVE_INFINITY;
    this.#answer = this.#find().finally(() => {
      const end = performance.now();
      this.#until = end + (end - start) * WORTH;
    });
    return this.#answer;
  }
}
