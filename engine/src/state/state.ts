/**
 * The folder in which a punchline keeps what must outlive its process:
 *
 * | file                 | what                                                                                  |
 * |----------------------|---------------------------------------------------------------------------------------|
 * | `checkpoint.json`    | positions of the sources and sinks, replaced in one step                                |
 * | `inflight`           | the ranges that are being computed right now; `inflight.names` beside it                |
 * | `suspects.json`      | what may have killed a process and is isolated                                          |
 * | `dead-letters.ndjson`| rejected rows where the punchline has no error table                                    |
 * | `running`            | is there while a run has not ended in order; empty once all of it was opened            |
 * | `boot`               | the start of the machine that the checkpoint is good for, where it did not wait for the disk |
 * | `audit.ndjson`       | which configuration and code was active when                                            |
 * | `control.sock`       | while it runs: what others ask about the run by (control/control-socket.ts)             |
 * | `lock`               | names the process that uses the folder                                                  |
 */
import { access, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ReefError } from '../errors.ts';
import { enterBoot, leaveBoot, readBoot } from './boot.ts';
import { type Checkpoint, checkpointText, readCheckpoint } from './checkpoint.ts';
import { InFlight, type Range, readInFlight } from './inflight.ts';
import { acquireLock, type Lock } from './lock.ts';
import { makeFolder } from './make-folder.ts';
import { Suspects } from './suspects.ts';
import { syncFolder, writeAtomically } from './write-atomically.ts';

/** What `running` holds until all is open. */
const STARTING = 'starting';

/** Path of the dead letters in a state folder; the engine writes them with the file sink. */
export function deadLettersPath(folder: string): string {
  return join(folder, 'dead-letters.ndjson');
}

export interface StateOptions {
  /**
   * Number of this start of the machine, for runs whose checkpoints do not wait for the disk: what they left is forgotten when the
   * machine has been started since, unless they ended in order. Absent: checkpoints are good for ever.
   */
  readonly boot?: string | undefined;
}

/** Makes the folder where needed, locks it and reads what the last run left. */
export async function openState(folder: string, { boot }: StateOptions = {}): Promise<State> {
  try {
    await makeFolder(resolve(folder));
  } catch (error) {
    throw unusable(folder, error);
  }
  let lock: Lock;
  try {
    lock = await acquireLock(join(folder, 'lock'), folder);
  } catch (error) {
    throw error instanceof ReefError ? error : unusable(folder, error);
  }
  try {
    const belongsTo = await readBoot(folder);
    if (boot !== undefined && belongsTo !== undefined && belongsTo !== boot) {
      for (const name of ['checkpoint.json', 'inflight', 'inflight.names']) await rm(join(folder, name), { force: true });
    }
    const checkpoint = await readCheckpoint(join(folder, 'checkpoint.json'));
    const suspects = await Suspects.open(join(folder, 'suspects.json'));
    const clean = !(await exists(join(folder, 'running')));
    const interrupted = clean ? [] : readInFlight(join(folder, 'inflight'));
    const killedAtStart = !clean && interrupted.length === 0 && (await readFile(join(folder, 'running'), 'utf8')) === STARTING;
    await writeFile(join(folder, 'running'), STARTING, { mode: 0o600 });
    return new State({ folder, lock, checkpoint, suspects, clean, interrupted, killedAtStart, boot, belongsTo });
  } catch (error) {
    await lock.release();
    throw error instanceof ReefError ? error : unusable(folder, error);
  }
}

interface Opened {
  readonly folder: string;
  readonly lock: Lock;
  readonly checkpoint: Checkpoint | undefined;
  readonly suspects: Suspects;
  readonly clean: boolean;
  readonly interrupted: readonly Range[];
  readonly killedAtStart: boolean;
  readonly boot: string | undefined;
  readonly belongsTo: string | undefined;
}

