// Typed reading of columns. A column is three arrays indexed by row: where its JSON token starts and ends, and its kind.
// All functions visit the `n` rows whose numbers stand at `rows`, and write arrays that are indexed by row.
import { get32, get8, getV, put64, put8, putF64 } from './access';
import { FLOAT, INTEGER, KIND, RAW, STRING, toBoolean, toFloat, toInteger } from './convert';
import { GOOD, compareIntegerWithFloat, floatValue, integerValue, readFloat, readInteger } from './convert-number';
import { beginsWith, compareBytes, endsWith, equalsBytes, findBackslash, holds } from './text';

@inline
export function word(array: usize, row: usize): usize {
  return <usize>get32(array + (row << 2));
}

@inline
export function kindAt(kinds: usize, row: usize): u32 {
  return get8(kinds + row) & KIND;
}

/** The kinds as functions see them: without the mark of duplicates, raw text as string. */
export function plainKinds(kinds: usize, size: usize, out: usize): void {
  for (let row: usize = 0; row < size; row++) {
    const kind = kindAt(kinds, row);
    put8(out + row, kind == RAW ? STRING : kind);
  }
}

/** 64-bit integers to `out`, a verdict per row to `status`; returns for how many rows it is not GOOD. */
export function readIntegers(starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, out: usize, status: usize): u32 {
  let others: u32 = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    const kind = kindAt(kinds, row);
    const p = word(starts, row);
    const end = word(ends, row);
    const verdict = kind == INTEGER ? readInteger(p, end) : toInteger(kind, p, end);
    put8(status + row, verdict);
    put64(out + (row << 3), verdict == GOOD ? integerValue : 0);
    if (verdict != GOOD) others++;
  }
  return others;
}

/** The same for doubles. */
export function readFloats(starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, out: usize, status: usize): u32 {
  let others: u32 = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    const verdict = toFloat(kindAt(kinds, row), word(starts, row), word(ends, row));
    put8(status + row, verdict);
    putF64(out + (row << 3), verdict == GOOD ? floatValue : 0);
    if (verdict != GOOD) others++;
  }
  return others;
}

/** The same for booleans, one byte each. */
export function readBooleans(starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, out: usize, status: usize): u32 {
  let others: u32 = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    const verdict = toBoolean(kindAt(kinds, row), word(starts, row), word(ends, row));
    put8(status + row, verdict);
    put8(out + row, verdict == GOOD ? <u32>integerValue : 0);
    if (verdict != GOOD) others++;
  }
  return others;
}

/** What a comparison leaves per row: 0 less, 1 equal, 2 greater, 3 not comparable, 4 ask TypeScript. */
const LESS: u32 = 0;
const NOT_COMPARABLE: u32 = 3;
const ASK_COMPARISON: u32 = 4;

/** Compares number tokens with `value`, integers exactly; returns how many rows TypeScript must be asked about. */
export function compareNumbers(starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, value: f64, out: usize): u32 {
  let asked: u32 = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    const kind = kindAt(kinds, row);
    let result = NOT_COMPARABLE;
    if (kind == INTEGER || kind == FLOAT) {
      const p = word(starts, row);
      const end = word(ends, row);
      if (kind == INTEGER && readInteger(p, end) == GOOD) {
        result = 1 + <u32>compareIntegerWithFloat(integerValue, value);
      } else if (readFloat(p, end) == GOOD) {
        result = floatValue < value ? LESS : floatValue > value ? 2 : 1;
      } else {
        result = ASK_COMPARISON;
        asked++;
      }
    }
    put8(out + row, result);
  }
  return asked;
}

/** Compares strings with the `length` bytes at `text`, by code point. */
export function compareTexts(
  starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, text: usize, length: usize, out: usize,
): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    const kind = kindAt(kinds, row);
    let result = NOT_COMPARABLE;
    if (kind == STRING) {
      const p = word(starts, row) + 1;
      const end = word(ends, row) - 1;
      result = 1 + <u32>compareBytes(p, end, findBackslash(p, end) != end, text, length);
    } else if (kind == RAW) result = 1 + <u32>compareBytes(word(starts, row), word(ends, row), false, text, length);
    put8(out + row, result);
  }
}

/** 1 where the string matches the `length` bytes at `text`. `how`: 0 equals, 1 begins with, 2 ends with, 3 holds. */
export function matchTexts(
  starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, how: u32, text: usize, length: usize, out: usize,
): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    const kind = kindAt(kinds, row);
    let result = false;
    if (kind == STRING || kind == RAW) {
      const escaped = kind == STRING;
      const p = word(starts, row) + (escaped ? 1 : 0);
      const end = word(ends, row) - (escaped ? 1 : 0);
      if (how == 0) result = equalsBytes(p, end, escaped, text, length);
      else if (how == 1) result = beginsWith(p, end, escaped, text, length);
      else if (how == 2) result = endsWith(p, end, escaped, text, length);
      else result = holds(p, end, escaped, text, length);
    }
    put8(out + row, result ? 1 : 0);
  }
}

/** 1 when a row has a value in the column. */
export function anyKind(kinds: usize, size: usize): u32 {
  let p = kinds;
  const end = kinds + size;
  if (ASC_FEATURE_SIMD) {
    for (; p + 16 <= end; p += 16) if (v128.any_true(getV(p))) return 1;
  }
  for (; p < end; p++) if (get8(p)) return 1;
  return 0;
}
