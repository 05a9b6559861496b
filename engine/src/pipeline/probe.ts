/**
 * After a run that was killed in the middle: were rows the reason? What was being computed then is computed again in a child
 * process that delivers nothing. When the child lives, it was somebody else's kill. When it dies, it is run row by row, and the
 * row that it dies of is put on the list of suspects, which every run sends to the error table without computing it.
 */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Log } from '../spec/node.ts';
import type { Punchline } from '../spec/plan.ts';
import type { Checkpoint } from '../state/checkpoint.ts';
import { type Range, readInFlight } from '../state/inflight.ts';
import type { State } from '../state/state.ts';
import type { Suspect } from '../state/suspects.ts';

/** A child that has not come to an end by then hangs: what it was computing is as bad as if it had died of it. */
const CHILD_MS = 120_000;
/** More rows that kill are not plausible; the run then starts and says so. */
const MOST_ROWS = 1000;

export interface ProbeRequest {
  readonly punchline: Punchline;
  readonly checkpoint: Checkpoint | undefined;
  readonly suspects: readonly Suspect[];
  readonly ranges: readonly Range[];
  readonly singly: boolean;
  /** Where the child notes what it is computing. */
  readonly record: string;
  readonly folder: string;
}

export async function isolateKillers(punchline: Punchline, state: State, child: URL, log: Log): Promise<void> {
  const record = join(state.folder, 'probe-inflight');
  let ranges = state.interrupted;
  if (ranges.length === 0 || !punchline.nodes.some(({ kind }) => kind === 'function')) return;
  log.warn(
    `The last run was killed while it computed ${describe(ranges)}: these are computed on trial, in a process of their own`,
  );
  let singly = false;
  for (let found = 0; found < MOST_ROWS; ) {
    const { checkpoint, suspects, folder } = state;
    const died = await runChild(child, { punchline, checkpoint, suspects: suspects.list, ranges, singly, record, folder });
    if (!died) return;
    const computing = readInFlight(record);
    if (computing.length === 0) break;
    if (singly) {
      const [row] = computing;
      await suspects.add({ kind: 'range', range: row! });
      found++;
      log.warn(`A row kills the process and is isolated: ${describe([row!])}`);
    } else {
      singly = true;
      ranges = computing;
    }
  }
  log.warn('The trial process died without a row that can be named: the run starts all the same');
}

function describe(ranges: readonly Range[]): string {
  return ranges.map(({ source, partition, from, to }) => `bytes ${from} to ${to} of "${source}" (${partition})`).join(', ');
}

/** True when the child died or hung. */
function runChild(entry: URL, request: ProbeRequest): Promise<boolean> {
  return new Promise((resolve) => {
    const child = fork(entry, [], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'advanced' });
    const timer = setTimeout(() => child.kill('SIGKILL'), CHILD_MS);
    const end = (died: boolean): void => {
      clearTimeout(timer);
      resolve(died);
    };
    child.once('error', () => end(true));
    child.once('exit', (code) => end(code !== 0));
    child.send(request, (error) => {
      if (error) child.kill('SIGKILL');
    });
  });
}
