// Bytes of a column that is declared so: base64 text, or a list of integers from 0 to 255.
import { get8, put8 } from './access';
import { INTEGER, LIST, STRING } from './convert';
import { GOOD, integerValue, readInteger } from './convert-number';
import { findBackslash, skipSpace, skipValue, tokenKind } from './text';

const ALPHABET_PAD: u32 = 0x3d;

/** 0 to 63, or 64 for a byte outside the alphabet. */
function sextet(c: u32): u32 {
  if (c - 0x41 < 26) return c - 0x41;
  if (c - 0x61 < 26) return c - 0x61 + 26;
  if (c - 0x30 < 10) return c - 0x30 + 52;
  return c == 0x2b ? 62 : c == 0x2f ? 63 : 64;
}

@inline function letter(value: u32): u32 {
  if (value < 26) return 0x41 + value;
  if (value < 52) return 0x61 + value - 26;
  if (value < 62) return 0x30 + value - 52;
  return value == 62 ? 0x2b : 0x2f;
}

/** How many bytes the value stands for; -1 when it is neither base64 nor a list of bytes. */
export function decodedBytes(kind: u32, p: usize, end: usize): i32 {
  if (kind == LIST) return bytesInList(p, end);
  if (kind == STRING) {
    p++;
    end--;
    // An escaped slash is the only escape that base64 could hold; nobody writes it.
    if (findBackslash(p, end) != end) return -1;
  }
  while (end > p && get8(end - 1) == ALPHABET_PAD) end--;
  const length = end - p;
  if ((length & 3) == 1) return -1;
  for (; p < end; p++) if (sextet(get8(p)) == 64) return -1;
  return <i32>((length * 3) >> 2);
}

function bytesInList(p: usize, end: usize): i32 {
  let count = 0;
  p = skipSpace(p + 1);
  while (p < end && get8(p) != 0x5d) {
    const value = p;
    p = skipValue(p, end);
    if (tokenKind(value, p) != INTEGER || readInteger(value, p) != GOOD || <u64>integerValue > 255) return -1;
    count++;
    p = skipSpace(p);
    if (get8(p) == 0x2c) p = skipSpace(p + 1);
  }
  return count;
}

/** Writes them; the value was found good by `decodedBytes`. */
export function writeBytesOf(kind: u32, p: usize, end: usize, out: usize): void {
  if (kind == LIST) {
    p = skipSpace(p + 1);
    while (p < end && get8(p) != 0x5d) {
      const value = p;
      p = skipValue(p, end);
      readInteger(value, p);
      put8(out++, <u32>integerValue);
      p = skipSpace(p);
      if (get8(p) == 0x2c) p = skipSpace(p + 1);
    }
    return;
  }
  if (kind == STRING) {
    p++;
    end--;
  }
  let bits: u32 = 0;
  let have: u32 = 0;
  for (; p < end && get8(p) != ALPHABET_PAD; p++) {
    bits = (bits << 6) | sextet(get8(p));
    have += 6;
    if (have >= 8) {
      have -= 8;
      put8(out++, (bits >> have) & 0xff);
    }
  }
}

/** Writes `length` bytes as base64 with padding; returns the pointer behind. */
export function writeBase64(p: usize, length: usize, out: usize): usize {
  const end = p + length;
  for (; p + 3 <= end; p += 3) {
    const bits = (get8(p) << 16) | (get8(p + 1) << 8) | get8(p + 2);
    put8(out, letter(bits >> 18));
    put8(out + 1, letter((bits >> 12) & 63));
    put8(out + 2, letter((bits >> 6) & 63));
    put8(out + 3, letter(bits & 63));
    out += 4;
  }
  if (p == end) return out;
  const two = p + 2 == end;
  const bits = (get8(p) << 16) | (two ? get8(p + 1) << 8 : 0);
  put8(out, letter(bits >> 18));
  put8(out + 1, letter((bits >> 12) & 63));
  put8(out + 2, two ? letter((bits >> 6) & 63) : ALPHABET_PAD);
  put8(out + 3, ALPHABET_PAD);
  return out + 4;
}
