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
import { setTimeout as wait } from 'node:timers/promises';
import { ReefError } from '../errors.ts';

/** A lock that changes hands so often is taken. */
const MOST_ATTEMPTS = 40;
const TURN_MS = 5;

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

/** Tells the calls of this process apart. */
let calls = 0;

export async function acquireLock(path: string, folder: string): Promise<Lock> {
  const mine = JSON.stringify(self());
  const temporary = `${path}.${process.pid}.${++calls}`;
  let takenOver = false;
  try {
    await writeFile(temporary, mine, { mode: 0o600 });
    // A link appears with its content in one step, which creating and then writing a file does not.
    for (let attempt = 0; !takenOver && !(await linked(temporary, path)); attempt++) {
      const theirs = await readFile(path, 'utf8').catch(() => undefined);
      if (theirs === undefined) continue;
      const holder = parse(theirs);
      if ((holder !== undefined && isAlive(holder)) || attempt > MOST_ATTEMPTS) throw lockedBy(holder, folder);
      takenOver = await takeOver(path, temporary, theirs);
    }
  } finally {
    await rm(temporary, { force: true });
  }
  return { takenOver, release: () => release(path, mine) };
}

/**
 * Puts `temporary` in the place of a stale lock. Only one process may do that, or two that see the same stale lock could both win:
 * the second would take away what the first has just put there. False: look again.
 */
async function takeOver(path: string, temporary: string, stale: string): Promise<boolean> {
  const turn = await takeTurn(path, temporary, stale);
  if (!turn) {
    await wait(TURN_MS);
    return false;
  }
  try {
    if ((await readFile(path, 'utf8').catch(() => undefined)) !== stale) return false;
    await rename(temporary, path);
    return true;
  } finally {
    for (const name of turn) await rm(name, { force: true });
  }
}

/**
 * The turn to take over from `dead` is a file whose name says from whom, so it can be had once. Whoever dies with the turn has an
 * heir in the same way. Returns the files to be removed once the lock is another: who comes later then finds that out.
 */
async function takeTurn(path: string, temporary: string, dead: string): Promise<string[] | undefined> {
  const names: string[] = [];
  for (let from: string | undefined = dead; from !== undefined; ) {
    const name: string = `${path}.from-${process.getBuiltinModule('node:crypto').hash('sha256', from).slice(0, 16)}`;
    names.push(name);
    if (await linked(temporary, name)) return names;
    from = await readFile(name, 'utf8').catch(() => undefined);
    const holder = from === undefined ? undefined : parse(from);
    if (holder && isAlive(holder)) return undefined;
  }
  return undefined;
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
