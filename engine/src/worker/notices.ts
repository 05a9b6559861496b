import type { Counted, Notice } from './protocol.ts';

/**
 * What functions notice and count of the rows of a pass: one that is computed again because it did not fit notices and counts all of
 * it again.
 */
export class Notices {
  readonly #byText = new Map<string, { node: string; what: string; hint: string; rows: number }>();
  readonly #counted = new Map<string, { node: string; metric: string; by: number }>();

  add(node: string, what: string, hint: string, rows: number): void {
    const key = `${node}\n${what}`;
    const known = this.#byText.get(key);
    if (known) known.rows += rows;
    else this.#byText.set(key, { node, what, hint, rows });
  }

  count(node: string, metric: string, by: number): void {
    const key = `${node}\n${metric}`;
    const known = this.#counted.get(key);
    if (known) known.by += by;
    else this.#counted.set(key, { node, metric, by });
  }

  clear(): void {
    this.#byText.clear();
    this.#counted.clear();
  }

  /** All since the last call, and forgets them. */
  take(): readonly Notice[] {
    const all = [...this.#byText.values()];
    this.#byText.clear();
    return all;
  }

  takeCounted(): readonly Counted[] {
    const all = [...this.#counted.values()];
    this.#counted.clear();
    return all;
  }
}
