// New columns: values of functions become JSON tokens, so that everything behind sees one kind of column.
import { copy, get16, get32, get64, get8, getF64, put32, put8 } from './access';
import { kindAt, word } from './columns-read';
import { FALSE, FLOAT, INTEGER, NULL, RAW, SAME, STRING, TRUE, convert, convertRoom, convertedEnd, convertedKind, convertedStart } from './convert';
import { GOOD, writeFloat, writeInteger, writeUnsigned } from './convert-number';
import { findByte, skipString, tokenKind } from './text';

/** Of the last function below that says so: pointer behind the bytes that it wrote. */
let writtenEnd: usize = 0;
export function written(): usize {
  return writtenEnd;
}

@inline
export function putToken(starts: usize, ends: usize, kinds: usize, row: usize, start: usize, end: usize, kind: u32): void {
  put32(starts + (row << 2), <u32>start);
  put32(ends + (row << 2), <u32>end);
  put8(kinds + row, kind);
}

/** 1: a value, 0: the column is left out of the row, 2: null. No array: values everywhere. */
@inline
function validity(valid: usize, row: usize): u32 {
  return valid ? get8(valid + row) : 1;
}

/** Absent or null, as `validity` says. A null's token is the four bytes at `nullToken`. */
@inline
function putNothing(starts: usize, ends: usize, kinds: usize, row: usize, valid: u32, nullToken: usize): void {
  if (valid == 2) putToken(starts, ends, kinds, row, nullToken, nullToken + 4, NULL);
  else putToken(starts, ends, kinds, row, 0, 0, 0);
}

/** Integers as tokens; 20 bytes of `out` for each row. */
export function fillIntegers(
  rows: usize, n: u32, values: usize, valid: usize, nullToken: usize, starts: usize, ends: usize, kinds: usize, out: usize,
): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    const state = validity(valid, row);
    if (state == 1) {
      const end = writeInteger(get64(values + (row << 3)), out);
      putToken(starts, ends, kinds, row, out, end, INTEGER);
      out = end;
    } else putNothing(starts, ends, kinds, row, state, nullToken);
  }
  writtenEnd = out;
}

/**
 * Doubles as tokens; 32 bytes of `out` for each row. Rows that it cannot spell (long, very large or small, not finite) get kind
 * FLOAT with an empty range; returns how many.
 */
export function fillFloats(
  rows: usize, n: u32, values: usize, valid: usize, nullToken: usize, starts: usize, ends: usize, kinds: usize, out: usize,
): u32 {
  let left: u32 = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    const state = validity(valid, row);
    if (state != 1) {
      putNothing(starts, ends, kinds, row, state, nullToken);
      continue;
    }
    const end = writeFloat(getF64(values + (row << 3)), out);
    if (end == out) left++;
    putToken(starts, ends, kinds, row, out, end, end == out ? FLOAT : tokenKind(out, end));
    out = end;
  }
  writtenEnd = out;
  return left;
}

/** Booleans; `words` points to `truefalsenull`. */
export function fillBooleans(
  rows: usize, n: u32, values: usize, valid: usize, words: usize, starts: usize, ends: usize, kinds: usize,
): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    const state = validity(valid, row);
    if (state != 1) putNothing(starts, ends, kinds, row, state, words + 9);
    else if (get8(values + row)) putToken(starts, ends, kinds, row, words, words + 4, TRUE);
    else putToken(starts, ends, kinds, row, words + 4, words + 9, FALSE);
  }
}

/**
 * One of `count` tokens per row. `entries`: for each, u32 start, u32 end, u32 kind. `width`: bytes of an index (0: always entry 0).
 * Returns -1, or the row whose index is too large.
 */
export function fillIndexed(
  rows: usize, n: u32, indexes: usize, width: u32, entries: usize, count: u32, valid: usize, nullToken: usize,
  starts: usize, ends: usize, kinds: usize,
): i32 {
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    const state = validity(valid, row);
    if (state != 1) {
      putNothing(starts, ends, kinds, row, state, nullToken);
      continue;
    }
    let index: u32 = 0;
    if (width == 1) index = get8(indexes + row);
    else if (width == 2) index = get16(indexes + (row << 1));
    else if (width == 4) index = get32(indexes + (row << 2));
    if (index >= count) return <i32>row;
    const entry = entries + <usize>index * 12;
    putToken(starts, ends, kinds, row, get32(entry), get32(entry + 4), get32(entry + 8));
  }
  return -1;
}

/** Splits a JSON list of strings and nulls at `p` into tokens, one per row in turn. `p`: behind the `[`. */
export function fillListed(rows: usize, n: u32, p: usize, end: usize, starts: usize, ends: usize, kinds: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const string = get8(p) == 0x22;
    const stop = string ? skipString(p, end) : p + 4;
    putToken(starts, ends, kinds, word(rows, i), p, stop, string ? STRING : NULL);
    p = stop + 1;
  }
}

