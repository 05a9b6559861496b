/** Where messages begin and end on a connection, for each framing that is told message by message. */
import type { Framing } from './framing.ts';
import { FramingError } from './message-cutter.ts';

const NEWLINE = 10;
const SPACE = 32;
const LESS = 0x3c;
/** No message has a length with more digits. */
const MOST_DIGITS = 10;

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

export const octetFrames: FindFrame = (bytes, from) => {
  const frame = countedFrame(bytes, from, false);
  if (frame === NO_COUNT) throw new FramingError('a message does not begin with its length, expected digits and a blank');
  return frame;
};

export const NO_COUNT: Frame = { from: 0, to: 0, next: 0 };

const newlineFrames = delimiterFrames(Buffer.of(NEWLINE));

/** Message by message, whichever framing each has. */
export const syslogFrames: FindFrame = (bytes, from, searched) => {
  const frame = countedFrame(bytes, from);
  if (frame !== NO_COUNT) return frame;
  // What some senders put behind a counted message.
  return bytes[from] === NEWLINE ? { from: from + 1, to: from + 1, next: from + 1 } : newlineFrames(bytes, from, searched);
};

/** `12 `, and for syslog a `<` behind it: a line may begin with a number too. */
export function countedFrame(bytes: Buffer, at: number, syslog = true): Frame | undefined {
  let length = 0;
  let p = at;
  while (p < bytes.length && p - at <= MOST_DIGITS) {
    const digit = bytes[p]! - 0x30;
    if (digit < 0 || digit > 9 || (digit === 0 && p === at)) break;
    length = length * 10 + digit;
    p++;
  }
  if (p === bytes.length) return undefined;
  if (p === at || bytes[p] !== SPACE) return NO_COUNT;
  if (syslog) {
    if (p + 1 === bytes.length) return undefined;
    if (bytes[p + 1] !== LESS) return NO_COUNT;
  }
  return { from: p + 1, to: p + 1 + length, next: p + 1 + length };
}
