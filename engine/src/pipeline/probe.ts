/**
 * After a run that was killed in the middle: were rows the reason, or a module? What was being computed then is computed again in
 * a child process that delivers nothing. When the child lives, it was somebody else's kill. When it dies, it is run row by row,
 * and the row that it dies of is put on the list of suspects, which every run sends to the error table without computing it.
 * When it dies before any row, or of several rows on end, a module may be what kills: the one without which it lives, or
 * those that kill it one by one, are remembered by their digest and not run again.
 */
import { fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ReefError } from '../errors.ts';
import type { Log } from '../spec/node.ts';
import type { Punchline } from '../spec/plan.ts';
import type { Checkpoint } from '../state/checkpoint.ts';
import { type Range, readInFlight } from '../state/inflight.ts';
import type { State } from '../state/state.ts';
import type { Suspect } from '../state/suspects.ts';
import type { SpecifiedNode } from './plan-worker.ts';
import { moduleDigests } from './prepare-functions.ts';

/** A child that has not come to an end by then hangs: what it was computing is as bad as if it had died of it. */
const CHILD_MS = 120_000;
/** More rows that kill are not plausible; the run then starts and says so. */
const MOST_ROWS = 1000;
/** So many rows on end, of which each kills: rather the module than the rows. */
const ROWS_ON_END = 3;
/** Rows that are tried together before they are tried one by one. */
const PIECE_ROWS = 256;

export interface ProbeRequest {
  readonly punchline: Punchline;
  readonly checkpoint: Checkpoint | undefined;
  readonly suspects: readonly Suspect[];
  readonly ranges: readonly Range[];
  readonly rowsAtOnce: number;
  /** Where the child notes what it is computing. */
  readonly record: string;
  readonly folder: string;
}

export interface ProbeOptions {
  readonly punchline: Punchline;
  readonly specs: ReadonlyMap<string, SpecifiedNode>;
  readonly state: State;
  /** Entry of the child process. */
  readonly child: URL;
  readonly log: Log;
  /** Ends the search: nobody is found guilty any more. */
  readonly stop: AbortSignal;
}

export async function isolateKillers(options: ProbeOptions): Promise<void> {
  const { punchline, state, log } = options;
  const { interrupted, killedAtStart } = state;
  if (interrupted.length === 0 && !killedAtStart) return;
  if (!punchline.nodes.some(({ kind }) => kind === 'function')) return;
  const digests = await moduleDigests(punchline, options.specs);
  if (interrupted.length === 0 && digests.length === 0) return;
  const doing = interrupted.length > 0 ? `it computed ${describe(interrupted)}: these are computed` : 'it started: that is done';
  log.warn(`The last run was killed while ${doing} on trial, in a process of its own`);
  try {
    await new Search(options, digests).run(interrupted);
  } catch (error) {
    if (!options.stop.aborted) throw error;
  }
}

class Search {
  readonly #options: ProbeOptions;
  readonly #digests: readonly string[];
  /** The rows that were isolated last, each right behind the one before it. */
  #onEnd: Range[] = [];

  constructor(options: ProbeOptions, digests: readonly string[]) {
    this.#options = options;
    this.#digests = digests;
  }

