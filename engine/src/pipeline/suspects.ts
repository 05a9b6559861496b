import type { Suspect } from '../state/suspects.ts';
import type { Range } from './job.ts';

/** Reason of a row that has killed the process before. */
export const KILLED_THE_PROCESS = 'the process died while it computed this row; it was isolated at the next start';

const NEWLINE = 10;

/** What tells a row from others that stand at its place by now: another file may have the name. */
export function rowDigest(row: Uint8Array): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(row).digest('hex').slice(0, 16);
}

/**
 * Cuts the suspects out of a range, each into one of its own that is rejected without being computed. `offset` is the range's
 * first byte within its partition. What is not a whole row, or another than it was, is innocent.
 */
export function rangesAround(
  range: Range,
  offset: number,
  partition: { readonly source: string; readonly name: string },
  suspects: readonly Suspect[],
  bytes: Uint8Array,
): Range[] {
  if (suspects.length === 0 || range.reject) return [range];
  const length = range.to - range.from;
  const inside = suspects
    .flatMap((suspect) => (suspect.kind === 'range' ? [suspect.range] : []))
    .filter((suspect) => suspect.source === partition.source && suspect.partition === partition.name)
    .map((suspect) => ({ from: suspect.from - offset, to: suspect.to - offset, digest: suspect.digest }))
    .filter(({ from, to }) => from >= 0 && to <= length && from < to)
    .filter(({ from, to, digest }) => {
      const startsRow = from === 0 || bytes[range.from + from - 1] === NEWLINE;
      const endsRow = to === length || bytes[range.from + to - 1] === NEWLINE || bytes[range.from + to] === NEWLINE;
      if (!startsRow || !endsRow) return false;
      return digest === undefined || digest === rowDigest(bytes.subarray(range.from + from, range.from + to));
    })
    // A row that was the last one then may have its newline by now.
    .map(({ from, to }) => ({ from, to: to < length && bytes[range.from + to - 1] !== NEWLINE ? to + 1 : to }))
    .sort((a, b) => a.from - b.from);
  const ranges: Range[] = [];
  let at = 0;
  for (const { from, to } of inside) {
    if (from < at) continue;
    if (from > at) ranges.push({ from: range.from + at, to: range.from + from, deaths: 0 });
    ranges.push({ from: range.from + from, to: range.from + to, deaths: 0, reject: { reason: KILLED_THE_PROCESS } });
    at = to;
  }
  if (at < length) ranges.push({ from: range.from + at, to: range.to, deaths: 0 });
  return ranges;
}
