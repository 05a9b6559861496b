/** Bodies of requests, made of encoded rows. Bytes are copied only where they do not go out as they are. */
import { encodeArray } from '../../../codecs/json-array.ts';
import type { Bulk } from '../../../spec/bulk-sink.ts';

export type BodyKind = 'array' | 'lines' | 'object';

export const contentTypes: Readonly<Record<BodyKind, string>> = {
  array: 'application/json',
  lines: 'application/x-ndjson',
  object: 'application/json',
};

export function bodyOf(bulk: Bulk, kind: BodyKind): Uint8Array {
  switch (kind) {
    case 'array':
      return encodeArray(bulk);
    case 'lines':
      return bulk.bytes;
    case 'object':
      return bulk.bytes.subarray(0, bulk.bytes.length - 1);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const short = new Map([
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
]);

/** Bytes that each byte becomes in a JSON string. */
const widths = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === QUOTE || byte === BACKSLASH || short.has(byte) ? 2 : byte < 0x20 ? 6 : 1,
);

/** Each row as the one string of an object with the one member `name`. */
export function wrapRows({ bytes, rows, offsets, side }: Bulk, name: string): Bulk {
  const before = Buffer.from(`{${JSON.stringify(name)}:"`);
  const after = Buffer.from('"}\n');
  const wrapped = new Uint32Array(rows + 1);
  for (let row = 0; row < rows; row++) {
    let length = before.length + after.length;
    for (let at = offsets[row]!; at < offsets[row + 1]! - 1; at++) length += widths[bytes[at]!]!;
    wrapped[row + 1] = wrapped[row]! + length;
  }
  const out = Buffer.allocUnsafe(wrapped[rows]!);
  for (let row = 0; row < rows; row++) {
    let to = wrapped[row]! + before.copy(out, wrapped[row]!);
    for (let at = offsets[row]!; at < offsets[row + 1]! - 1; at++) to = writeEscaped(out, to, bytes[at]!);
    after.copy(out, to);
  }
  return { bytes: out, rows, offsets: wrapped, side };
}

function writeEscaped(out: Buffer, to: number, byte: number): number {
  const width = widths[byte]!;
  if (width === 1) {
    out[to] = byte;
    return to + 1;
  }
  const letter = byte === QUOTE || byte === BACKSLASH ? String.fromCharCode(byte) : short.get(byte);
  return to + out.write(letter === undefined ? `\\u${byte.toString(16).padStart(4, '0')}` : `\\${letter}`, to, 'latin1');
}
