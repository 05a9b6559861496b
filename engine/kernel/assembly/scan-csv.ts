// CSV as RFC 4180 has it, with any separator of one byte. Rows end with a line feed (or a return and a line feed) outside of quotes.
//
// A quote opens a field only at its first byte; inside a quoted field two quotes stand for one, and the closing one is followed by
// a separator or the end of the row. What breaks these rules costs the line on which its row begins: the scan goes on behind the
// first line feed, whatever the quotes say, so that a stray quote cannot swallow the rows behind it. A quote that is never closed
// is known as such at the end of the input only.
//
// An empty field without quotes is absent, "" is an empty string. A blank line is no row.
import { GUARD, copy, declareInput, get8, getV, put32, put8 } from './access';
import { alloc } from './arena';
import { RAW } from './convert';
import { BAD_UTF8 } from './failure';
import { NEWLINE, QUOTE, RETURN } from './json-token';
import { findLastNewline } from './newline';
import { closeTable, keyColumn, openTable, putBadRow, putGoodRow, tableCap } from './row-table';
import { findByte } from './text';
import { findBadUtf8 } from './utf8';

/** The codes of `rowErrors` in src/batch/kernel-abi.ts. */
const BARE_QUOTE: u32 = 32;
const BEHIND_QUOTE: u32 = 33;
const OPEN_QUOTE: u32 = 34;
/** Instead of a place the table says how many fields the row has. */
const FIELD_COUNT: u32 = 35;

let separator: u32 = 0;

// ---- where rows end

/** The first quote or line feed in [p, end), else `end`. */
function findQuoteOrNewline(p: usize, end: usize): usize {
  if (ASC_FEATURE_SIMD) {
    while (p < end) {
      const v = getV(p);
      const found = i8x16.bitmask(v128.or(i8x16.eq(v, i8x16.splat(<i8>QUOTE)), i8x16.eq(v, i8x16.splat(<i8>NEWLINE))));
      if (found) return min(p + <usize>ctz(found), end);
      p += 16;
    }
    return end;
  }
  while (p < end && get8(p) != QUOTE && get8(p) != NEWLINE) p++;
  return p;
}

/** Behind the first line feed in [p, end); 0: there is none. */
function behindLine(p: usize, end: usize): usize {
  const newline = findByte(p, end, NEWLINE);
  return newline == end ? 0 : newline + 1;
}

/** Behind the row that begins at `start`; 0: it does not end before `end`. */
function behindRow(start: usize, end: usize): usize {
  let p = start;
  while (true) {
    p = findQuoteOrNewline(p, end);
    if (p == end) return 0;
    if (get8(p) == NEWLINE) return p + 1;
    if (p > start && get8(p - 1) != separator) return behindLine(start, end);
    // A quoted field.
    while (true) {
      p = findByte(p + 1, end, QUOTE);
      if (p + 1 >= end) return 0;
      if (get8(p + 1) != QUOTE) break;
      p++;
    }
    p++;
    const next = get8(p);
    if (next == RETURN) {
      if (p + 1 == end) return 0;
      if (get8(p + 1) != NEWLINE) return behindLine(start, end);
    } else if (next != separator && next != NEWLINE) return behindLine(start, end);
  }
}

/** Pointer behind the last row that ends in [from, to), where a row begins at `from`; `from` when none does. */
export function cutCsv(from: usize, to: usize, by: u32): usize {
  declareInput(from, to);
  separator = by;
  let p = from;
  while (p < to) {
    const quote = findByte(p, to, QUOTE);
    // Rows without quotes need no look.
    p = findLastNewline(p, quote);
    if (quote == to) return p;
    const behind = behindRow(p, to);
    if (!behind) return p;
    p = behind;
  }
  return p;
}

/** Pointer behind the first row in [from, to), where one begins at `from`; 0: it does not end before `to`. */
export function firstCsvRow(from: usize, to: usize, by: u32): usize {
  declareInput(from, to);
  separator = by;
  return behindRow(from, to);
}

// ---- rows and fields

/**
 * Where the text of fields with doubled quotes goes: a piece with room for all that is left of the input when the first of them is
 * met. What a bad row has put there is given up, because its lines are read again, as rows of their own.
 */
