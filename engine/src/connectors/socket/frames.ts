/** Where messages begin and end on a connection, for each framing that is told message by message. */
import type { Framing } from './framing.ts';
import { FramingError } from './message-cutter.ts';
import { behindCount, countAt, NO_COUNT, UNKNOWN_COUNT } from './octet-count.ts';

/** A message at [from, to), the next one at `next`; these may lie behind what has come. */
export interface Frame {
  readonly from: number;
  readonly to: number;
  readonly next: number;
}

/** Finds the frame at `from`; `undefined`: its end is not there, nor known. `searched`: where to look on. */
export type FindFrame = (bytes: Buffer, from: number, searched: number) => Frame | undefined;

export function delimiterFrames(delimiter: Buffer): FindFrame {
  return (bytes, from, searched) => {
    const to = bytes.indexOf(delimiter, Math.max(from, searched - delimiter.length + 1));
    return to < 0 ? undefined : { from, to, next: to + delimiter.length };
  };
}

export function lengthFrames(width: 1 | 2 | 4, order: Framing['byte_order']): FindFrame {
  return (bytes, at) => {
    if (at + width > bytes.length) return undefined;
    const length = order === 'big' ? bytes.readUIntBE(at, width) : bytes.readUIntLE(at, width);
    const from = at + width;
    return { from, to: from + length, next: from + length };
  };
}

export const octetFrames: FindFrame = (bytes, at) => {
  const length = countAt(bytes, at);
  if (length === UNKNOWN_COUNT) return undefined;
  if (length === NO_COUNT) throw new FramingError('a message does not begin with its length, expected digits and a blank');
  const from = behindCount(at, length);
  return { from, to: from + length, next: from + length };
};
