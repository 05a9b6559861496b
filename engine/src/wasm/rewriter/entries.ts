/**
 * Decides which functions are charged at their entry. Running time is bounded when every loop charges itself, every cycle of calls passes
 * through a charged function, and what lies between two charges is short. So a function is free when it is short together with the free
 * functions that it calls, and each of its calls goes back to a function that was read before, or forward to one that this makes a
 * charged one: among free functions all calls go back, so they form no cycle. What calls through a table is charged.
 *
 * A call that goes back costs its caller what the function there costs. One that goes forward costs a flat sum, which may be as little as
 * a fifth of what it should be; looks at the clock are then so much further apart, and no more, as each such call is charged.
 */
const FREE_COST = 120;
const FORWARD_COST = 20;
/** A function with more calls forward is charged rather than all of these. */
const MOST_FORWARD = 16;

export class Entries {
  /** By function, imported ones not counted: its cost when it is free, else -1. */
  readonly #costs: Int32Array;
  /** Those that are free and leave the fuel alone: without loops, and so is what they call. */
  readonly #still: Uint8Array;
  readonly #charged: Uint8Array;
  readonly #forward: number[] = [];
  #current = 0;
  #mayBeFree = true;
  #mayBeStill = true;

  constructor(functions: number) {
    this.#costs = new Int32Array(functions).fill(-1);
    this.#still = new Uint8Array(functions);
    this.#charged = new Uint8Array(functions);
  }

  begin(index: number): void {
    this.#current = index;
    this.#mayBeFree = this.#charged[index] === 0;
    this.#mayBeStill = true;
    this.#forward.length = 0;
  }

  /** The function calls another one. Returns what that costs beside the call itself. */
  calls(index: number): number {
    if (!this.isStill(index)) this.#mayBeStill = false;
    if (index < this.#current) return Math.max(this.#costs[index]!, 0);
    if (index === this.#current || this.#forward.length === MOST_FORWARD) this.#mayBeFree = false;
    else this.#forward.push(index);
    return FORWARD_COST;
  }

  callsThroughTable(): void {
    this.#mayBeFree = false;
    this.#mayBeStill = false;
  }

  /** It has a loop, or calls what changes the fuel. */
  moves(): void {
    this.#mayBeStill = false;
  }

  /** Whether a function that was read before leaves the fuel as it finds it. */
  isStill(index: number): boolean {
    return this.#still[index] === 1;
  }

  /** The function has ended, with this cost outside of its loops. Returns whether it is free. */
  end(cost: number): boolean {
    if (!this.#mayBeFree || cost > FREE_COST) return false;
    this.#costs[this.#current] = cost;
    if (this.#mayBeStill) this.#still[this.#current] = 1;
    for (const index of this.#forward) this.#charged[index] = 1;
    return true;
  }
}
