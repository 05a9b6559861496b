/** What checks of sources and sinks have in common. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ReefRun } from './reef-run.ts';

export const passwordWords = /auth|password|credential|denied|not allowed|permission|\b40[13]\b/i;
export const certificateWords = /certificate|self.signed|altname|expired|verify|unknown_?ca/i;

/** How often the process is killed: REEF_CONFORMANCE_KILLS, else a few, so that all connectors are through in minutes. */
export function kills(): number {
  return Number(process.env.REEF_CONFORMANCE_KILLS ?? 3);
}

/** For how long memory is looked at while nothing is taken; longer while it still grows, for a busy machine takes rows in slowly. */
const PRESSURE_MS = 2500;
const MOST_PRESSURE_MS = 15_000;
const GROWTH_BYTES = 2_000_000;

/** The most by which memory was above `before` in that time, and until all is offered where that is waited for. */
export async function growthOf(reef: ReefRun, before: number, offered: Promise<void> = Promise.resolve()): Promise<number> {
  let most = 0;
  let offering = true;
  void offered.finally(() => {
    offering = false;
  });
  const began = performance.now();
  for (let end = began + PRESSURE_MS; offering || performance.now() < Math.min(end, began + MOST_PRESSURE_MS); await pause(50)) {
    const grown = reef.residentBytes() - before;
    if (grown > most + GROWTH_BYTES) end = Math.max(end, performance.now() + PRESSURE_MS);
    most = Math.max(most, grown);
  }
  return most;
}
