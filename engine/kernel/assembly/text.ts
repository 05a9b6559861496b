// Text of string values, read and written byte by byte or 16 bytes at a time.
//
// A text is a range of UTF-8 bytes, either raw, or as it stands between the quotes of a JSON string (then it may hold
// escapes). Nothing here copies a text only to look at it: escapes are decoded one at a time into globals, which belong to
// one kernel instance.
import { copy, get32, get8, getV, put32, put8, putV } from './access';

export const QUOTE: u32 = 0x22;
export const BACKSLASH: u32 = 0x5c;

/** The last escape decoded: its UTF-8 bytes (first byte lowest), how many they are, and the pointer behind the escape. */
export let escapeBytes: u32 = 0;
export let escapeLength: u32 = 0;
export let escapeEnd: usize = 0;

/** First `"` or `\` in [p, end), else `end`. */
export function findQuoteOrBackslash(p: usize, end: usize): usize {
  if (ASC_FEATURE_SIMD) {
    while (p + 16 <= end) {
      const v = getV(p);
      const mask = i8x16.bitmask(
        v128.or(i8x16.eq(v, i8x16.splat(<i8>QUOTE)), i8x16.eq(v, i8x16.splat(<i8>BACKSLASH))),
      );
      if (mask) return p + <usize>ctz(mask);
      p += 16;
    }
  }
  while (p < end) {
    const c = get8(p);
    if (c == QUOTE || c == BACKSLASH) return p;
    p++;
  }
  return end;
}

/** First `\` in [p, end), else `end`. */
export function findBackslash(p: usize, end: usize): usize {
  return findByte(p, end, BACKSLASH);
}

/** First byte `c` in [p, end), else `end`. */
export function findByte(p: usize, end: usize, c: u32): usize {
  if (ASC_FEATURE_SIMD) {
    while (p + 16 <= end) {
      const mask = i8x16.bitmask(i8x16.eq(getV(p), i8x16.splat(<i8>c)));
      if (mask) return p + <usize>ctz(mask);
      p += 16;
    }
  }
  while (p < end) {
    if (get8(p) == c) return p;
    p++;
  }
  return end;
}

function hexDigit(c: u32): u32 {
  return c < 0x3a ? c - 0x30 : (c | 0x20) - 0x57;
}

function hex4(p: usize): u32 {
  return (hexDigit(get8(p)) << 12) | (hexDigit(get8(p + 1)) << 8) | (hexDigit(get8(p + 2)) << 4) | hexDigit(get8(p + 3));
}

/** Decodes the (valid) escape whose backslash is at `p`. A lone surrogate becomes U+FFFD. */
export function decodeEscape(p: usize, end: usize): void {
  const c = get8(p + 1);
  escapeEnd = p + 2;
  escapeLength = 1;
  if (c != 0x75) {
    if (c == 0x6e) escapeBytes = 0x0a;
    else if (c == 0x74) escapeBytes = 0x09;
    else if (c == 0x72) escapeBytes = 0x0d;
    else if (c == 0x62) escapeBytes = 0x08;
    else if (c == 0x66) escapeBytes = 0x0c;
    else escapeBytes = c;
    return;
  }
  let code = hex4(p + 2);
  escapeEnd = p + 6;
  if (code >= 0xd800 && code < 0xe000) {
    let paired = false;
    if (code < 0xdc00 && p + 12 <= end && get8(p + 6) == BACKSLASH && get8(p + 7) == 0x75) {
      const low = hex4(p + 8);
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        escapeEnd = p + 12;
        paired = true;
      }
    }
    if (!paired) code = 0xfffd;
  }
  if (code < 0x80) {
    escapeBytes = code;
  } else if (code < 0x800) {
    escapeLength = 2;
    escapeBytes = (0xc0 | (code >> 6)) | ((0x80 | (code & 63)) << 8);
  } else if (code < 0x10000) {
    escapeLength = 3;
    escapeBytes = (0xe0 | (code >> 12)) | ((0x80 | ((code >> 6) & 63)) << 8) | ((0x80 | (code & 63)) << 16);
  } else {
    escapeLength = 4;
    escapeBytes =
      (0xf0 | (code >> 18)) |
      ((0x80 | ((code >> 12) & 63)) << 8) |
      ((0x80 | ((code >> 6) & 63)) << 16) |
      ((0x80 | (code & 63)) << 24);
  }
}

/** Writes the text behind the escapes of [p, end) to `out` (never longer than the range); returns the pointer behind it. */
export function unescape(p: usize, end: usize, out: usize): usize {
  while (p < end) {
    const stop = findBackslash(p, end);
    copy(out, p, stop - p);
    out += stop - p;
    if (stop == end) break;
    decodeEscape(stop, end);
    for (let i: u32 = 0; i < escapeLength; i++) put8(out++, (escapeBytes >> (i << 3)) & 0xff);
    p = escapeEnd;
  }
  return out;
}

