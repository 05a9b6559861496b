import { setTimeout as wait } from 'node:timers/promises';

const FIRST_MS = 100;
const LONGEST_MS = 30_000;

/** Exponential back-off with full jitter. `attempt` counts from 0. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
}

/** Waits before try number `attempt` + 1; rejects with the signal's reason when it aborts. */
export async function backoff(attempt: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(backoffMs(attempt), undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}
