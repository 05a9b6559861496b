/** What checks of sources and sinks have in common. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ReefRun } from './reef-run.ts';

export const passwordWords = /auth|password|credential|denied|not allowed|permission|\b40[13]\b/i;
export const certificateWords = /certificate|self.signed|altname|expired|verify|unknown_?ca/i;

/** How often the process is killed: REEF_CONFORMANCE_KILLS, else a few, so that all connectors are through in minutes. */
export function kills(): number {
  return Number(process.env.REEF_CONFORMANCE_KILLS ?? 3);
}

/** For how long memory is looked at while nothing is taken. What is not bounded has then grown by what was offered. */
const PRESSURE_MS = 2000;

/** The most by which memory was above `before` in that time, and until all is offered where that is waited for. */
export async function growthOf(reef: ReefRun, before: number, offered: Promise<void> = Promise.resolve()): Promise<number> {
  let most = 0;
  let offering = true;
  void offered.finally(() => {
    offering = false;
  });
  for (const end = performance.now() + PRESSURE_MS; performance.now() < end || offering; await pause(50)) {
    most = Math.max(most, reef.residentBytes() - before);
  }
  return most;
}
