// Records (src/spec/records.ts): rows with bounds of their own and values beside them, where a source knows both.
import { declareInput, get32, get8, getF64, put32, putF64 } from './access';
import { word } from './columns-read';
import { putToken } from './columns-write';
import { closeCsvScan, csvScanIsFull, openCsvScan, scanCsvRows } from './scan-csv';
import { closeJsonScan, jsonScanIsFull, openJsonScan, scanRows } from './scan-json';
import { closeLineScan, lineScanIsFull, openLineScan, putLine, scanCountedRows, scanLineRows } from './scan-lines';

const HEADER: usize = 16;
/** Kind and length of a value. */
const VALUE_HEADER: usize = 5;

/** What a payload is. */
const JSON_ROWS: u32 = 0;
const LINES: u32 = 1;
const COUNTED: u32 = 3;
const CSV: u32 = 4;

@inline function recordEnd(head: usize): usize {
  return head + 4 + get32(head);
}

@inline function payloadOf(head: usize): usize {
  return head + HEADER + get32(head + 4);
}

/** Scans as much of a payload in [p, end) as the table has room for. Its last byte is a newline. 0: the arena is full. */
@inline function scanPayload(p: usize, end: usize, mode: u32): usize {
  if (mode == JSON_ROWS) return scanRows(p, end);
  if (mode == LINES) return scanLineRows(p, end);
  if (mode == COUNTED) return scanCountedRows(p, end);
  if (mode == CSV) return scanCsvRows(p, end);
  putLine(p, end - 1, false);
  return end;
}

@inline function isFull(mode: u32): bool {
  return mode == JSON_ROWS ? jsonScanIsFull() : mode == CSV ? csvScanIsFull() : lineScanIsFull();
}

/** Scans the records in [head, to), beginning with the rows at `from`. Returns the pointer behind the last row taken. */
function scanAll(head: usize, from: usize, to: usize, mode: u32): usize {
  while (head < to) {
    if (isFull(mode)) return max(from, head);
    const end = recordEnd(head);
    if (end > from) {
      const taken = scanPayload(max(payloadOf(head), from), end, mode);
      if (taken < end) return taken;
    }
    head = end;
  }
  return to;
}

export function scanRecords(begin: usize, from: usize, to: usize, table: usize, mode: u32): i32 {
  declareInput(begin, to);
  if (mode == JSON_ROWS) return closeJsonScan(openJsonScan(table) ? scanAll(begin, from, to, mode) : 0);
  openLineScan(table);
  return closeLineScan(scanAll(begin, from, to, mode));
}

/** The same of payloads that are whole rows of CSV. */
export function scanCsvRecords(begin: usize, from: usize, to: usize, table: usize, by: u32, fields: u32): i32 {
  declareInput(begin, to);
  openCsvScan(table, by, fields, to);
  return closeCsvScan(scanAll(begin, from, to, CSV));
}

/** Of every row the pointer to its record. Rows stand in order. */
export function findRecords(begin: usize, rowStarts: usize, size: u32, heads: usize): void {
  let head = begin;
  let end = begin;
  for (let row: usize = 0; row < <usize>size; row++) {
    const start = word(rowStarts, row);
    while (start >= end) {
      head = end;
      end = recordEnd(head);
    }
    put32(heads + (row << 2), head);
  }
}

/** Value number `index` beside each row, as tokens. */
export function recordColumn(heads: usize, size: u32, index: u32, starts: usize, ends: usize, kinds: usize): void {
  let last: usize = 0;
  let p: usize = 0;
  for (let row: usize = 0; row < <usize>size; row++) {
    const head = word(heads, row);
    if (head != last) {
      last = head;
      p = head + HEADER;
      for (let i: u32 = 0; i < index; i++) p += VALUE_HEADER + get32(p + 1);
    }
    putToken(starts, ends, kinds, row, p + VALUE_HEADER, p + VALUE_HEADER + get32(p + 1), get8(p));
  }
}

/** Positions of rows: those of their records, and where these hold many rows, the bytes before them there on top. */
export function recordPositions(heads: usize, rowStarts: usize, size: u32, many: u32, out: usize): void {
  for (let row: usize = 0; row < <usize>size; row++) {
    const head = word(heads, row);
    const inside = many ? <f64>(word(rowStarts, row) - payloadOf(head)) : 0.0;
    putF64(out + (row << 3), getF64(head + 8) + inside);
  }
}
