import type { Notice } from './protocol.ts';

/** What functions notice about the rows of a pass: one that is computed again because it did not fit notices all of it again. */
export class Notices {
  readonly #byText = new Map<string, { node: string; what: string; hint: string; rows: number }>();

  add(node: string, what: string, hint: string, rows: number): void {
    const key = `${node}\n${what}`;
    const known = this.#byText.get(key);
    if (known) known.rows += rows;
    else this.#byText.set(key, { node, what, hint, rows });
  }

  clear(): void {
    this.#byText.clear();
  }

  /** All since the last call, and forgets them. */
  take(): readonly Notice[] {
    const all = [...this.#byText.values()];
    this.#byText.clear();
    return all;
  }
}
