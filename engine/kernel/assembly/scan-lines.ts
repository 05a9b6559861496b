// Lines: every one is a row, blank ones too. Only checked for UTF-8.
import { declareInput, get8, getV } from './access';
import { BAD_UTF8 } from './failure';
import { NEWLINE, RETURN } from './json-token';
import { findLastNewline } from './newline';
import { closeTable, openTable, putBadRow, putGoodRow, tableCap } from './row-table';
import { findBadUtf8 } from './utf8';

/** True when the line last found may hold bytes that are not ASCII. */
let wide: bool = false;

/** The first newline in [p, end), else `end`. */
function findLineEnd(p: usize, end: usize): usize {
  if (ASC_FEATURE_SIMD) {
    let seen = i8x16.splat(0);
    while (p < end) {
      const v = getV(p);
      const newline = <u32>i8x16.bitmask(i8x16.eq(v, i8x16.splat(<i8>NEWLINE)));
      seen = v128.or(seen, v);
      if (newline) {
        wide = i8x16.bitmask(seen) != 0;
        return min(p + <usize>ctz(newline), end);
      }
      p += 16;
    }
    wide = i8x16.bitmask(seen) != 0;
    return end;
  }
  wide = true;
  while (p < end && get8(p) != NEWLINE) p++;
  return p;
}

let count: u32 = 0;
let malformed: u32 = 0;

/** Begins a scan into the table at `table`. */
export function openLineScan(table: usize): void {
  openTable(table, 0);
  count = malformed = 0;
}

export function closeLineScan(consumed: usize): i32 {
  closeTable(count, consumed, malformed, 0, 0);
  return <i32>count;
}

/** The table is full. */
export function lineScanIsFull(): bool {
  return count == tableCap();
}

/** The bytes in [p, end) as one row. `ascii`: there are no others. */
export function putLine(p: usize, end: usize, ascii: bool): void {
  const bad = ascii ? end : findBadUtf8(p, end);
  if (bad < end) {
    putBadRow(count, p, end, BAD_UTF8, bad);
    malformed++;
  } else {
    putGoodRow(count, p, end);
  }
  count++;
}

/** Scans lines in [p, limit) until the table is full. Returns the pointer behind the last one. */
export function scanLineRows(p: usize, limit: usize): usize {
  const cap = tableCap();
  while (p < limit && count < cap) {
    const newline = findLineEnd(p, limit);
    // A \r belongs to the newline that follows it; at the end of the input too.
    const end = newline > p && get8(newline - 1) == RETURN ? newline - 1 : newline;
    putLine(p, end, !wide);
    p = min(newline + 1, limit);
  }
  return p;
}

/**
 * Takes rows behind their counts, as RFC 6587 counts octets (`12 twelve bytes`), until the table is full; the payload [p, end) ends with
 * a newline that is none of theirs. Returns the pointer behind the last one. A count that says too much ends with the payload.
 */
export function scanCountedRows(p: usize, end: usize): usize {
  const cap = tableCap();
  const stop = end - 1;
  while (p < stop && count < cap) {
    let length: usize = 0;
    while (p < stop && get8(p) - 0x30 < 10) length = length * 10 + <usize>(get8(p++) - 0x30);
    p = min(p + 1, stop);
    const next = p + min(length, stop - p);
    putLine(p, next, false);
    p = next;
  }
  return p < stop ? p : end;
}

export function scanLines(from: usize, to: usize, table: usize, last: u32): i32 {
  declareInput(from, to);
  openLineScan(table);
  return closeLineScan(scanLineRows(from, last ? to : findLastNewline(from, to)));
}