let piece: usize = 0;
/** The first free byte of the piece; 0: there is none yet. */
let text: usize = 0;
let inputEnd: usize = 0;
/** Where and why the row is bad. */
let error: u32 = 0;
let errorAt: usize = 0;
let rowStart: usize = 0;
/** True when the row may hold bytes that are not ASCII. */
let wide = false;

let blockAt: usize = 0;
let blockStops: i32 = 0;
let blockWide: i32 = 0;

/** The first separator, quote or line feed in [p, end), else `end`. Blocks of 16 bytes are looked at once. */
@inline function findStop(p: usize, end: usize): usize {
  if (ASC_FEATURE_SIMD) {
    while (true) {
      const passed = p - blockAt;
      if (passed < 16) {
        const stops = blockStops >> <i32>passed;
        if (stops) return min(p + <usize>ctz(stops), end);
        p = blockAt + 16;
      }
      if (p >= end) return end;
      const v = getV(p);
      const found = v128.or(
        v128.or(i8x16.eq(v, i8x16.splat(<i8>separator)), i8x16.eq(v, i8x16.splat(<i8>QUOTE))),
        i8x16.eq(v, i8x16.splat(<i8>NEWLINE)),
      );
      blockAt = p;
      blockStops = i8x16.bitmask(found);
      blockWide = i8x16.bitmask(v);
      if (blockWide) wide = true;
    }
  }
  while (p < end) {
    const c = get8(p);
    if (c == separator || c == QUOTE || c == NEWLINE) break;
    p++;
  }
  return p;
}

function bad(code: u32, at: usize): usize {
  error = code;
  errorAt = at;
  return 0;
}

@inline function putField(column: usize, row: u32, start: usize, end: usize, kind: u32): void {
  const cap = <usize>tableCap();
  put32(column + (<usize>row << 2), <u32>start);
  put32(column + (cap << 2) + (<usize>row << 2), <u32>end);
  put8(column + (cap << 3) + row, kind);
}

/**
 * The quoted field whose opening quote is at `p`; `column` 0: it is one too many. Returns the pointer behind its closing quote;
 * 0: it is bad, or the arena is full (`error` 0).
 */
function takeQuoted(p: usize, end: usize, column: usize, row: u32): usize {
  const start = p + 1;
  let from = start;
  let out = text;
  p = start;
  while (true) {
    p = findByte(p, end, QUOTE);
    if (p == end) return bad(OPEN_QUOTE, start - 1);
    if (p + 1 == end || get8(p + 1) != QUOTE) break;
    // The text goes on elsewhere, without the second quote.
    if (!text) {
      piece = alloc(inputEnd - rowStart + GUARD);
      if (!piece) return bad(0, p);
      text = piece;
      out = text;
    }
    copy(out, from, p + 1 - from);
    out += p + 1 - from;
    p += 2;
    from = p;
  }
  if (from == start) {
    if (column) putField(column, row, start, p, RAW);
  } else {
    copy(out, from, p - from);
    out += p - from;
    if (column) putField(column, row, text, out, RAW);
    text = out;
  }
  return p + 1;
}

/** The row at `start`, its fields in the table. Returns the pointer behind it; 0: it is bad. */
function takeRow(start: usize, end: usize, row: u32, fields: u32): usize {
  rowStart = start;
  const free = text;
  const behind = takeFields(start, end, row, fields);
  if (!behind) text = free ? free : piece;
  return behind;
}

