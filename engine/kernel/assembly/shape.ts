// The shape of the rows, learned while they are scanned.
//
// Rows of one source look alike. What stands between one member's value and the next, say `,"magnitude":`, is called a *gap*;
// an object's first gap begins with its `{`. A gap that was checked once is kept, with the key column that its key names, and
// with *links* to the gaps that came next and first inside its value the last time. In the next row, one comparison of 16 or
// 32 bytes with the expected gap replaces finding and checking comma, quotes, key, colon and white space, and looking the key
// up. A wrong guess costs nothing but the comparison: the gap is then read byte by byte and takes its place here.
//
// Gaps live in a direct-mapped table: the place follows from the key, and a newcomer overwrites. Text is always compared, so
// what happens to be in a place decides only whether a guess is right; but a link must never lead to a gap of another sort. So
// gaps that open an object have the odd places and those behind a value the even ones: `{"a":` is no gap behind a value. And
// gaps inside nested objects have a table of their own, because they lead to no column: a link from either table stays in it
// (but for those from a gap to the first one inside its value).
import { get32, get64, get8, getV, put32, put64 } from './access';
import { alloc } from './arena';
import { SYNTAX, fail } from './failure';
import { BACKSLASH, COLON, OPEN_OBJECT, QUOTE, skipSpace, skipString } from './json-token';
import { findKey } from './keys';
import { keyColumn } from './row-table';
import { findByte } from './text';

// A gap: text[32], u32 mask of its bytes, u32 length, u32 key column (0: none wants it), u32 next gap, u32 gap inside.
const GAP_BYTES: usize = 64;
const MASK: usize = 32;
const LENGTH: usize = 36;
const COLUMN: usize = 40;
const NEXT: usize = 44;
const INSIDE: usize = 48;
const LONGEST: usize = 32;
/** Gaps in each of the two tables. */
const GAPS: usize = 256;
/** No 16 bytes have this bit: a gap with this mask is never met. */
const NEVER: u32 = 0x10000;

/** Stands before a row's first gap, and where nothing is known yet; it is never met. The two tables follow. */
let start: usize = 0;

/** Takes room for the gaps and forgets all; false when the arena is full. */
export function openShape(): bool {
  start = alloc((1 + 2 * GAPS) * GAP_BYTES);
  if (!start) return false;
  for (let gap = start; gap <= start + 2 * GAPS * GAP_BYTES; gap += GAP_BYTES) {
    put32(gap + LENGTH, 0);
    put32(gap + MASK, NEVER);
    put32(gap + NEXT, <u32>start);
    put32(gap + INSIDE, <u32>start);
  }
  return true;
}

@inline export function rowStart(): usize {
  return start;
}

/** The link to the gap behind the value of `gap`. */
@inline export function linkBehind(gap: usize): usize {
  return gap + NEXT;
}

/** The link to the first gap inside the value of `gap`. */
@inline export function linkInside(gap: usize): usize {
  return gap + INSIDE;
}

@inline export function expectedGap(link: usize): usize {
  return <usize>get32(link);
}

@inline export function gapLength(gap: usize): usize {
  return <usize>get32(gap + LENGTH);
}

@inline export function gapColumn(gap: usize): usize {
  return <usize>get32(gap + COLUMN);
}

/** True when the bytes at `p` are this gap. */
@inline export function isGap(p: usize, gap: usize): bool {
  if (ASC_FEATURE_SIMD) {
    const mask = get32(gap + MASK);
    const first = <u32>i8x16.bitmask(i8x16.eq(getV(p), getV(gap)));
    if (gapLength(gap) <= 16) return (first & mask) == mask;
    const second = <u32>i8x16.bitmask(i8x16.eq(getV(p + 16), getV(gap + 16)));
    return ((first | (second << 16)) & mask) == mask;
  }
  const length = gapLength(gap);
  for (let i: usize = 0; i < length; i++) if (get8(p + i) != get8(gap + i)) return false;
  return length != 0;
}

/** The key that `readKey` read last, without its quotes. */
let key: usize = 0;
let keyLength: usize = 0;

/** Reads the key at `p` with its colon, up to the first byte of its value. */
export function readKey(p: usize): usize {
  if (get8(p) != QUOTE) return fail(SYNTAX, p);
  key = p + 1;
  p = skipString(p);
  if (!p) return 0;
  keyLength = p - 1 - key;
  p = skipSpace(p);
  return get8(p) == COLON ? skipSpace(p + 1) : fail(SYNTAX, p);
}

/** Keeps the gap [p, end), which ends with the key just read, and lets `link` lead to it. Returns it. */
export function learnGap(link: usize, p: usize, end: usize, nested: bool): usize {
  // With its quotes a key has two bytes or more, and a colon follows.
  const mixed = <u64>get32(key - 1) * 0x9e3779b97f4a7c15 + <u64>get32(key + keyLength - 2) * 0xc2b2ae3d27d4eb4f;
  const opens: usize = get8(p) == OPEN_OBJECT ? 1 : 0;
  const place = (((<usize>(mixed >> 40) + keyLength) << 1) | opens) % GAPS;
  const gap = start + (1 + place + (nested ? GAPS : 0)) * GAP_BYTES;
  const length = end - p;
  put32(link, <u32>gap);
  put32(gap + COLUMN, nested ? 0 : columnOfKey());
  if (length > LONGEST) {
    // Too long to be kept; what comes after it is learned all the same.
    put32(gap + LENGTH, 0);
    put32(gap + MASK, NEVER);
    return gap;
  }
  for (let i: usize = 0; i < LONGEST; i += 8) put64(gap + i, get64(p + i));
  put32(gap + LENGTH, <u32>length);
  put32(gap + MASK, length == LONGEST ? -1 : (1 << <u32>length) - 1);
  return gap;
}

/** The key column that the key just read names; 0: none. */
function columnOfKey(): u32 {
  const number = findKey(key, keyLength, findByte(key, key + keyLength, BACKSLASH) < key + keyLength);
  return number < 0 ? 0 : <u32>keyColumn(<u32>number);
}
