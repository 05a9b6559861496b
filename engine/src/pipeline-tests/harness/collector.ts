/**
 * Where the sinks of a test hand over what they get. The sink is loaded by its URL, like any user's module, beside an engine that may
 * be in one file: so the two have no module in common, and meet at a symbol.
 */
export interface Taken {
  readonly node: string;
  /** A copy. */
  readonly bytes: Uint8Array;
  readonly rows: number;
}

/** Resolves when the chunk counts as delivered, rejects as a sink's `write` does. */
export type Take = (taken: Taken) => Promise<void>;

const place = globalThis as unknown as Record<symbol, Take | undefined>;
const TAKE = Symbol.for('reef.pipeline-tests.take');

export function collectWith(take: Take): void {
  place[TAKE] = take;
}

export function hand(taken: Taken): Promise<void> {
  const take = place[TAKE];
  return take ? take(taken) : Promise.reject(new TypeError('Cannot take rows: no test is running'));
}
