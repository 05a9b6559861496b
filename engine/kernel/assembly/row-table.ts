// The row table of src/batch/kernel-abi.ts.
import { declareOutput, fill, get32, get8, put32, put8 } from './access';

const HEADER: usize = 32;
const KIND_DUPLICATE: u32 = 0x80;
/** Kinds are cleared for this many rows at a time. */
const CLEAR_ROWS: u32 = 256;

let table: usize = 0;
let cap: u32 = 0;
let columns: usize = 0;
let keys: u32 = 0;

/** Begins the table at `at`, whose room for rows is set already. */
export function openTable(at: usize, keyColumns: u32): void {
  declareOutput(at, at + HEADER);
  table = at;
  cap = get32(at + 20);
  keys = keyColumns;
  columns = at + HEADER + <usize>cap * 16;
  declareOutput(at, columns + <usize>keys * <usize>cap * 9);
  put32(at + 24, keyColumns);
}

/** Rows that the table has room for. */
@inline export function tableCap(): u32 {
  return cap;
}

export function closeTable(count: u32, consumed: usize, malformed: u32, notObject: u32, blank: u32): void {
  put32(table, count);
  put32(table + 4, consumed);
  put32(table + 8, malformed);
  put32(table + 12, notObject);
  put32(table + 16, blank);
}

/** Column `key`: pointer to its `start` array. */
@inline export function keyColumn(key: u32): usize {
  return columns + <usize>key * <usize>cap * 9;
}

/** Makes room for row `row`: no key is there yet. */
@inline export function openRow(row: u32): void {
  if (!(row % CLEAR_ROWS) && keys) clearKinds(row);
}

function clearKinds(row: u32): void {
  const rows = min(cap - row, CLEAR_ROWS);
  for (let key: u32 = 0; key < keys; key++) fill(keyColumn(key) + <usize>cap * 8 + row, 0, rows);
}

/** Writes where the value of a key stands. `column` is what `keyColumn` gave. */
@inline export function putValue(column: usize, row: u32, start: usize, end: usize, kind: u32): void {
  const kinds = column + <usize>cap * 8 + row;
  put32(column + (<usize>row << 2), start);
  put32(column + (<usize>(cap + row) << 2), end);
  put8(kinds, get8(kinds) ? kind | KIND_DUPLICATE : kind);
}

@inline export function putGoodRow(row: u32, start: usize, end: usize): void {
  const p = table + HEADER + (<usize>row << 2);
  put32(p, start);
  put32(p + <usize>cap * 4, end);
  put32(p + <usize>cap * 8, 0);
  put32(p + <usize>cap * 12, start);
}

/** A row with an error has no keys. */
export function putBadRow(row: u32, start: usize, end: usize, error: u32, at: usize): void {
  const p = table + HEADER + (<usize>row << 2);
  put32(p, start);
  put32(p + <usize>cap * 4, end);
  put32(p + <usize>cap * 8, error);
  put32(p + <usize>cap * 12, at);
  for (let key: u32 = 0; key < keys; key++) put8(keyColumn(key) + <usize>cap * 8 + row, 0);
}

/** Moves all pointers of a row by `distance`: it was scanned in a copy. */
export function moveRow(row: u32, distance: usize): void {
  let p = table + HEADER + (<usize>row << 2);
  put32(p, get32(p) + distance);
  put32(p + <usize>cap * 4, get32(p + <usize>cap * 4) + distance);
  put32(p + <usize>cap * 12, get32(p + <usize>cap * 12) + distance);
  for (let key: u32 = 0; key < keys; key++) {
    p = keyColumn(key) + (<usize>row << 2);
    put32(p, get32(p) + distance);
    put32(p + <usize>cap * 4, get32(p + <usize>cap * 4) + distance);
  }
}
