/**
 * Knows, for one partition, what has been delivered: batches are noted in the order in which they were read, each is done when
 * it was computed and every required sink has taken its rows, and the partition is committed up to the first one that is not.
 * Holds one range per batch, nothing per row.
 */
export interface TrackedBatch {
  /** Byte offset behind the batch, within its partition; may move until the computation is confirmed. */
  end: number;
  /** Sink writes (and the computation itself, counted as one) that are still missing. */
  pending: number;
}

export class Tracker<B extends TrackedBatch> {
  #committed: number;
  readonly #open: B[] = [];
  #added = 0;
  readonly #onCommit: (batches: readonly B[], offset: number) => void;

  /** `onCommit` gets the batches that have just become committed, in order, and the offset that all lies before. */
  constructor(start: number, onCommit: (batches: readonly B[], offset: number) => void) {
    this.#committed = start;
    this.#onCommit = onCommit;
  }

  /** Byte offset before which everything is delivered. */
  get committed(): number {
    return this.#committed;
  }

  /** Batches that are not committed. */
  get open(): number {
    return this.#open.length;
  }

  /** Batches that were ever added; the first so many of them are committed. */
  get counts(): { readonly added: number; readonly committed: number } {
    return { added: this.#added, committed: this.#added - this.#open.length };
  }

  add(batch: B): void {
    this.#added++;
    this.#open.push(batch);
  }

  /** One of the batch's pending confirmations has arrived. */
  confirm(batch: B): void {
    if (--batch.pending > 0) return;
    if (batch.pending < 0) throw new RangeError('Cannot confirm a batch: it has no confirmation left to wait for');
    if (batch !== this.#open[0]) return;
    let count = 0;
    while (count < this.#open.length && this.#open[count]!.pending === 0) count++;
    const done = this.#open.splice(0, count);
    this.#committed = done.at(-1)!.end;
    this.#onCommit(done, this.#committed);
  }
}
