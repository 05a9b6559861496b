import { readFileSync } from 'node:fs';

/**
 * The most memory that this process has had resident, in bytes. Not the `maxRSS` of `getrusage` where it can be helped: Linux
 * lets a process inherit that from the one that started it, so a large parent would show here.
 */
export function peakMemoryBytes(): number {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (found) return Number(found[1]) * 1024;
  } catch {
    // No /proc here.
  }
  return process.resourceUsage().maxRSS * 1024;
}
