/** How the punchlines of a process do, asked over its endpoint for metrics. */
import { ReefError } from '../errors.ts';
import type { Snapshot } from '../observe/snapshot.ts';

const TIMEOUT_MS = 5000;

/** Rejects with a `ReefError` when nobody answers there, or not this. `token`: where it wants one. */
export async function askEndpoint(url: string, token: string | undefined): Promise<Snapshot[]> {
  const target = new URL('/top', url);
  try {
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const response = await fetch(target, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    if (!response.ok) throw new Error(`it answers ${response.status}: ${text.trim().slice(0, 200)}`);
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Snapshot]));
  } catch (error) {
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : message;
    throw new ReefError('io', `Cannot ask ${target.origin}: ${reason}, expected the address of reef run --metrics`, {
      cause: error,
    });
  }
}
