/** Rows between the marks of a source: it tells whoever sent them what became of them. Marks are few, rows are many. */
import type { Decoded, Rejection } from '../batch/row-batch.ts';
import type { Marked } from './protocol.ts';

/** `failures`: what was rejected on the way; a row that was rejected twice (in two branches) counts once. */
export function countBetween(
  marks: readonly number[],
  decoded: Pick<Decoded, 'rows' | 'offset'>,
  failures: readonly { readonly rejections: readonly Rejection[] }[],
): Marked {
  const rows: number[] = [];
  let before = 0;
  for (const mark of marks) {
    const behind = firstRowFrom(decoded, mark, before);
    rows.push(behind - before);
    before = behind;
  }
  rows.push(decoded.rows - before);
  return { rows, rejected: countRejected(marks, decoded, failures) };
}

function countRejected(
  marks: readonly number[],
  decoded: Pick<Decoded, 'rows' | 'offset'>,
  failures: readonly { readonly rejections: readonly Rejection[] }[],
): number[] {
  const rejected = new Array<number>(marks.length + 1).fill(0);
  if (failures.length === 0) return rejected;
  const seen = new Uint8Array(decoded.rows);
  for (const { rejections } of failures) {
    for (const { row } of rejections) {
      if (seen[row] === 1) continue;
      seen[row] = 1;
      rejected[stretchOf(marks, decoded.offset(row))]!++;
    }
  }
  return rejected;
}

/** The first row at or behind `offset`, from row `low` on. */
function firstRowFrom({ rows, offset: offsetOf }: Pick<Decoded, 'rows' | 'offset'>, offset: number, low: number): number {
  let high = rows;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offsetOf(middle) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many marks stand at or before `offset`. */
function stretchOf(marks: readonly number[], offset: number): number {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (marks[middle]! <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