/** Length in bytes of what {@link unescape} would write. */
export function unescapedLength(p: usize, end: usize): usize {
  let length: usize = 0;
  while (p < end) {
    const stop = findBackslash(p, end);
    length += stop - p;
    if (stop == end) break;
    decodeEscape(stop, end);
    length += <usize>escapeLength;
    p = escapeEnd;
  }
  return length;
}

/** True when 16 bytes at `p` hold something that JSON wants escaped. */
@inline
function needsEscape16(v: v128): bool {
  return v128.any_true(
    v128.or(
      i8x16.lt_u(v, i8x16.splat(0x20)),
      v128.or(i8x16.eq(v, i8x16.splat(<i8>QUOTE)), i8x16.eq(v, i8x16.splat(<i8>BACKSLASH))),
    ),
  );
}

@inline
function shortEscape(c: u32): u32 {
  if (c == 0x0a) return 0x6e;
  if (c == 0x09) return 0x74;
  if (c == 0x0d) return 0x72;
  if (c == 0x08) return 0x62;
  if (c == 0x0c) return 0x66;
  return c >= 0x20 ? c : 0;
}

/** True when the text has at most 16 bytes and none that JSON wants escaped. Reads 16 bytes. */
@inline
export function isShortPlain(p: usize, length: usize): bool {
  if (ASC_FEATURE_SIMD) {
    if (length > 16) return false;
    const v = getV(p);
    const stops = v128.or(
      i8x16.lt_u(v, i8x16.splat(0x20)),
      v128.or(i8x16.eq(v, i8x16.splat(<i8>QUOTE)), i8x16.eq(v, i8x16.splat(<i8>BACKSLASH))),
    );
    return (<u32>i8x16.bitmask(stops) & ((<u32>1 << <u32>length) - 1)) == 0;
  }
  return false;
}

/** Writes raw text as the inside of a JSON string; at most six bytes for one. Returns the pointer behind it. */
export function escape(p: usize, end: usize, out: usize): usize {
  while (p < end) {
    if (ASC_FEATURE_SIMD) {
      const from = p;
      while (p + 16 <= end) {
        const v = getV(p);
        if (needsEscape16(v)) break;
        putV(out, v);
        p += 16;
        out += 16;
      }
      // The rest together with bytes that were written already.
      if (p != from && p + 16 > end) {
        const v = getV(end - 16);
        if (!needsEscape16(v)) {
          putV(out + (end - p) - 16, v);
          return out + (end - p);
        }
      }
    }
    const stop = p + 16 < end ? p + 16 : end;
    while (p < stop) {
      const c = get8(p++);
      if (c >= 0x20 && c != QUOTE && c != BACKSLASH) {
        put8(out++, c);
        continue;
      }
      const short = shortEscape(c);
      put8(out, BACKSLASH);
      if (short) {
        put8(out + 1, short);
        out += 2;
      } else {
        put32(out + 1, 0x30303075); // u000
        put8(out + 4, 0x30 + (c >> 4));
        put8(out + 5, (c & 15) < 10 ? 0x30 + (c & 15) : 0x57 + (c & 15));
        out += 6;
      }
    }
  }
  return out;
}

/** Length in bytes of what {@link escape} would write. */
export function escapedLength(p: usize, end: usize): usize {
  let length = end - p;
  while (p < end) {
    if (ASC_FEATURE_SIMD) {
      while (p + 16 <= end && !needsEscape16(getV(p))) p += 16;
    }
    const stop = p + 16 < end ? p + 16 : end;
    while (p < stop) {
      const c = get8(p++);
      if (c < 0x20) length += shortEscape(c) ? 1 : 5;
      else if (c == QUOTE || c == BACKSLASH) length++;
    }
  }
  return length;
}

/** True when both ranges hold the same `n` bytes. */
export function sameBytes(a: usize, b: usize, n: usize): bool {
  while (n >= 4) {
    if (get32(a) != get32(b)) return false;
    a += 4;
    b += 4;
    n -= 4;
  }
  while (n > 0) {
    if (get8(a) != get8(b)) return false;
    a++;
    b++;
    n--;
  }
  return true;
}

/** True when the text behind the escapes of [p, end) begins with the `n` raw bytes at `q`. */
function escapedBegins(p: usize, end: usize, q: usize, n: usize): bool {
  let i: usize = 0;
  while (i < n) {
    if (p >= end) return false;
    const c = get8(p);
    if (c != BACKSLASH) {
      if (c != get8(q + i)) return false;
      p++;
      i++;
      continue;
    }
    decodeEscape(p, end);
    for (let k: u32 = 0; k < escapeLength; k++) {
      if (i == n) return true;
      if (((escapeBytes >> (k << 3)) & 0xff) != get8(q + i)) return false;
      i++;
    }
    p = escapeEnd;
  }
  return true;
}

