/** What a punchline says about its running rather than its rows. Costs nothing where it says nothing. */
import type { Log } from '../spec/node.ts';
import type { Punchline, PunchlineNode } from '../spec/plan.ts';
import type { Source } from '../spec/source.ts';
import { controlled } from './controlled-source.ts';
import { ExitWatch } from './exit-watch.ts';
import { LateRows } from './late-rows.ts';
import { Pace } from './pace.ts';

export interface RunControl {
  /** Present when the punchline has conditions to end by. */
  readonly exit: ExitWatch | undefined;
  controlSource(node: PunchlineNode, source: Source): Source;
}

export function runControl(punchline: Punchline, log: Log): RunControl {
  const watch = new ExitWatch(punchline);
  const exit = watch.needed ? watch : undefined;
  return {
    exit,
    controlSource: ({ id, control }, source) => {
      const { throughput = 0, pendingRows = 0, rowTimeoutSecs = 0 } = control ?? {};
      const paced = throughput > 0 || pendingRows > 0;
      if (!paced && rowTimeoutSecs <= 0 && !exit) return source;
      return controlled(source, {
        pace: paced ? new Pace({ rate: boundOf(throughput), pending: boundOf(pendingRows) }) : undefined,
        late: rowTimeoutSecs > 0 ? new LateRows(id, rowTimeoutSecs, log) : undefined,
        settled: (rows, rejected) => exit?.settled(id, rows, rejected),
      });
    },
  };
}

function boundOf(given: number): number {
  return given > 0 ? given : Number.POSITIVE_INFINITY;
}
