import { COST_BYTES, MAX_COST } from './fuel.ts';
import { LIMITS } from './limits.ts';
import { overLimit } from './refusal.ts';
import type { Writer } from './writer.ts';

/**
 * The open blocks of a function, and the straight-line pieces that they divide it into: each loop is one, and so is what lies outside
 * of all loops. A piece's cost is known at its end and goes to where its meter stands.
 */
export class Pieces {
  depth = 0;
  /** Of the innermost open piece, so far. */
  cost = 0;
  /** By open block: where the cost goes when it starts a piece, else -1; and what the piece around it had cost by then. */
  #patches = new Int32Array(256);
  #costs = new Float64Array(256);
  /** By open block: 1 when a branch to it carries no values. */
  #empty = new Uint8Array(256);

  clear(): void {
    this.depth = 0;
    this.cost = 0;
  }

  /** `patch`: where the cost of a new piece goes; -1: the block belongs to the piece around it.
   * `empty`: a branch to it carries no values. */
  open(patch: number, empty: boolean): void {
    if (this.depth >= LIMITS.nesting) throw overLimit(`a function nests blocks more than ${LIMITS.nesting} deep`);
    if (this.depth === this.#patches.length) {
      this.#patches = enlarge(this.#patches, new Int32Array(this.depth * 2));
      this.#costs = enlarge(this.#costs, new Float64Array(this.depth * 2));
      this.#empty = enlarge(this.#empty, new Uint8Array(this.depth * 2));
    }
    this.#patches[this.depth] = patch;
    this.#empty[this.depth] = Number(empty);
    this.#costs[this.depth++] = this.cost;
    if (patch >= 0) this.cost = 0;
  }

  /** Writes the cost of a piece that ends to its place, and to `also` where that is not -1. */
  close(out: Writer, also: number): void {
    const patch = this.#patches[--this.depth]!;
    if (patch < 0) return;
    const cost = Math.min(this.cost + 1, MAX_COST);
    out.patchSigned(patch, COST_BYTES, cost);
    if (also >= 0) out.patchSigned(also, COST_BYTES, cost);
    if (this.depth > 0) this.cost = this.#costs[this.depth]!;
  }

  /** Whether a branch to this label carries no values; false when there is no such label. */
  carriesNothing(label: number): boolean {
    return this.#empty[this.depth - 1 - label] === 1 && label < this.depth;
  }

  /** Goes back to before the block at `depth` was opened. */
  rewind(depth: number): void {
    this.depth = depth;
    this.cost = this.#costs[depth]!;
  }
}

function enlarge<T extends Int32Array | Float64Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