/** Compares text with `n` raw bytes at `q`, byte by byte (so: by code point). -1, 0 or 1. */
export function compareBytes(p: usize, end: usize, escaped: bool, q: usize, n: usize): i32 {
  const qEnd = q + n;
  while (p < end) {
    const c = get8(p);
    if (escaped && c == BACKSLASH) {
      decodeEscape(p, end);
      for (let k: u32 = 0; k < escapeLength; k++) {
        if (q == qEnd) return 1;
        const x = (escapeBytes >> (k << 3)) & 0xff;
        const y = get8(q++);
        if (x != y) return x < y ? -1 : 1;
      }
      p = escapeEnd;
      continue;
    }
    if (q == qEnd) return 1;
    const y = get8(q++);
    if (c != y) return c < y ? -1 : 1;
    p++;
  }
  return q == qEnd ? 0 : -1;
}

/** True when the text equals the `n` raw bytes at `q`. */
export function equalsBytes(p: usize, end: usize, escaped: bool, q: usize, n: usize): bool {
  const length = end - p;
  if (length == n && sameBytes(p, q, n)) return !escaped || findBackslash(p, end) == end;
  // An escape is longer than what it stands for.
  if (!escaped || length < n || findBackslash(p, end) == end) return false;
  return compareBytes(p, end, true, q, n) == 0;
}

/** True when the text begins with the `n` raw bytes at `q`. */
export function beginsWith(p: usize, end: usize, escaped: bool, q: usize, n: usize): bool {
  if (escaped && findBackslash(p, end) != end) return escapedBegins(p, end, q, n);
  return end - p >= n && sameBytes(p, q, n);
}

/** True when the text ends with the `n` raw bytes at `q`. */
export function endsWith(p: usize, end: usize, escaped: bool, q: usize, n: usize): bool {
  if (!escaped || findBackslash(p, end) == end) return end - p >= n && sameBytes(end - n, q, n);
  let left = unescapedLength(p, end);
  while (left > n) {
    if (get8(p) == BACKSLASH) {
      decodeEscape(p, end);
      left -= <usize>escapeLength;
      p = escapeEnd;
    } else {
      p++;
      left--;
    }
  }
  return left == n && escapedBegins(p, end, q, n);
}

/** True when the text holds the `n` raw bytes at `q`. */
export function holds(p: usize, end: usize, escaped: bool, q: usize, n: usize): bool {
  if (n == 0) return true;
  if (!escaped || findBackslash(p, end) == end) {
    const first = get8(q);
    while (p + n <= end) {
      p = findByte(p, end - n + 1, first);
      if (p + n > end) return false;
      if (sameBytes(p, q, n)) return true;
      p++;
    }
    return false;
  }
  while (p < end) {
    if (escapedBegins(p, end, q, n)) return true;
    if (get8(p) == BACKSLASH) {
      decodeEscape(p, end);
      p = escapeEnd;
    } else p++;
  }
  return false;
}

/** True when the text holds a line feed, escaped or not. */
export function holdsNewline(p: usize, end: usize, escaped: bool): bool {
  if (!escaped) return findByte(p, end, 0x0a) != end;
  while (true) {
    p = findBackslash(p, end);
    if (p == end) return false;
    decodeEscape(p, end);
    if (escapeLength == 1 && escapeBytes == 0x0a) return true;
    p = escapeEnd;
  }
}

/** Pointer behind the white space at `p`. */
@inline
export function skipSpace(p: usize): usize {
  while (true) {
    const c = get8(p);
    if (c != 0x20 && c != 0x09 && c != 0x0d && c != 0x0a) return p;
    p++;
  }
}

/** Pointer behind the closing quote of the (valid) JSON string whose opening quote is at `p`. */
export function skipString(p: usize, end: usize): usize {
  p++;
  while (p < end) {
    p = findQuoteOrBackslash(p, end);
    if (get8(p) == QUOTE) return p + 1;
    p += 2;
  }
  return end;
}

/** Pointer behind the (valid) JSON value at `p`. */
export function skipValue(p: usize, end: usize): usize {
  const first = get8(p);
  if (first == QUOTE) return skipString(p, end);
  if (first == 0x7b || first == 0x5b) {
    let depth = 0;
    while (p < end) {
      const c = get8(p);
      if (c == QUOTE) {
        p = skipString(p, end);
        continue;
      }
      p++;
      if (c == 0x7b || c == 0x5b) depth++;
      else if (c == 0x7d || c == 0x5d) {
        if (--depth == 0) return p;
      }
    }
    return end;
  }
  while (p < end) {
    const c = get8(p);
    if (c == 0x2c || c == 0x7d || c == 0x5d || c <= 0x20) return p;
    p++;
  }
  return end;
}

/** Kind (see kernel-abi.ts) of the JSON value in [p, end), told by its token. */
export function tokenKind(p: usize, end: usize): u32 {
  const c = get8(p);
  if (c == QUOTE) return 1;
  if (c == 0x74) return 4;
  if (c == 0x66) return 5;
  if (c == 0x6e) return 6;
  if (c == 0x7b) return 7;
  if (c == 0x5b) return 8;
  while (p < end) {
    const d = get8(p++);
    if (d == 0x2e || (d | 0x20) == 0x65) return 3;
  }
  return 2;
}
