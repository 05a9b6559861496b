// The shape of the rows, learned while they are scanned.
//
// Rows of one source look alike. What stands between one member's value and the next, say `,"magnitude":`, is called a *gap*.
// A gap that was checked once is kept, with the key column that its key names, and with the gap that came after it last time.
// In the next row, one comparison of 16 or 32 bytes with the expected gap replaces finding and checking comma, quotes, key,
// colon and white space, and looking the key up. A wrong guess costs nothing but the comparison: the gap is then read byte by
// byte and takes its place here.
//
// Gaps live in a direct-mapped table: its place follows from the key, and a newcomer overwrites. Nothing depends on what
// happens to be in it, since text is always compared.
import { alloc } from './arena';
import { fill, get32, get64, get8, getV, put32, put64 } from './access';

// A gap: text[32], u32 mask of its bytes, u32 length, u32 key column (0: none wants it), u32 expected next gap.
const GAP_BYTES: usize = 64;
const MASK: usize = 32;
const LENGTH: usize = 36;
const COLUMN: usize = 40;
const NEXT: usize = 44;
const LONGEST: usize = 32;
const GAPS: usize = 256;
/** No 16 bytes have this bit: a gap with this mask is never met. */
const NEVER: u32 = 0x10000;

/** Stands before a row's first gap. */
let start: usize = 0;

/** Takes room for the gaps and forgets all; false when the arena is full. */
export function openShape(): bool {
  start = alloc((GAPS + 1) * GAP_BYTES);
  if (!start) return false;
  fill(start, 0, (GAPS + 1) * GAP_BYTES);
  for (let gap = start; gap <= start + GAPS * GAP_BYTES; gap += GAP_BYTES) {
    put32(gap + MASK, NEVER);
    put32(gap + NEXT, <u32>start);
  }
  return true;
}

@inline export function rowStart(): usize {
  return start;
}

@inline export function expectedAfter(gap: usize): usize {
  return <usize>get32(gap + NEXT);
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

/** Keeps the checked gap [p, end) that came after `before`, and returns it. Its key is the `keyLength` bytes at `key`. */
export function learnGap(before: usize, p: usize, end: usize, key: usize, keyLength: usize, column: usize): usize {
  // With its quotes a key has two bytes or more, and a colon follows.
  const mixed = <u64>get32(key - 1) * 0x9e3779b97f4a7c15 + <u64>get32(key + keyLength - 2) * 0xc2b2ae3d27d4eb4f;
  const gap = start + (1 + (<usize>(mixed >> 40) + keyLength) % GAPS) * GAP_BYTES;
  const length = end - p;
  put32(before + NEXT, <u32>gap);
  put32(gap + COLUMN, <u32>column);
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
