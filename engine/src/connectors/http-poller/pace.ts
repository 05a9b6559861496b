import { setTimeout as pause } from 'node:timers/promises';

/** Lets so many requests go in a second, evenly spaced. */
export class Pace {
  readonly #gapMs: number;
  #next = 0;

  constructor(perSecond: number | undefined) {
    this.#gapMs = perSecond === undefined ? 0 : 1000 / perSecond;
  }

  /** Resolves when the next request may go. Rejects when the signal aborts. */
  async turn(signal: AbortSignal): Promise<void> {
    if (this.#gapMs === 0) return;
    const now = performance.now();
    const at = Math.max(now, this.#next);
    this.#next = at + this.#gapMs;
    if (at > now) await pause(at - now, undefined, { signal });
  }
}
