// The tokens of JSON. Every function here starts at a token's first byte, checks all of it, and returns the pointer behind it
// (0: bad, see failure.ts).
//
// None of them needs to know where the input ends: a newline always ends a row, no token holds one, and the scan only looks at
// rows that have one. They may read up to 32 bytes beyond it.
import { get32, get8, getV } from './access';
import { BAD_ESCAPE, BAD_SCALAR, BAD_UTF8, CONTROL, OPEN_STRING, SYNTAX, fail } from './failure';
import { findBadUtf8, firstBytes, isBadUtf8, sequenceLength } from './utf8';

export const NEWLINE: u32 = 0x0a;
export const RETURN: u32 = 0x0d;
export const SPACE: u32 = 0x20;
export const QUOTE: u32 = 0x22;
export const PLUS: u32 = 0x2b;
export const COMMA: u32 = 0x2c;
export const MINUS: u32 = 0x2d;
export const DOT: u32 = 0x2e;
export const ZERO: u32 = 0x30;
export const COLON: u32 = 0x3a;
export const OPEN_LIST: u32 = 0x5b;
export const BACKSLASH: u32 = 0x5c;
export const CLOSE_LIST: u32 = 0x5d;
export const OPEN_OBJECT: u32 = 0x7b;
export const CLOSE_OBJECT: u32 = 0x7d;

/** ValueKind of src/batch/batch.ts. */
export const KIND_STRING: u32 = 1;
export const KIND_INTEGER: u32 = 2;
export const KIND_FLOAT: u32 = 3;
export const KIND_TRUE: u32 = 4;
export const KIND_FALSE: u32 = 5;
export const KIND_NULL: u32 = 6;
export const KIND_OBJECT: u32 = 7;
export const KIND_LIST: u32 = 8;

let kind: u32 = 0;

/** Kind of the last number or literal that was skipped. */
@inline export function scalarKind(): u32 {
  return kind;
}

/** Skips white space but the newline, which ends the row. */
@inline export function skipSpace(p: usize): usize {
  return get8(p) > SPACE ? p : skipSomeSpace(p);
}

function skipSomeSpace(p: usize): usize {
  let c = get8(p);
  while (c == SPACE || c == 0x09 || c == RETURN) c = get8(++p);
  return p;
}

@inline export function isDigit(c: u32): bool {
  return c - ZERO < 10;
}

/** A byte that numbers and literals are made of. */
export function isWord(c: u32): bool {
  return isDigit(c) || (c | 0x20) - 0x61 < 26 || c == DOT || c == MINUS || c == PLUS;
}

/** One bit for each of 16 bytes that ends a string or needs a look: quote, backslash, control character, not ASCII. */
@inline function specialBytes(p: usize): i32 {
  const v = getV(p);
  const quote = i8x16.eq(v, i8x16.splat(<i8>QUOTE));
  const backslash = i8x16.eq(v, i8x16.splat(<i8>BACKSLASH));
  // As signed bytes, those that are not ASCII are below 0x20 too.
  return i8x16.bitmask(v128.or(v128.or(quote, backslash), i8x16.lt_s(v, i8x16.splat(0x20))));
}

/** The same without those that are not ASCII. */
@inline function stopBytes(v: v128): i32 {
  const quote = i8x16.eq(v, i8x16.splat(<i8>QUOTE));
  const backslash = i8x16.eq(v, i8x16.splat(<i8>BACKSLASH));
  return i8x16.bitmask(v128.or(v128.or(quote, backslash), i8x16.lt_u(v, i8x16.splat(0x20))));
}

/** A string; `p` is its opening quote. */
@inline export function skipString(p: usize): usize {
  p++;
  if (ASC_FEATURE_SIMD) {
    const special = specialBytes(p);
    if (special) {
      p += <usize>ctz(special);
      if (get8(p) == QUOTE) return p + 1;
    } else {
      p += 16;
    }
  }
  return skipLongString(p);
}

/** The rest of a string from any byte inside it. */
function skipLongString(p: usize): usize {
  while (true) {
    if (ASC_FEATURE_SIMD) {
      let special = specialBytes(p);
      while (!special) {
        p += 16;
        special = specialBytes(p);
      }
      p += <usize>ctz(special);
    }
    const c = get8(p);
    if (c == QUOTE) return p + 1;
    if (c == BACKSLASH) {
      p = skipEscape(p);
    } else if (c >= 0x80) {
      p = skipWide(p);
    } else if (c < SPACE) {
      p = fail(c == NEWLINE ? OPEN_STRING : CONTROL, p);
    } else {
      p++;
    }
    if (!p) return 0;
  }
}

