/** Sorts the rows of a chunk by the texts of their columns: rows of one file end up together, in their order. */
import type { RowTexts } from '../../spec/row-texts.ts';
import type { SinkChunk } from '../../spec/sink.ts';

export interface RowGroup {
  /** The texts that they have in common. */
  readonly values: readonly string[];
  /** Stretches of rows, first and behind the last, ascending. */
  readonly stretches: readonly (readonly [from: number, to: number])[];
}

/** In the order of their first rows. Neighbours that are alike cost one comparison of bytes. */
export function groupRows({ rows, side = [] }: Pick<SinkChunk, 'rows' | 'side'>): readonly RowGroup[] {
  if (side.length === 0) return rows === 0 ? [] : [{ values: [], stretches: [[0, rows]] }];
  const groups = new Map<string, { values: string[]; stretches: [number, number][] }>();
  for (let from = 0; from < rows; ) {
    let to = from + 1;
    while (to < rows && side.every((texts) => isSame(texts, from, to))) to++;
    const values = side.map((texts) => textOf(texts, from));
    const key = values.join('\0');
    const group = groups.get(key);
    if (group) group.stretches.push([from, to]);
    else groups.set(key, { values, stretches: [[from, to]] });
    from = to;
  }
  return [...groups.values()];
}

function isSame({ bytes, offsets }: RowTexts, a: number, b: number): boolean {
  const start = offsets[a]!;
  const other = offsets[b]!;
  const length = offsets[a + 1]! - start;
  if (offsets[b + 1]! - other !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== bytes[other + i]) return false;
  return true;
}

function textOf({ bytes, offsets }: RowTexts, row: number): string {
  const text = bytes.subarray(offsets[row]!, offsets[row + 1]! - 1);
  return Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8');
}

/** The bytes of the stretches: views where they stand behind each other, else copied together. */
export function bytesOf({ bytes, offsets }: Pick<SinkChunk, 'bytes' | 'offsets'>, stretches: RowGroup['stretches']): Uint8Array {
  const bounds = stretches.map(([from, to]) => [offsets![from]!, offsets![to]!] as const);
  if (bounds.length === 1) return bytes.subarray(...bounds[0]!);
  const all = Buffer.allocUnsafe(bounds.reduce((sum, [start, end]) => sum + end - start, 0));
  let at = 0;
  for (const [start, end] of bounds) {
    all.set(bytes.subarray(start, end), at);
    at += end - start;
  }
  return all;
}
