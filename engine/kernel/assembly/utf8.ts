// UTF-8 as the Encoding Standard has it: no over-long forms, no surrogates, nothing above U+10FFFF.
//
// 16 bytes at a time by the method of Keiser and Lemire ("Validating UTF-8 in less than one instruction per byte", 2020): every
// mistake shows in two bytes that follow each other, so three tables tell for the high and the low half of the first byte and
// for the high half of the second which mistakes are possible; what all three allow has happened.
import { get8, getV } from './access';

const TOO_SHORT: i8 = 1;
const TOO_LONG: i8 = 1 << 1;
const OVERLONG_3: i8 = 1 << 2;
const TOO_LARGE: i8 = 1 << 3;
const SURROGATE: i8 = 1 << 4;
const OVERLONG_2: i8 = 1 << 5;
/** Above U+10FFFF with a second byte of 0x80 to 0x8f, or an over-long form of four bytes. */
const TOO_LARGE_OR_OVERLONG_4: i8 = 1 << 6;
/** Two continuation bytes: right in the third and fourth byte of a sequence only. */
const TWO_CONTINUATIONS: i8 = <i8>0x80;
const ANYWAY: i8 = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS;
const LARGE: i8 = ANYWAY | TOO_LARGE | TOO_LARGE_OR_OVERLONG_4;

@inline function mistakesByFirstHigh(halves: v128): v128 {
  return i8x16.swizzle(
    i8x16(
      TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
      TWO_CONTINUATIONS, TWO_CONTINUATIONS, TWO_CONTINUATIONS, TWO_CONTINUATIONS,
      TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | TOO_LARGE_OR_OVERLONG_4,
    ),
    halves,
  );
}

@inline function mistakesByFirstLow(halves: v128): v128 {
  return i8x16.swizzle(
    i8x16(
      ANYWAY | OVERLONG_3 | OVERLONG_2 | TOO_LARGE_OR_OVERLONG_4, ANYWAY | OVERLONG_2, ANYWAY, ANYWAY,
      ANYWAY | TOO_LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE | SURROGATE, LARGE, LARGE,
    ),
    halves,
  );
}

@inline function mistakesBySecondHigh(halves: v128): v128 {
  return i8x16.swizzle(
    i8x16(
      TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
      TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE_OR_OVERLONG_4,
      TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE,
      TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
      TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
      TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
    ),
    halves,
  );
}

/**
 * True when a mistake shows in the 16 bytes `block`, which follow the 16 bytes `before`. A sequence that the end of the block
 * cuts shows in the next block.
 */
@inline export function isBadUtf8(block: v128, before: v128): bool {
  const first = i8x16.shuffle(before, block, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
  const mistakes = v128.and(
    v128.and(mistakesByFirstHigh(i8x16.shr_u(first, 4)), mistakesByFirstLow(v128.and(first, i8x16.splat(0x0f)))),
    mistakesBySecondHigh(i8x16.shr_u(block, 4)),
  );
  // The third byte of a sequence of three and the third and fourth of four: there two continuations must be.
  const second = i8x16.shuffle(before, block, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
  const third = i8x16.shuffle(before, block, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
  const due = v128.or(
    i8x16.sub_sat_u(second, i8x16.splat(<i8>(0xe0 - 0x80))),
    i8x16.sub_sat_u(third, i8x16.splat(<i8>(0xf0 - 0x80))),
  );
  return v128.any_true(v128.xor(v128.and(due, i8x16.splat(<i8>0x80)), mistakes));
}

/** The first `count` bytes of a block; the others become 0, which is ASCII. */
@inline export function firstBytes(block: v128, count: i32): v128 {
  return v128.and(block, i8x16.lt_s(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(<i8>count)));
}

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

/** The first byte in [p, end) that begins no valid sequence; `end` when there is none. */
export function findBadUtf8(p: usize, end: usize): usize {
  if (ASC_FEATURE_SIMD) if (!holdsBadUtf8(p, end)) return end;
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

function holdsBadUtf8(p: usize, end: usize): bool {
  let before = i8x16.splat(0);
  while (p + 16 <= end) {
    const block = getV(p);
    if (isBadUtf8(block, before)) return true;
    before = block;
    p += 16;
  }
  return isBadUtf8(firstBytes(getV(p), <i32>(end - p)), before);
}
