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

/** The start of the machine that what a folder holds belongs to; `undefined`: it is good whatever happens. */
export function readBoot(folder: string): Promise<string | undefined> {
  return readFile(join(folder, 'boot'), 'utf8').catch(() => undefined);
}

/** Notes that what a folder holds from now on belongs to this start of the machine. */
export async function enterBoot(folder: string, boot: string): Promise<void> {
  await writeFile(join(folder, 'boot'), boot, { mode: 0o600 });
}

/** All is on disk: it is good whatever happens. */
export async function leaveBoot(folder: string): Promise<void> {
  await rm(join(folder, 'boot'), { force: true });
}
