// Finding newlines.
import { get8, getV } from './access';
import { NEWLINE } from './json-token';

@inline function newlineBytes(p: usize): u32 {
  return <u32>i8x16.bitmask(i8x16.eq(getV(p), i8x16.splat(<i8>NEWLINE)));
}

/** The first newline from `p` on; there is one. */
export function findNewline(p: usize): usize {
  if (ASC_FEATURE_SIMD) {
    let found = newlineBytes(p);
    while (!found) {
      p += 16;
      found = newlineBytes(p);
    }
    return p + <usize>ctz(found);
  }
  while (get8(p) != NEWLINE) p++;
  return p;
}

/** Pointer behind the last newline in [from, to); `from` when there is none. */
export function findLastNewline(from: usize, to: usize): usize {
  if (ASC_FEATURE_SIMD) {
    while (to >= from + 16) {
      const found = newlineBytes(to - 16);
      if (found) return to - <usize>clz(found) + 16;
      to -= 16;
    }
  }
  while (to > from && get8(to - 1) != NEWLINE) to--;
  return to;
}