  async run(interrupted: readonly Range[]): Promise<void> {
    const { log } = this.#options;
    for (let found = 0; found < MOST_ROWS; found++) {
      const computing = await this.#diedAt(interrupted, false);
      if (computing === undefined) return;
      const ranges = await this.#narrowed(computing);
      const died = ranges.length === 0 ? [] : await this.#diedAt(ranges, true);
      // It lives when the rows come one by one: none of them can be named.
      if (!died) break;
      const [row] = died;
      if (row !== undefined) await this.#isolateRow(row);
      else if (!(await this.#isolateModule(interrupted, false))) break;
    }
    log.warn('The trial process died without a row or module that can be named: the run starts all the same');
  }

  /** The piece of a few hundred rows of which it dies, so that not every row of large ranges has to be tried by itself. */
  async #narrowed(ranges: readonly Range[]): Promise<readonly Range[]> {
    if (ranges.length === 0) return ranges;
    const piece = await this.#diedAt(ranges, false, this.#options.state.suspects.list, PIECE_ROWS);
    return piece && piece.length > 0 ? piece : ranges;
  }

  async #isolateRow(row: Range): Promise<void> {
    const { state, log } = this.#options;
    const last = this.#onEnd.at(-1);
    const follows = last?.source === row.source && last.partition === row.partition && last.to === row.from;
    this.#onEnd = follows ? [...this.#onEnd, row] : [row];
    // Once is enough: without a module that is guilty, it is the rows.
    if (this.#onEnd.length === ROWS_ON_END) {
      const innocent = state.suspects.list.filter((suspect) => !isOneOf(suspect, this.#onEnd));
      if (await this.#isolateModule(this.#onEnd, true, innocent)) {
        this.#onEnd = [];
        return;
      }
    }
    await state.suspects.add({ kind: 'range', range: row });
    log.warn(`A row kills the process and is isolated: ${describe([row])}`);
  }

  /**
   * Finds the one module without which the child lives, else those of which it dies even when all other modules are left out;
   * `others`: the suspects besides.
   */
  async #isolateModule(ranges: readonly Range[], singly: boolean, others = this.#options.state.suspects.list): Promise<boolean> {
    const fresh = this.#digests
      .filter((digest) => !others.some((suspect) => suspect.kind === 'digest' && suspect.digest === digest))
      .map((digest): Suspect => ({ kind: 'digest', digest }));
    const livesWithout = async (left: readonly Suspect[]): Promise<boolean> =>
      (await this.#diedAt(ranges, singly, [...others, ...left])) === undefined;
    for (const suspect of fresh) {
      if (!(await livesWithout([suspect]))) continue;
      await this.#convict([suspect], others);
      return true;
    }
    if (fresh.length < 2 || !(await livesWithout(fresh))) return false;
    const guilty: Suspect[] = [];
    for (const suspect of fresh) {
      if (!(await livesWithout(fresh.filter((other) => other !== suspect)))) guilty.push(suspect);
    }
    if (guilty.length > 0) await this.#convict(guilty, others);
    return guilty.length > 0;
  }

  async #convict(guilty: readonly Suspect[], others: readonly Suspect[]): Promise<void> {
    const { state, log } = this.#options;
    await state.suspects.replace([...others, ...guilty]);
    for (const suspect of guilty) {
      if (suspect.kind !== 'digest') continue;
      log.warn(`Module ${suspect.digest} kills the process and is isolated: its functions reject their rows`);
    }
  }

  /** What the child was computing when it died or hung; `undefined`: it lived. */
  async #diedAt(
    ranges: readonly Range[],
    singly: boolean,
    suspects = this.#options.state.suspects.list,
    rowsAtOnce = singly ? 1 : 0,
  ): Promise<Range[] | undefined> {
    const { punchline, state, child, stop } = this.#options;
    const { checkpoint, folder } = state;
    const record = join(folder, 'probe-inflight');
    // What an earlier child has noted must not be taken for this one's.
    rmSync(record, { force: true });
    const died = await runChild(child, { punchline, checkpoint, suspects, ranges, rowsAtOnce, record, folder }, stop);
    return died ? readInFlight(record) : undefined;
  }
}

function isOneOf(suspect: Suspect, rows: readonly Range[]): boolean {
  if (suspect.kind !== 'range') return false;
  const { source, partition, from } = suspect.range;
  return rows.some((row) => row.source === source && row.partition === partition && row.from === from);
}

function describe(ranges: readonly Range[]): string {
  return ranges.map(({ source, partition, from, to }) => `bytes ${from} to ${to} of "${source}" (${partition})`).join(', ');
}

/** Signals that nothing computed brings about. */
const FROM_OUTSIDE: readonly unknown[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** True when the child died or hung; rejects when it was ended from outside, which says nothing. */
function runChild(entry: URL, request: ProbeRequest, stop: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    stop.throwIfAborted();
    const child = fork(entry, [], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'advanced' });
    const timer = setTimeout(() => child.kill('SIGKILL'), CHILD_MS);
    const abort = (): void => {
      child.kill('SIGKILL');
      reject(stop.reason);
    };
    stop.addEventListener('abort', abort, { once: true });
    const end = (died: boolean, signal: NodeJS.Signals | null = null): void => {
      clearTimeout(timer);
      stop.removeEventListener('abort', abort);
      if (FROM_OUTSIDE.includes(signal))
        reject(new ReefError('state', `Cannot find what killed the last run: the trial was ended by ${signal}`));
      else resolve(died);
    };
    child.once('error', () => end(true));
    child.once('exit', (code, signal) => end(code !== 0, signal));
    child.send(request, (error) => {
      if (error) child.kill('SIGKILL');
    });
  });
}
