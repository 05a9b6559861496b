/** Octet counting, RFC 6587, section 3.4.1: the length of a message in bytes, in decimal digits and ended by a blank, stands before it. */
const SPACE = 32;
/** No message has a length with more digits. */
const MOST_DIGITS = 10;

export const NO_COUNT = 0;
/** More has to come before it can be told. */
export const UNKNOWN_COUNT = -1;

/** The length that the count at `at` says, {@link NO_COUNT} or {@link UNKNOWN_COUNT}. */
export function countAt(bytes: Buffer, at: number): number {
  let length = 0;
  let p = at;
  for (; p < bytes.length && p - at < MOST_DIGITS; p++) {
    const digit = bytes[p]! - 0x30;
    if (digit < 0 || digit > 9 || (digit === 0 && p === at)) break;
    length = length * 10 + digit;
  }
  if (p === bytes.length) return UNKNOWN_COUNT;
  return p === at || bytes[p] !== SPACE ? NO_COUNT : length;
}

/** Where the message begins whose count at `at` says `length`. */
export function behindCount(at: number, length: number): number {
  let digits = 1;
  for (let bound = 10; length >= bound; bound *= 10) digits++;
  return at + digits + 1;
}
