/**
 * What is written without waiting for the disk survives the death of a process, not a loss of power. So it is worth something
 * only until the machine starts again, and is kept together with the number of the start that it belongs to.
 */
import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The kernel's name for this start of the machine; `undefined` where there is none to be had. */
export function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Notes that what a folder holds from now on belongs to this start of the machine. True: it held something of an earlier one. */
export async function enterBoot(folder: string, boot: string): Promise<boolean> {
  const path = join(folder, 'boot');
  const before = await readFile(path, 'utf8').catch(() => undefined);
  if (before !== boot) await writeFile(path, boot, { mode: 0o600 });
  return before !== undefined && before !== boot;
}

/** All is on disk: it is good whatever happens. */
export async function leaveBoot(folder: string): Promise<void> {
  await rm(join(folder, 'boot'), { force: true });
}
