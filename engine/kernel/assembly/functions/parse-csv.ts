// One CSV record (RFC 4180) per text to columns, by place.
import { get8, put8, put32 } from '../access';
import { alloc, release } from '../arena';
import { kindAt, word } from '../columns-read';
import { RAW } from '../convert';
import { findByte } from '../text';
import { clearFields, columnOf, fieldCount, putField } from './fields';
import { ARENA_FULL, BEHIND_QUOTE, MORE_FIELDS, OPEN_QUOTE, TOO_FEW_FIELDS } from './problems';

const QUOTE: u32 = 0x22;

let problem: u32 = 0;
let problemAt: usize = 0;

function fail(code: u32, at: usize): usize {
  problem = code;
  problemAt = at;
  return 0;
}

/**
 * Reads each text of kind RAW as a record whose n-th value belongs to the n-th field; see parseJson. `quotes` 0: quotes mean nothing.
 * `strict`: as many values as fields. `sparse`: empty values are left out.
 */
export function parseCsv(
  starts: usize,
  ends: usize,
  kinds: usize,
  rows: usize,
  n: u32,
  separator: u32,
  quotes: u32,
  strict: u32,
  sparse: u32,
  problems: usize,
): i32 {
  let bad = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    put32(problems + (row << 2), 0);
    if (kindAt(kinds, row) != RAW) continue;
    const start = word(starts, row);
    if (parseRecord(start, word(ends, row), row, separator, quotes != 0, strict != 0, sparse != 0)) continue;
    if (problem == ARENA_FULL) return -1;
    put32(problems + (row << 2), problem | ((<u32>min<usize>(problemAt - start, 0xffffff)) << 8));
    clearFields(row);
    bad++;
  }
  return bad;
}

function parseRecord(p: usize, end: usize, row: usize, separator: u32, quotes: bool, strict: bool, sparse: bool): bool {
  const fields = fieldCount();
  let field: u32 = 0;
  // A newline at the end of the record is not part of its last value.
  if (end > p && get8(end - 1) == 0x0a) end--;
  if (end > p && get8(end - 1) == 0x0d) end--;
  while (true) {
    if (field == fields) {
      if (strict) fail(MORE_FIELDS, p);
      return !strict;
    }
    const column = columnOf(field++);
    if (quotes && p < end && get8(p) == QUOTE) {
      p = readQuoted(p, end, row, column);
      if (!p) return false;
      if (p < end && get8(p) != separator) {
        fail(BEHIND_QUOTE, p);
        return false;
      }
    } else {
      const stop = findByte(p, end, separator);
      if (stop > p || !sparse) putField(column, row, p, stop, RAW);
      p = stop;
    }
    if (p == end) break;
    p++;
  }
  if (field < fields && strict) fail(TOO_FEW_FIELDS, end);
  return field == fields || !strict;
}

/** The quoted value at `p`, in which two quotes stand for one. Returns the pointer behind it. */
function readQuoted(p: usize, end: usize, row: usize, column: usize): usize {
  const open = p;
  const start = p + 1;
  let doubled = false;
  p = findByte(start, end, QUOTE);
  while (p + 1 < end && get8(p + 1) == QUOTE) {
    doubled = true;
    p = findByte(p + 2, end, QUOTE);
  }
  if (p == end) return fail(OPEN_QUOTE, open);
  if (!doubled) {
    putField(column, row, start, p, RAW);
    return p + 1;
  }
  const out = alloc(p - start);
  if (!out) return fail(ARENA_FULL, open);
  let to = out;
  for (let from = start; from < p; from++) {
    const c = get8(from);
    put8(to++, c);
    if (c == QUOTE) from++;
  }
  release((to + 15) & ~15);
  putField(column, row, out, to, RAW);
  return p + 1;
}