export class State {
  readonly folder: string;
  /** What the last run saved; `undefined` on a fresh start. Later saves do not change it. */
  readonly checkpoint: Checkpoint | undefined;
  readonly suspects: Suspects;
  /** True when the last run ended in order, or there was none. */
  readonly clean: boolean;
  /** What was being computed when the last run was killed. */
  readonly interrupted: readonly Range[];
  /** The last run was killed before everything was open. */
  readonly killedAtStart: boolean;
  readonly #lock: Lock;
  readonly #boot: string | undefined;
  /** The start of the machine that the checkpoint is good for, as the folder says. */
  #belongsTo: string | undefined;
  #inFlight: InFlight | undefined;
  #saving: Promise<void> = Promise.resolve();

  /** Use {@link openState}. */
  constructor(opened: Opened) {
    this.folder = opened.folder;
    this.checkpoint = opened.checkpoint;
    this.suspects = opened.suspects;
    this.clean = opened.clean;
    this.interrupted = opened.interrupted;
    this.killedAtStart = opened.killedAtStart;
    this.#lock = opened.lock;
    this.#boot = opened.boot;
    this.#belongsTo = opened.belongsTo;
  }

  get deadLetters(): string {
    return deadLettersPath(this.folder);
  }

  /** The record of what is being computed. The first use empties it: deal with `interrupted` before. */
  get inFlight(): InFlight {
    this.#inFlight ??= new InFlight(join(this.folder, 'inflight'));
    return this.#inFlight;
  }

  /**
   * Replaces the checkpoint. Calls run one after the other. With `sync: false` it survives a kill but perhaps not a loss of
   * power. Rejects with a `ReefError` that may be retried; the checkpoint before it is then still whole.
   */
  save(checkpoint: Pick<Checkpoint, 'positions' | 'sinks'>, options: { readonly sync: boolean } = { sync: true }): Promise<void> {
    const path = join(this.folder, 'checkpoint.json');
    const next = this.#saving.then(async () => {
      const { positions, sinks } = checkpoint;
      const whole: Checkpoint = { version: 1, savedAt: new Date().toISOString(), positions, sinks };
      try {
        if (!options.sync) await this.#belongTo(this.#boot);
        await writeAtomically(path, checkpointText(whole), options);
        if (options.sync) await this.#belongTo(undefined);
      } catch (error) {
        throw new ReefError('state', `Cannot write checkpoint ${path}: ${(error as Error).message}`, {
          cause: error,
          retry: true,
        });
      }
    });
    this.#saving = next.catch(() => {});
    return next;
  }

  async #belongTo(boot: string | undefined): Promise<void> {
    if (boot === this.#belongsTo) return;
    if (boot === undefined) await leaveBoot(this.folder);
    else await enterBoot(this.folder, boot);
    this.#belongsTo = boot;
  }

  /** Forgets the positions: the next run starts from the beginning. Dead letters and suspects stay. */
  async remove(): Promise<void> {
    await this.#saving;
    await rm(join(this.folder, 'checkpoint.json'), { force: true });
    await syncFolder(this.folder);
  }

  /** Everything is open: a kill from now on is not the start's. */
  async markStarted(): Promise<void> {
    await truncate(join(this.folder, 'running'));
  }

  /** The run has ended in order: the next start need not look for what killed it. */
  async markClean({ durable }: { readonly durable: boolean } = { durable: true }): Promise<void> {
    if (durable) await leaveBoot(this.folder);
    await rm(join(this.folder, 'running'), { force: true });
  }

  /** Lets go of the folder. Without {@link markClean} the next start takes this run for one that was killed. */
  async close(): Promise<void> {
    await this.#saving;
    this.#inFlight?.close();
    this.#inFlight = undefined;
    await this.#lock.release();
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function unusable(folder: string, error: unknown): ReefError {
  // `EACCES: permission denied, mkdir '/…'`: the words in the middle say it.
  const words = (error as Error).message.replace(/^E[A-Z]+: /, '').replace(/, \w+( '.*')?$/, '');
  const { syscall, path } = error as NodeJS.ErrnoException;
  const what = syscall === 'mkdir' && path !== undefined && path !== resolve(folder) ? `${words} (${path})` : words;
  return new ReefError(
    'state',
    `Cannot use state folder ${folder}: ${what}, expected a folder that can be written to (--state DIR chooses another)`,
    { cause: error, data: { folder } },
  );
}