/** Text inside a string from a byte that is not ASCII on, at least one sequence. */
function skipWide(p: usize): usize {
  if (!ASC_FEATURE_SIMD) {
    const length = sequenceLength(p);
    return length ? p + length : fail(BAD_UTF8, p);
  }
  const start = p;
  let before = i8x16.splat(0);
  let block = getV(p);
  let stops = stopBytes(block);
  while (!stops) {
    if (isBadUtf8(block, before)) return fail(BAD_UTF8, findBadUtf8(start, p + 16));
    before = block;
    p += 16;
    block = getV(p);
    stops = stopBytes(block);
  }
  const length = ctz(stops);
  p += <usize>length;
  return isBadUtf8(firstBytes(block, length), before) ? fail(BAD_UTF8, findBadUtf8(start, p)) : p;
}

@inline function isHex(c: u32): bool {
  return isDigit(c) || (c | 0x20) - 0x61 < 6;
}

/** An escape; `p` is its backslash. A lone surrogate is accepted, as JSON.parse does. */
function skipEscape(p: usize): usize {
  switch (get8(p + 1)) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return p + 2;
    case 0x75: // u
      if (isHex(get8(p + 2)) && isHex(get8(p + 3)) && isHex(get8(p + 4)) && isHex(get8(p + 5))) return p + 6;
  }
  return fail(BAD_ESCAPE, p);
}

/** One bit for each of 16 bytes that is a digit: moved to the lowest signed bytes, so that one signed comparison tells. */
@inline function digitBytes(p: usize): u32 {
  return <u32>i8x16.bitmask(i8x16.lt_s(i8x16.add(getV(p), i8x16.splat(<i8>(0x80 - ZERO))), i8x16.splat(-128 + 10)));
}

function skipDigits(p: usize): usize {
  if (ASC_FEATURE_SIMD) {
    let count = ctz(~digitBytes(p));
    while (count == 16) {
      p += 16;
      count = ctz(~digitBytes(p));
    }
    return p + <usize>count;
  }
  while (isDigit(get8(p))) p++;
  return p;
}

/** A number; what follows it is not looked at. */
@inline export function skipNumber(p: usize): usize {
  if (ASC_FEATURE_SIMD) {
    // A number of up to 15 bytes without exponent: all its digits are told by one comparison.
    const digits = digitBytes(p);
    const minus: u32 = u32(get8(p) == MINUS);
    const whole = ctz(~(digits >> minus));
    let length = minus + whole;
    if (whole && (whole == 1 || get8(p + <usize>minus) != ZERO)) {
      kind = KIND_INTEGER;
      if (get8(p + <usize>length) == DOT) {
        const fraction = ctz(~(digits >> (length + 1)));
        length = fraction ? length + 1 + fraction : 16;
        kind = KIND_FLOAT;
      }
      if (length < 16 && (get8(p + <usize>length) | 0x20) != 0x65) return p + <usize>length;
    }
  }
  return skipAnyNumber(p);
}

function skipAnyNumber(p: usize): usize {
  const start = p;
  if (get8(p) == MINUS) p++;
  if (!isDigit(get8(p))) return fail(BAD_SCALAR, start);
  p = get8(p) == ZERO ? p + 1 : skipDigits(p);
  kind = KIND_INTEGER;
  if (get8(p) == DOT) {
    kind = KIND_FLOAT;
    if (!isDigit(get8(++p))) return fail(BAD_SCALAR, start);
    p = skipDigits(p);
  }
  if ((get8(p) | 0x20) == 0x65) {
    kind = KIND_FLOAT;
    p++;
    if (get8(p) == PLUS || get8(p) == MINUS) p++;
    if (!isDigit(get8(p))) return fail(BAD_SCALAR, start);
    p = skipDigits(p);
  }
  return p;
}

/** true, false or null; what follows it is not looked at. */
@inline export function skipLiteral(p: usize): usize {
  const word = get32(p);
  if (word == 0x65757274) {
    kind = KIND_TRUE;
    return p + 4;
  }
  if (word == 0x736c6166 && get8(p + 4) == 0x65) {
    kind = KIND_FALSE;
    return p + 5;
  }
  if (word == 0x6c6c756e) {
    kind = KIND_NULL;
    return p + 4;
  }
  return fail(isWord(get8(p)) ? BAD_SCALAR : SYNTAX, p);
}
