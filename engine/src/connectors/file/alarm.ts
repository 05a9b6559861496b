/** Something to wait for: a time, a call, or the end. */
export class Alarm {
  #due = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #ring: (() => void) | undefined;

  /** Rings at that time (of `performance.now`) at the latest. */
  at(time: number): void {
    if (time >= this.#due) return;
    this.#due = time;
    this.#arm();
  }

  /** Resolves when it rings, or at once when the signal aborts. What is set from that moment on counts for the next wait. */
  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise<void>((resolve) => {
      const ring = (): void => {
        signal.removeEventListener('abort', ring);
        clearTimeout(this.#timer);
        this.#ring = undefined;
        this.#due = Number.POSITIVE_INFINITY;
        resolve();
      };
      signal.addEventListener('abort', ring);
      this.#ring = ring;
      this.#arm();
    });
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const ring = this.#ring;
    const due = this.#due;
    if (ring === undefined || due === Number.POSITIVE_INFINITY) return;
    // A long wait is cut at what timers can hold; ringing early does no harm.
    this.#timer = setTimeout(ring, Math.min(Math.max(0, due - performance.now()), 2 ** 31 - 1));
  }
}
