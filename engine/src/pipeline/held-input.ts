import type { Slot, SlotPool } from './slots.ts';

/** The input slot of a batch: free again when it was computed and no sink is left that may have to say where a row came from. */
export class HeldInput {
  /** Bounds of the batch's bytes in the shared memory, and the offset of the first within its partition. */
  readonly from: number;
  readonly to: number;
  readonly offset: number;
  readonly #slot: Slot;
  readonly #pool: SlotPool;
  #holds = 1;

  constructor(cut: {
    readonly slot: Slot;
    readonly pool: SlotPool;
    readonly from: number;
    readonly to: number;
    readonly offset: number;
  }) {
    this.from = cut.from;
    this.to = cut.to;
    this.offset = cut.offset;
    this.#slot = cut.slot;
    this.#pool = cut.pool;
  }

  hold(): void {
    this.#holds++;
  }

  drop(): void {
    if (--this.#holds === 0) this.#pool.release(this.#slot);
  }
}
