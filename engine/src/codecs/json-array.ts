import type { SinkChunk } from '../spec/sink.ts';

const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/**
 * Rows `from` to `to` of a chunk of codec `json`, which was asked for with `rowOffsets`, as the text of one JSON array (a copy).
 * Each row ends with its newline, and there the comma goes: nothing else is touched.
 */
export function encodeArray(
  { bytes, offsets, rows }: Pick<SinkChunk, 'bytes' | 'offsets' | 'rows'>,
  from = 0,
  to: number = rows,
): Buffer {
  if (!offsets) throw new TypeError('Cannot encode an array: the chunk has no offsets, expected a sink with rowOffsets');
  const start = offsets[from]!;
  const length = offsets[to]! - start;
  if (from === to) return Buffer.from('[]');
  const array = Buffer.allocUnsafe(length + 1);
  array[0] = OPEN;
  array.set(bytes.subarray(start, start + length), 1);
  for (let row = from + 1; row < to; row++) array[offsets[row]! - start] = COMMA;
  array[length] = CLOSE;
  return array;
}
