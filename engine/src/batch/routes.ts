/** Which table each row was sent to; the last time counts. */
export class Routes {
  readonly #size: number;
  readonly #tables: string[] = [];
  /** Per row: 0, or 1 + index in `#tables`. Made by the first route: most batches have none. */
  #chosen: Uint16Array | undefined;

  constructor(size: number) {
    this.#size = size;
  }

  clone(): Routes {
    const clone = new Routes(this.#size);
    clone.#tables.push(...this.#tables);
    clone.#chosen = this.#chosen?.slice();
    return clone;
  }

  add(rows: Uint32Array, where: Uint8Array, table: string): void {
    if (where.length < this.#size) {
      throw new TypeError(`Cannot route rows: where has ${where.length} entries, expected ${this.#size} (batch.size)`);
    }
    this.#chosen ??= new Uint16Array(this.#size);
    let index = this.#tables.indexOf(table);
    if (index < 0) index = this.#tables.push(table) - 1;
    for (const row of rows) if (where[row] !== 0) this.#chosen[row] = index + 1;
  }

  of(rows: Uint32Array): { tables: ReadonlyMap<string, Uint32Array>; unrouted: Uint32Array } {
    const chosen = this.#chosen;
    if (chosen === undefined) return { tables: new Map(), unrouted: rows };
    const tables = new Map<string, Uint32Array>();
    for (const [i, table] of this.#tables.entries()) {
      const sent = rows.filter((row) => chosen[row] === i + 1);
      if (sent.length > 0) tables.set(table, sent);
    }
    return { tables, unrouted: rows.filter((row) => chosen[row] === 0) };
  }
}
