import type { Run } from './measure.ts';

/** What a run over so many rows came to: `650 k rows/s, 400 k rows/CPU-s, 2.50 s CPU, 130 MB at most`. */
export function figures(rows: number, { userSeconds, systemSeconds, wallSeconds, peakBytes }: Run): string {
  const cpuSeconds = userSeconds + systemSeconds;
  const thousands = (seconds: number): string => `${(rows / seconds / 1000).toFixed(0)} k rows`;
  return `${thousands(wallSeconds)}/s, ${thousands(cpuSeconds)}/CPU-s, ${cpuSeconds.toFixed(2)} s CPU, ${(peakBytes / 1e6).toFixed(0)} MB at most`;
}
