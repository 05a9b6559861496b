/** Finds the row that kills workers: the range that one has died over twice is halved, again and again, down to one row. */
import type { Job, Range } from './job.ts';

const NEWLINE = 10;

/** Cuts the first range of a job after a death; `memory` is what its pointers point into. The first death may be the worker's own. */
export function isolate(job: Job, reason: string, memory: Buffer): void {
  const range = job.ranges[0]!;
  if (++range.deaths < 2) return;
  const middle = cutNearMiddle(range, memory);
  const { from, to } = range;
  const pieces: Range[] =
    middle === undefined
      ? [{ from, to, deaths: 0, reject: { reason: `a worker died twice while it computed this row: ${reason}` } }]
      : [
          { from, to: middle, deaths: 1 },
          { from: middle, to, deaths: 1 },
        ];
  job.ranges.splice(0, 1, ...pieces);
}

/** A place behind a newline that halves a range; `undefined` when it is one row. */
function cutNearMiddle({ from, to }: Range, memory: Buffer): number | undefined {
  const bytes = memory.subarray(from, to - 1);
  const middle = bytes.length >> 1;
  const before = bytes.lastIndexOf(NEWLINE, middle);
  const cut = before >= 0 ? before : bytes.indexOf(NEWLINE, middle);
  return cut < 0 ? undefined : from + cut + 1;
}
