import type { RunningPunchline } from '../pipeline/running.ts';

/** A running punchline under the name that logs and metrics call it by. */
export interface Watched {
  readonly name: string;
  readonly running: RunningPunchline;
}