function takeFields(start: usize, end: usize, row: u32, fields: u32): usize {
  const width = <usize>tableCap() * 9;
  let column = keyColumn(0);
  let count: u32 = 0;
  let p = start;
  let rowEnd: usize;
  while (true) {
    const known = count < fields;
    if (p < end && get8(p) == QUOTE) {
      // What is quoted is not looked at 16 bytes at a time.
      wide = true;
      p = takeQuoted(p, end, known ? column : 0, row);
      if (!p) return 0;
      if (p < end && get8(p) == RETURN && (p + 1 == end || get8(p + 1) == NEWLINE)) p++;
      if (p < end && get8(p) != separator && get8(p) != NEWLINE) return bad(BEHIND_QUOTE, p);
    } else {
      const field = p;
      p = findStop(p, end);
      if (p < end && get8(p) == QUOTE) return bad(BARE_QUOTE, p);
      let fieldEnd = p;
      if (fieldEnd > field && get8(fieldEnd - 1) == RETURN && (p == end || get8(p) == NEWLINE)) fieldEnd--;
      if (known) putField(column, row, field, fieldEnd, fieldEnd == field ? 0 : RAW);
    }
    count++;
    column += width;
    if (p < end && get8(p) == separator) {
      p++;
      continue;
    }
    rowEnd = p;
    break;
  }
  if (count != fields) return bad(FIELD_COUNT, <usize>count);
  return rowEnd < end ? rowEnd + 1 : end;
}

/** The end of the row that is behind at `behind`, its line end left out. */
@inline function withoutLineEnd(start: usize, behind: usize): usize {
  if (behind > start && get8(behind - 1) == NEWLINE) behind--;
  if (behind > start && get8(behind - 1) == RETURN) behind--;
  return behind;
}

let fieldCount: u32 = 0;
let found: u32 = 0;
let malformed: u32 = 0;
let blank: u32 = 0;

/** Begins a scan of input that ends at `to` into the row table at `table`: its keys are the columns, of which a row must have `fields`. */
export function openCsvScan(table: usize, by: u32, fields: u32, to: usize): void {
  openTable(table, fields);
  separator = by;
  fieldCount = fields;
  found = 0;
  malformed = 0;
  blank = 0;
  piece = 0;
  text = 0;
  inputEnd = to;
  blockAt = to + GUARD;
}

@inline export function csvScanIsFull(): bool {
  return found >= tableCap();
}

/**
 * Scans as much of [p, to), which ends where a row does or the input ends, as the table has room for. Returns the pointer behind the
 * last row; 0: the arena is full.
 */
export function scanCsvRows(p: usize, to: usize): usize {
  const cap = tableCap();
  const fields = fieldCount;
  let count = found;
  while (p < to && count < cap) {
    const start = p;
    const first = get8(p);
    if (first == NEWLINE || (first == RETURN && (p + 1 == to || get8(p + 1) == NEWLINE))) {
      p = first == NEWLINE || p + 1 == to ? p + 1 : p + 2;
      blank++;
      continue;
    }
    // A block may reach from one row into the next.
    wide = !ASC_FEATURE_SIMD || (start - blockAt < 16 && blockWide >> <i32>(start - blockAt) != 0);
    p = takeRow(start, to, count, fields);
    if (!p) {
      if (!error) return 0;
      // The fields are counted of a row that is right in itself; any other costs its line.
      p = error == FIELD_COUNT ? behindRow(start, to) : behindLine(start, to);
      if (!p) p = to;
      // Seen alone, as it is where the input was cut behind it, the line has a quote that is not closed.
      if (error != FIELD_COUNT && errorAt >= p) takeRow(start, p, count, fields);
      putBadRow(count, start, withoutLineEnd(start, p), error, errorAt);
      malformed++;
    } else {
      const end = withoutLineEnd(start, p);
      const wrong = wide ? findBadUtf8(start, end) : end;
      if (wrong < end) {
        putBadRow(count, start, end, BAD_UTF8, wrong);
        malformed++;
      } else putGoodRow(count, start, end);
    }
    count++;
  }
  found = count;
  return p;
}

/** Returns how many rows were found; -1: the arena is full. `p`: what `scanCsvRows` has returned. */
export function closeCsvScan(p: usize): i32 {
  if (!p) return -1;
  closeTable(found, p, malformed, 0, blank);
  return <i32>found;
}

/** Scans [from, to), which ends where a row does or the input ends. Returns how many rows were found; -1: the arena is full. */
export function scanCsv(from: usize, to: usize, table: usize, by: u32, fields: u32): i32 {
  declareInput(from, to);
  openCsvScan(table, by, fields, to);
  return closeCsvScan(scanCsvRows(from, to));
}