/** Splits JSON texts, each ended by a line feed, into tokens, one per row in turn; an empty one leaves the row without. Returns how many it found. */
export function fillLines(rows: usize, n: u32, p: usize, end: usize, starts: usize, ends: usize, kinds: usize): u32 {
  let i: usize = 0;
  while (p < end && i < <usize>n) {
    const stop = findByte(p, end, 0x0a);
    let from = p;
    while (from < stop && get8(from) <= 0x20) from++;
    let to = stop;
    while (to > from && get8(to - 1) <= 0x20) to--;
    if (from == to) putToken(starts, ends, kinds, word(rows, i), 0, 0, 0);
    else putToken(starts, ends, kinds, word(rows, i), from, to, tokenKind(from, to));
    i++;
    p = stop + 1;
  }
  return p < end ? n + 1 : <u32>i;
}

/**
 * `_ppf_id` of `size` rows: a quote, the `prefix` (escaped for JSON), `base` + (row's start - `origin`), a quote.
 * `prefixLength` + 22 bytes of `out` for each row.
 */
export function fillIds(
  rowStarts: usize, size: u32, origin: usize, base: f64, prefix: usize, prefixLength: usize,
  starts: usize, ends: usize, kinds: usize, out: usize,
): void {
  for (let row: usize = 0; row < <usize>size; row++) {
    const start = out;
    put8(out++, 0x22);
    copy(out, prefix, prefixLength);
    out = writeUnsigned(<u64>base + <u64>(word(rowStarts, row) - origin), out + prefixLength);
    put8(out++, 0x22);
    putToken(starts, ends, kinds, row, start, out, STRING);
  }
  writtenEnd = out;
}

/** The same with a number for each row: `positions` points to doubles. */
export function fillPositionIds(
  positions: usize, size: u32, prefix: usize, prefixLength: usize, starts: usize, ends: usize, kinds: usize, out: usize,
): void {
  for (let row: usize = 0; row < <usize>size; row++) {
    const start = out;
    put8(out++, 0x22);
    copy(out, prefix, prefixLength);
    out = writeUnsigned(<u64>getF64(positions + (row << 3)), out + prefixLength);
    put8(out++, 0x22);
    putToken(starts, ends, kinds, row, start, out, STRING);
  }
  writtenEnd = out;
}

/** Column `a`, and where a row has none, column `b`. The result may lie over either. */
export function mergeColumns(
  size: u32, aStarts: usize, aEnds: usize, aKinds: usize, bStarts: usize, bEnds: usize, bKinds: usize,
  starts: usize, ends: usize, kinds: usize,
): void {
  for (let row: usize = 0; row < <usize>size; row++) {
    if (kindAt(aKinds, row)) putToken(starts, ends, kinds, row, word(aStarts, row), word(aEnds, row), kindAt(aKinds, row));
    else putToken(starts, ends, kinds, row, word(bStarts, row), word(bEnds, row), kindAt(bKinds, row));
  }
}

/** How many of the rows have a token that is not certain to be right for `type` as it stands. */
export function countDoubtful(starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, type: u32): u32 {
  let doubtful: u32 = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    if (isDoubtful(type, kindAt(kinds, row), word(ends, row) - word(starts, row))) doubtful++;
  }
  return doubtful;
}

/** A cheap first answer by kind and length; `convert` decides. */
@inline
function isDoubtful(type: u32, kind: u32, length: usize): bool {
  if (type == 0 || kind == 0 || kind == NULL) return false;
  if (type == 1) return kind != STRING && kind != RAW;
  if (type == 2) return kind != INTEGER || length > 18;
  if (type == 3) return kind != INTEGER || length >= 300;
  if (type == 4) return kind != TRUE && kind != FALSE;
  return true;
}

/**
 * Converts the tokens of rows[from..n) to `type`, in place in the column's arrays (a copy that may be changed); new tokens go to
 * [out, outEnd). A verdict that refuses stands in `status`, 0 where all is well. Returns the index of the first row that was not done
 * because there was no room for it; `written()` says where the bytes end.
 */
export function convertColumn(
  starts: usize, ends: usize, kinds: usize, rows: usize, from: u32, n: u32, type: u32, status: usize, out: usize, outEnd: usize,
): u32 {
  let i = <usize>from;
  for (; i < <usize>n; i++) {
    const row = word(rows, i);
    const kind = kindAt(kinds, row);
    const start = word(starts, row);
    const end = word(ends, row);
    put8(status + row, 0);
    if (!isDoubtful(type, kind, end - start)) continue;
    if (convertRoom(end - start) > outEnd - out) break;
    const verdict = convert(type, kind, start, end, out);
    if (verdict == GOOD) {
      putToken(starts, ends, kinds, row, convertedStart, convertedEnd, convertedKind);
      if (convertedStart == out) out = convertedEnd;
    } else if (verdict != SAME) put8(status + row, verdict);
  }
  writtenEnd = out;
  return <u32>i;
}

/** Room that row number rows[index] of a column wants in {@link convertColumn}. */
export function roomToConvert(starts: usize, ends: usize, rows: usize, index: u32): usize {
  const row = word(rows, <usize>index);
  return convertRoom(word(ends, row) - word(starts, row));
}
