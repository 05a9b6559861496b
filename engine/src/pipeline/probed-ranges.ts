import type { Cut } from './framer.ts';
import type { Range } from './job.ts';
import type { Probe } from './options.ts';
import type { RowCutter } from './row-cutter.ts';

/** What a probe computes of a cut: only what lies in its ranges, and in small pieces when it is to find the row that kills. */
export function probedRanges(
  ranges: readonly Range[],
  cut: Cut,
  partition: { readonly source: string; readonly name: string },
  probe: Probe,
  cutter: RowCutter,
): Range[] {
  const wanted = probe.ranges.filter(({ source, partition: name }) => source === partition.source && name === partition.name);
  for (const range of wanted) if (range.to <= cut.end) probe.open.delete(range);
  if (probe.open.size === 0) probe.done();
  const inside = wanted.flatMap(({ from, to }) => ranges.flatMap((range) => overlap(range, cut, from, to)));
  return probe.rowsAtOnce > 0 ? inside.flatMap((range) => pieces(range, probe.rowsAtOnce, cutter)) : inside;
}

function overlap(range: Range, cut: Cut, from: number, to: number): Range[] {
  const first = Math.max(range.from, cut.from + from - cut.offset);
  const behind = Math.min(range.to, cut.from + to - cut.offset);
  return first < behind ? [{ ...range, from: first, to: behind }] : [];
}

function pieces(range: Range, rowsAtOnce: number, cutter: RowCutter): Range[] {
  const found: Range[] = [];
  for (let from = range.from; from < range.to; ) {
    let to = from;
    for (let rows = 0; rows < rowsAtOnce && to < range.to; rows++) to = cutter.firstEnd(to, range.to) ?? range.to;
    found.push({ ...range, from, to });
    from = to;
  }
  return found;
}
