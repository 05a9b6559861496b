// NDJSON: finds the rows and the values of the key columns, and checks every byte.
//
// A row is read once, from left to right, member by member. Numbers, strings and what stands between the members are taken
// 16 bytes at a time; where the rows look alike (see shape.ts), every branch goes the same way in every row, so that the
// processor works some members ahead. An error ends the row where it is seen; the scan goes on behind the row's newline.
import { GUARD, copy, declareInput, get8, put8 } from './access';
import { alloc, release } from './arena';
import { NOT_OBJECT, SYNTAX, TOO_SHORT, TRAILING, fail, failAt, failCode } from './failure';
import { NESTING_BYTES, failBehindValue, skipNested, skipScalar } from './json-nested';
import {
  CLOSE_OBJECT, COMMA, KIND_LIST, KIND_OBJECT, KIND_STRING, MINUS, NEWLINE, OPEN_LIST, OPEN_OBJECT, QUOTE, RETURN, isDigit,
  scalarKind, skipLiteral, skipNumber, skipSpace, skipString,
} from './json-token';
import { keyCount } from './keys';
import { findLastNewline, findNewline } from './newline';
import { closeTable, moveRow, openRow, openTable, putBadRow, putGoodRow, putValue, tableCap } from './row-table';
import { expectedGap, gapColumn, gapLength, isGap, learnGap, linkBehind, linkInside, openShape, readKey, rowStart } from './shape';

/** Scratch of `skipNested`. */
let closing: usize = 0;

let count: u32 = 0;
let malformed: u32 = 0;
let notObject: u32 = 0;
let blank: u32 = 0;
let cap: u32 = 0;

/** The gap that was read last; 0: the object ended instead. */
let lastGap: usize = 0;

/**
 * Reads the gap at `p`, where a gap came that nobody expected, up to the first byte of its value; or the end of the object, up
 * to the pointer behind it.
 */
function readGap(p: usize, link: usize): usize {
  const from = p;
  lastGap = 0;
  if (link == linkBehind(rowStart())) {
    p = skipSpace(p + 1);
    if (get8(p) == CLOSE_OBJECT) return p + 1;
  } else {
    p = skipSpace(p);
    if (get8(p) == CLOSE_OBJECT) return p + 1;
    if (get8(p) != COMMA) return failBehindValue(p, from);
    p = skipSpace(p + 1);
  }
  p = readKey(p);
  if (p) lastGap = learnGap(link, from, p, false);
  return p;
}

/** The object at `p` as row `row`. Returns the pointer behind it; 0: it is bad. */
function scanObject(p: usize, row: u32): usize {
  let gap = rowStart();
  while (true) {
    const link = linkBehind(gap);
    gap = expectedGap(link);
    if (isGap(p, gap)) {
      p = skipSpace(p + gapLength(gap));
    } else {
      p = readGap(p, link);
      gap = lastGap;
      if (!p || !gap) return p;
    }
    const value = p;
    const c = get8(p);
    let kind: u32;
    if (c == QUOTE) {
      p = skipString(p);
      kind = KIND_STRING;
    } else if (isDigit(c) || c == MINUS) {
      p = skipNumber(p);
      kind = scalarKind();
    } else if (c == OPEN_OBJECT || c == OPEN_LIST) {
      p = skipNested(p, 2, linkInside(gap), closing);
      kind = c == OPEN_OBJECT ? KIND_OBJECT : KIND_LIST;
    } else {
      p = skipLiteral(p);
      kind = scalarKind();
    }
    if (!p) return 0;
    const column = gapColumn(gap);
    if (column) putValue(column, row, value, p, kind);
    if (get8(p) == CLOSE_OBJECT) return p + 1;
  }
}

/** Writes the bad row that begins at `from` and failed; returns the pointer behind its newline. */
function endBadRow(from: usize): usize {
  const newline = findNewline(failAt());
  const end = newline > from && get8(newline - 1) == RETURN ? newline - 1 : newline;
  const at = min(failAt(), end);
  const early = failCode() == SYNTAX && at == end;
  putBadRow(count, from, end, early ? TOO_SHORT : failCode(), at);
  if (failCode() == NOT_OBJECT) notObject++;
  else malformed++;
  count++;
  return newline + 1;
}

/** A row that does not begin with `{`: blank, or bad. `p` is its first byte that is no white space. */
function scanOtherRow(from: usize, p: usize): usize {
  const c = get8(p);
  if (c == NEWLINE) {
    blank++;
    return p + 1;
  }
  openRow(count);
  const end = c == OPEN_LIST ? skipNested(p, 1, linkInside(rowStart()), closing) : skipScalar(p);
  if (end) {
    const behind = skipSpace(end);
    if (get8(behind) == NEWLINE) fail(NOT_OBJECT, p);
    else failBehindRow(behind, end);
  }
  return endBadRow(from);
}

/** Fails at `p`, where a newline should stand. `value` is the pointer behind the row's value. */
function failBehindRow(p: usize, value: usize): void {
  failBehindValue(p, value);
  if (failCode() == SYNTAX) fail(TRAILING, p);
}

/** Scans rows in [p, end), where the last byte is a newline, until the table is full. Returns the pointer behind the last one. */
export function scanRows(p: usize, end: usize): usize {
  while (p < end && count < cap) {
    const from = p;
    if (get8(p) != OPEN_OBJECT) {
      p = skipSpace(p);
      if (get8(p) != OPEN_OBJECT) {
        p = scanOtherRow(from, p);
        continue;
      }
    }
    const object = p;
    openRow(count);
    p = scanObject(p, count);
    if (p) {
      const behind = p;
      if (get8(p) != NEWLINE) p = skipSpace(p);
      if (get8(p) == NEWLINE) {
        putGoodRow(count, object, behind);
        count++;
        p++;
        continue;
      }
      failBehindRow(p, behind);
    }
    p = endBadRow(from);
  }
  return p;
}

/** Scans a last row without newline in a copy that has one. False: the arena is full. */
function scanUnfinished(from: usize, to: usize): bool {
  const length = to - from;
  const piece = alloc(length + 1 + GUARD);
  if (!piece) return false;
  copy(piece, from, length);
  put8(piece + length, NEWLINE);
  const row = count;
  scanRows(piece, piece + length + 1);
  if (count > row) moveRow(row, from - piece);
  return true;
}

/** Scans all of [from, to). Returns the pointer behind what it took; 0: the arena is full. */
function scanInput(from: usize, to: usize, last: bool): usize {
  const end = findLastNewline(from, to);
  const consumed = scanRows(from, end);
  if (!last || consumed < end || end == to || count == cap) return consumed;
  return scanUnfinished(end, to) ? to : 0;
}

/** Begins a scan into the table at `table`. False: the arena is full. */
export function openJsonScan(table: usize): bool {
  openTable(table, keyCount());
  cap = tableCap();
  count = malformed = notObject = blank = 0;
  closing = alloc(NESTING_BYTES);
  return closing != 0 && openShape();
}

/** Ends it: `consumed` is the pointer behind what was taken, 0: the arena is full. Returns the rows found, or -1. */
export function closeJsonScan(consumed: usize): i32 {
  if (closing) release(closing);
  if (!consumed) return -1;
  closeTable(count, consumed, malformed, notObject, blank);
  return <i32>count;
}

/** The table is full. */
export function jsonScanIsFull(): bool {
  return count == cap;
}

export function scanJson(from: usize, to: usize, table: usize, last: u32): i32 {
  declareInput(from, to);
  return closeJsonScan(openJsonScan(table) ? scanInput(from, to, last != 0) : 0);
}
