import { setTimeout as wait } from 'node:timers/promises';
import type { RetryPolicy } from '../spec/plan.ts';

export const defaultRetry: RetryPolicy = { initialMs: 100, maxMs: 30_000 };

/** A server that asks for more than this is tried all the same: what it meant may have been for another client. */
const LONGEST_ASKED_MS = 10 * 60_000;

/** Exponential back-off with full jitter. `attempt` counts from 0. */
export function backoffMs(attempt: number, policy: RetryPolicy = defaultRetry, random: () => number = Math.random): number {
  return random() * Math.min(policy.maxMs, policy.initialMs * 2 ** attempt);
}

/** How long to wait when the other side has asked for `askedMs`: so long, and the jitter on top, so that not all come back at once. */
export function pauseMs(attempt: number, policy: RetryPolicy, askedMs: number | undefined): number {
  return Math.min(askedMs ?? 0, LONGEST_ASKED_MS) + backoffMs(attempt, policy);
}

/** Waits before try number `attempt` + 1; rejects with the signal's reason when it aborts. */
export async function backoff(
  attempt: number,
  signal: AbortSignal,
  { policy = defaultRetry, askedMs }: { readonly policy?: RetryPolicy; readonly askedMs?: number | undefined } = {},
): Promise<void> {
  try {
    await wait(pauseMs(attempt, policy, askedMs), undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}
