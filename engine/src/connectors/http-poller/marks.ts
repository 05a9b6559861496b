/** What a poll knows at each place in its partition from which it can go on. */
import type { Json } from '../../spec/plan.ts';

export interface PollState {
  /** Bytes of rows before it. */
  readonly offset: number;
  /** Where the next poll begins, where pages are kept. */
  readonly place?: string;
  /** What the first page was known by. */
  readonly etag?: string;
  readonly modified?: string;
}

export class Marks {
  #states: PollState[];

  constructor(first: PollState) {
    this.#states = [first];
  }

  get last(): PollState {
    return this.#states.at(-1)!;
  }

  add(state: PollState): void {
    if (state.offset === this.last.offset) this.#states[this.#states.length - 1] = state;
    else this.#states.push(state);
  }

  /** The last state of which all rows are before `offset`. */
  at(offset: number): Json {
    const state = this.#states.findLast((each) => each.offset <= offset) ?? this.#states[0]!;
    return { ...state };
  }

  /** Those before it are asked for no more. */
  forgetBefore(offset: number): void {
    const first = this.#states.findLastIndex((each) => each.offset <= offset);
    if (first > 0) this.#states = this.#states.slice(first);
  }
}

/** A state as it stood in a checkpoint; `undefined`: it is none. */
export function pollState(position: Json | undefined): PollState | undefined {
  const { offset } = (position ?? {}) as Partial<PollState>;
  return typeof offset === 'number' ? (position as unknown as PollState) : undefined;
}
