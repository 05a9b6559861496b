// UTF-8 as the Encoding Standard has it: no over-long forms, no surrogates, nothing above U+10FFFF.
import { get8 } from './access';

@inline function continues(c: u32): bool {
  return (c & 0xc0) == 0x80;
}

/** Length of the sequence of two or more bytes at `p`; 0 when it is not valid. Reads no further than its first bad byte. */
export function sequenceLength(p: usize): usize {
  const lead = get8(p);
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const second = get8(p + 1);
  if (!continues(second)) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) {
    if (lead == 0xe0 && second < 0xa0) return 0;
    if (lead == 0xed && second > 0x9f) return 0;
    return continues(get8(p + 2)) ? 3 : 0;
  }
  if (lead == 0xf0 && second < 0x90) return 0;
  if (lead == 0xf4 && second > 0x8f) return 0;
  return continues(get8(p + 2)) && continues(get8(p + 3)) ? 4 : 0;
}

/** The first byte in [p, end) that is not valid UTF-8; `end` when all are. */
export function findBadUtf8(p: usize, end: usize): usize {
  while (p < end) {
    if (get8(p) < 0x80) {
      p++;
      continue;
    }
    const length = sequenceLength(p);
    if (!length || p + length > end) return p;
    p += length;
  }
  return end;
}
