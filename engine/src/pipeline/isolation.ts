/** Finds the row that kills workers: the range that one has died over twice is halved, again and again, down to one row. */
import type { Job, Range } from './job.ts';
import type { RowCutter } from './row-cutter.ts';

/**
 * Cuts the first range of a job after a death. The first death may be the worker's own. False: it is not the rows' fault, workers
 * die over a row that no function is given any more.
 */
export function isolate(job: Job, reason: string): boolean {
  const range = job.ranges[0]!;
  if (++range.deaths < 2) return true;
  if (range.reject) return false;
  const middle = cutNearMiddle(range, job.cutter);
  const { from, to } = range;
  const pieces: Range[] =
    middle === undefined
      ? [{ from, to, deaths: 0, reject: { reason: `a worker died twice while it computed this row: ${reason}` } }]
      : [
          { from, to: middle, deaths: 1 },
          { from: middle, to, deaths: 1 },
        ];
  job.ranges.splice(0, 1, ...pieces);
  return true;
}

/** A place between rows that halves a range; `undefined` when it is one row. */
function cutNearMiddle({ from, to }: Range, cutter: RowCutter): number | undefined {
  const middle = from + ((to - from) >> 1);
  const cut = cutter.lastEnd(from, middle) ?? cutter.firstEnd(from, to);
  return cut === to ? undefined : cut;
}
