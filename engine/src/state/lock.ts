/**
 * One process per state folder. The lock is a file that names its holder: process id, the time that process started (so
 * that a process id used again is not taken for the holder), and the boot and the process namespace in which both have a meaning.
 * A lock whose holder is gone is taken over: `kill -9` is a normal stop.
 *
 * A holder in another process namespace of the same machine cannot be asked whether it lives; its lock is taken over too,
 * because a container that was killed comes back in a new namespace. One state folder belongs to one container.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { link, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { ReefError } from '../errors.ts';

interface Holder {
  readonly pid: number;
  /** Clock ticks between boot and the start of the process; 0 where the system does not tell. */
  readonly started: number;
  readonly boot: string;
  readonly namespace: string;
}

export interface Lock {
  /** True when a process that is gone had left its lock behind. */
  readonly takenOver: boolean;
  release(): Promise<void>;
}

export async function acquireLock(path: string, folder: string): Promise<Lock> {
  const mine = JSON.stringify(self());
  const temporary = `${path}.${process.pid}`;
  let takenOver = false;
  try {
    await writeFile(temporary, mine, { mode: 0o600 });
    // A link appears with its content in one step, which creating and then writing a file does not.
    for (let attempt = 0; !(await linked(temporary, path)); attempt++) {
      const theirs = await readFile(path, 'utf8').catch(() => undefined);
      if (theirs === undefined) continue;
      const holder = parse(theirs);
      if ((holder !== undefined && isAlive(holder)) || attempt > 20) throw lockedBy(holder, folder);
      takenOver = true;
      await putAside(path, theirs);
    }
  } finally {
    await rm(temporary, { force: true });
  }
  return { takenOver, release: () => release(path, mine) };
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a stale lock. Another process may have replaced it since it was read: then what was taken away is put back. */
async function putAside(path: string, stale: string): Promise<void> {
  const aside = `${path}.stale.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== stale) await linked(aside, path);
  await unlink(aside);
}

async function release(path: string, mine: string): Promise<void> {
  const current = await readFile(path, 'utf8').catch(() => undefined);
  if (current === mine) await unlink(path);
}

function self(): Holder {
  return { pid: process.pid, started: startOf(process.pid) ?? 0, boot: bootId(), namespace: namespaceId() };
}

function isAlive(holder: Holder): boolean {
  if (holder.boot !== bootId() || holder.namespace !== namespaceId()) return false;
  const started = startOf(holder.pid);
  if (started !== undefined) return started === holder.started;
  if (bootId() !== '') return false;
  // No /proc here: the process id is all there is.
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat. The second field, the name in parentheses, may hold spaces and parentheses itself. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function namespaceId(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function parse(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Holder;
    return typeof holder.pid === 'number' ? holder : undefined;
  } catch {
    return undefined;
  }
}

function lockedBy(holder: Holder | undefined, folder: string): ReefError {
  const who = holder === undefined ? 'another process' : `process ${holder.pid}`;
  return new ReefError(
    'state',
    `Cannot lock state folder ${folder}: ${who} is using it, expected no other run of this punchline`,
    {
      data: { folder, ...(holder === undefined ? {} : { pid: holder.pid }) },
    },
  );
}
