import { setTimeout as wait } from 'node:timers/promises';

/** What a promise gives, or `undefined` when it takes longer; the timer then keeps the process alive, and no longer. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const settled = new AbortController();
  try {
    return await Promise.race([promise, wait(ms, undefined, { signal: settled.signal })]);
  } finally {
    settled.abort();
  }
}
