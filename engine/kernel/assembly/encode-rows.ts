// Rows to bytes for a sink. What was not changed goes out as the bytes that came in.
//
// TypeScript describes the work in a plan (u32 words, all pointers into the arena; src/batch/encode-plan.ts writes it):
//   0 mode: 0 verbatim, 1 edited, 2 columns, 3 text   1 row starts   2 row ends   3 of a text: 1 where no line feed is to follow; of CSV (encode-csv.ts): the separator
//   4 edits   5 pointer to them   6 columns   7 pointer to them   8 scratch: 8 bytes for each edit   9 result: bytes written
// An edit changes one member of the raw rows (12 words): where it stands (starts, ends, kinds), its name (unescaped: pointer, length),
//   what stands there instead (`"name":` pointer and length; renamed 0/1; starts, ends, kinds; kinds 0: nothing), and 1 + the index of
//   the edit that takes its place in rows that have both, or 0.
// A column (6 words): `"name":` pointer and length, starts, ends, kinds, and 1 + the index of the edit that may have written it already.
import { copy, declareOutput, get32, get8, getV, put32, put8, putV } from './access';
import { kindAt, word } from './columns-read';
import { NULL, RAW, STRING } from './convert';
import { BACKSLASH, QUOTE, equalsBytes, escape, isShortPlain, escapedLength, findBackslash, skipSpace, skipString, skipValue, unescape } from './text';

const MODE: usize = 0;
const ROW_STARTS: usize = 4;
const ROW_ENDS: usize = 8;
export const SEPARATOR: usize = 12;
const EDITS: usize = 16;
const EDIT_LIST: usize = 20;
export const COLUMNS: usize = 24;
export const COLUMN_LIST: usize = 28;
const SCRATCH: usize = 32;
export const RESULT: usize = 36;

const EDIT_BYTES: usize = 48;
const EDIT_AT: usize = 0;
const EDIT_AT_ENDS: usize = 4;
const EDIT_AT_KINDS: usize = 8;
const EDIT_NAME: usize = 12;
const EDIT_NAME_LENGTH: usize = 16;
const EDIT_KEY: usize = 20;
const EDIT_KEY_LENGTH: usize = 24;
const EDIT_RENAMED: usize = 28;
const EDIT_STARTS: usize = 32;
const EDIT_ENDS: usize = 36;
const EDIT_KINDS: usize = 40;
const EDIT_SHADOW: usize = 44;

export const COLUMN_BYTES: usize = 24;
const COLUMN_KEY: usize = 0;
const COLUMN_KEY_LENGTH: usize = 4;
export const COLUMN_STARTS: usize = 8;
export const COLUMN_ENDS: usize = 12;
export const COLUMN_KINDS: usize = 16;
const COLUMN_EDIT: usize = 20;

const DUPLICATE: u32 = 0x80;

/** True when what is left of the output has no room for bytes written in excess: then copies are exact. */
let tight = false;
/** Bytes that `copyShort` may write in excess. */
const SLACK: usize = 16;
/** Braces and line feed. */
const ROW_FRAME: usize = 3;
/** Bytes that one byte of a text becomes at most: `\u0000`. */
const MOST_ESCAPED: usize = 6;

@inline export function field(at: usize, offset: usize): usize {
  return <usize>get32(at + offset);
}

export function isTight(): bool {
  return tight;
}

export function setTight(value: bool): void {
  tight = value;
}

/** Copies few bytes quickly: up to 16 at once, so up to 15 too many are written (the next copy overwrites them). */
@inline export function copyShort(to: usize, from: usize, bytes: usize): void {
  if (ASC_FEATURE_SIMD) {
    if (bytes <= 64 && !tight) {
      for (let i: usize = 0; i < bytes; i += 16) putV(to + i, getV(from + i));
      return;
    }
  }
  copy(to, from, bytes);
}

/** Writes a token as JSON; returns the pointer behind it. */
@inline function writeToken(kind: u32, start: usize, end: usize, out: usize): usize {
  if (kind == RAW) {
    put8(out, QUOTE);
    const length = end - start;
    if (!tight && isShortPlain(start, length)) {
      copyShort(out + 1, start, length);
      out += 1 + length;
    } else out = escape(start, end, out + 1);
    put8(out, QUOTE);
    return out + 1;
  }
  copyShort(out, start, end - start);
  return out + (end - start);
}

@inline function tokenBound(kind: u32, start: usize, end: usize, exact: bool): usize {
  if (kind != RAW) return end - start;
  return 2 + (exact ? escapedLength(start, end) : (end - start) * MOST_ESCAPED);
}

/** Takes back white space and one comma from the end of what was written since `from`. */
function takeBackComma(from: usize, out: usize): usize {
  out = takeBackSpace(from, out);
  return out > from && get8(out - 1) == 0x2c ? out - 1 : out;
}

function takeBackSpace(from: usize, out: usize): usize {
  while (out > from && get8(out - 1) <= 0x20) out--;
  return out;
}

/** Pointer to the opening quote of the key whose value starts at `value`. */
function keyBefore(value: usize): usize {
  let p = value - 1;
  while (get8(p) != QUOTE) p--;
  // A quote inside a string has an odd number of backslashes before it, the opening one has none.
  while (true) {
    p--;
    if (get8(p) == QUOTE && get8(p - 1) != BACKSLASH) return p;
  }
}

/** True when the edit at `at` writes nothing in this row: its column has no value, or another edit takes its place. */
@inline function isSilent(edits: usize, at: usize, row: usize): bool {
  const kinds = field(at, EDIT_KINDS);
  if (kinds == 0 || kindAt(kinds, row) == 0) return true;
  return isShadowed(edits, field(at, EDIT_SHADOW), row);
}

/** True when one of the edits from number `next` on (1 + index, linked) stands in the row. */
function isShadowed(edits: usize, next: usize, row: usize): bool {
  while (next) {
    const at = edits + (next - 1) * EDIT_BYTES;
    if (get8(field(at, EDIT_AT_KINDS) + row)) return true;
    next = field(at, EDIT_SHADOW);
  }
  return false;
}

/** Writes the edited member: from where its key began, or its value when the key stays. */
@inline function writeMember(at: usize, row: usize, out: usize): usize {
  if (field(at, EDIT_RENAMED)) {
    copyShort(out, field(at, EDIT_KEY), field(at, EDIT_KEY_LENGTH));
    out += field(at, EDIT_KEY_LENGTH);
  }
  return writeToken(
    kindAt(field(at, EDIT_KINDS), row), word(field(at, EDIT_STARTS), row), word(field(at, EDIT_ENDS), row), out,
  );
}

/** Copies the row up to its closing brace with the edits done; no edited member stands twice in it. */
function writeEdited(plan: usize, row: usize, start: usize, end: usize, out: usize): usize {
  const edits = field(plan, EDIT_LIST);
  const count = field(plan, EDITS);
  const order = field(plan, SCRATCH);
  const first = out;
  let found: usize = 0;
  for (let i: usize = 0; i < count; i++) {
    const at = edits + i * EDIT_BYTES;
    if (get8(field(at, EDIT_AT_KINDS) + row) == 0) continue;
    const position = get32(field(at, EDIT_AT) + (row << 2));
    let j = found++;
    for (; j > 0 && get32(order + ((j - 1) << 3)) > position; j--) {
      put32(order + (j << 3), get32(order + ((j - 1) << 3)));
      put32(order + (j << 3) + 4, get32(order + ((j - 1) << 3) + 4));
    }
    put32(order + (j << 3), position);
    put32(order + (j << 3) + 4, <u32>at);
  }
  let from = start;
  for (let i: usize = 0; i < found; i++) {
    const value = word(order, i << 1);
    const at = word(order, (i << 1) + 1);
    const silent = isSilent(edits, at, row);
    const stop = silent || field(at, EDIT_RENAMED) ? keyBefore(value) : value;
    copyShort(out, from, stop - from);
    out += stop - from;
    from = word(field(at, EDIT_AT_ENDS), row);
    if (!silent) {
      out = writeMember(at, row, out);
      continue;
    }
    const behind = skipSpace(from);
    if (get8(behind) == 0x2c) from = behind + 1;
    else out = takeBackComma(first, out);
  }
  copyShort(out, from, end - 1 - from);
  return out + (end - 1 - from);
}

/** The same for a row in which an edited member stands more than once: the last is edited, the others go. */
function writeWalked(plan: usize, row: usize, start: usize, end: usize, out: usize): usize {
  const edits = field(plan, EDIT_LIST);
  const count = field(plan, EDITS);
  const first = out;
  put8(out++, 0x7b);
  let p = skipSpace(start + 1);
  while (get8(p) == QUOTE) {
    const key = p;
    const keyEnd = skipString(p, end);
    const value = skipSpace(skipSpace(keyEnd) + 1);
    const valueEnd = skipValue(value, end);
    const escaped = findBackslash(key, keyEnd) != keyEnd;
    let at: usize = 0;
    for (let i: usize = 0; i < count; i++) {
      const edit = edits + i * EDIT_BYTES;
      if (equalsBytes(key + 1, keyEnd - 1, escaped, field(edit, EDIT_NAME), field(edit, EDIT_NAME_LENGTH))) {
        at = edit;
        break;
      }
    }
    const last = at == 0 || word(field(at, EDIT_AT), row) == value;
    if (last && (at == 0 || !isSilent(edits, at, row))) {
      if (out > first + 1) put8(out++, 0x2c);
      const copied = at == 0 ? valueEnd : field(at, EDIT_RENAMED) ? key : value;
      copyShort(out, key, copied - key);
      out += copied - key;
      if (at) out = writeMember(at, row, out);
    }
    p = skipSpace(valueEnd);
    if (get8(p) != 0x2c) break;
    p = skipSpace(p + 1);
  }
  return out;
}

/**
 * Writes the columns that the row has, with commas; returns the pointer behind them, or 0 when one does not surely end before `limit`.
 * `first`: of the row.
 */
@inline function writeColumns(plan: usize, row: usize, first: usize, out: usize, limit: usize): usize {
  const edits = field(plan, EDIT_LIST);
  let at = field(plan, COLUMN_LIST);
  const stop = at + field(plan, COLUMNS) * COLUMN_BYTES;
  let comma = out - 1 != first || get8(first) != 0x7b;
  for (; at < stop; at += COLUMN_BYTES) {
    const kind = kindAt(field(at, COLUMN_KINDS), row);
    if (kind == 0) continue;
    const edit = field(at, COLUMN_EDIT);
    if (edit && isShadowed(edits, edit, row)) continue;
    const start = word(field(at, COLUMN_STARTS), row);
    const end = word(field(at, COLUMN_ENDS), row);
    const keyLength = field(at, COLUMN_KEY_LENGTH);
    // A comma, and a text's quotes.
    const most = keyLength + 3 + (end - start) * (kind == RAW ? MOST_ESCAPED : 1);
    if (limit < out || most > limit - out) return 0;
    if (comma) put8(out++, 0x2c);
    comma = true;
    copyShort(out, field(at, COLUMN_KEY), keyLength);
    out = writeToken(kind, start, end, out + keyLength);
  }
  return out;
}

/** A bound for the bytes of the row without its columns; its brackets and line feed are included. */
function headBound(plan: usize, row: usize, mode: usize, exact: bool): usize {
  let bytes: usize = ROW_FRAME;
  if (mode < 2) bytes += word(field(plan, ROW_ENDS), row) - word(field(plan, ROW_STARTS), row);
  if (mode == 1) {
    let at = field(plan, EDIT_LIST);
    for (let i = field(plan, EDITS); i > 0; i--, at += EDIT_BYTES) {
      const kinds = field(at, EDIT_KINDS);
      if (kinds == 0 || kindAt(kinds, row) == 0 || get8(field(at, EDIT_AT_KINDS) + row) == 0) continue;
      if (exact && isShadowed(field(plan, EDIT_LIST), field(at, EDIT_SHADOW), row)) continue;
      bytes += field(at, EDIT_KEY_LENGTH) + 1;
      bytes += tokenBound(kindAt(kinds, row), word(field(at, EDIT_STARTS), row), word(field(at, EDIT_ENDS), row), exact);
    }
  }
  return bytes;
}

/** The same of the whole row. */
function rowBound(plan: usize, row: usize, mode: usize, exact: bool): usize {
  let bytes = headBound(plan, row, mode, exact);
  let at = field(plan, COLUMN_LIST);
  for (let i = field(plan, COLUMNS); i > 0; i--, at += COLUMN_BYTES) {
    const kind = kindAt(field(at, COLUMN_KINDS), row);
    if (kind == 0 || (exact && isShadowed(field(plan, EDIT_LIST), field(at, COLUMN_EDIT), row))) continue;
    bytes += field(at, COLUMN_KEY_LENGTH) + 1;
    bytes += tokenBound(kind, word(field(at, COLUMN_STARTS), row), word(field(at, COLUMN_ENDS), row), exact);
  }
  return bytes;
}

/** True when an edited member stands more than once in the row. */
function hasDuplicates(plan: usize, row: usize): bool {
  let at = field(plan, EDIT_LIST);
  for (let i = field(plan, EDITS); i > 0; i--, at += EDIT_BYTES) {
    if (get8(field(at, EDIT_AT_KINDS) + row) & DUPLICATE) return true;
  }
  return false;
}

/**
 * Writes one row, its line feed included, for which there is room: for what `headBound` says, and of a text for what `rowBound` says. 0:
 * its columns may not end before `limit`.
 */
function writeRow(plan: usize, row: usize, mode: usize, out: usize, limit: usize): usize {
  const first = out;
  if (mode == 2) {
    put8(out, 0x7b);
    out = writeColumns(plan, row, first, out + 1, limit);
    if (!out) return 0;
  } else if (mode == 1) {
    const start = word(field(plan, ROW_STARTS), row);
    const end = word(field(plan, ROW_ENDS), row);
    out = hasDuplicates(plan, row)
      ? writeWalked(plan, row, start, end, out)
      : writeEdited(plan, row, start, end, out);
    if (field(plan, COLUMNS)) {
      // Only an object without members needs a look at what stands before its brace.
      if (get8(out - 1) <= 0x20) out = takeBackSpace(first, out);
      out = writeColumns(plan, row, first, out, limit);
      if (!out) return 0;
    }
  } else {
    return writeText(plan, row, out);
  }
  put8(out, 0x7d);
  put8(out + 1, 0x0a);
  return out + 2;
}

/** The text of the one column: a string's without quotes and escapes, another value's as it stands. */
function writeText(plan: usize, row: usize, out: usize): usize {
  const at = field(plan, COLUMN_LIST);
  const kind = kindAt(field(at, COLUMN_KINDS), row);
  if (kind && kind != NULL) {
    const start = word(field(at, COLUMN_STARTS), row);
    const end = word(field(at, COLUMN_ENDS), row);
    if (kind == STRING) {
      out = unescape(start + 1, end - 1, out);
    } else {
      copy(out, start, end - start);
      out += end - start;
    }
  }
  if (field(plan, SEPARATOR)) return out;
  put8(out, 0x0a);
  return out + 1;
}

/** Whole rows as they are; neighbours that stand one line feed apart go out in one copy. */
function encodeVerbatim(plan: usize, rows: usize, n: usize, out: usize, outEnd: usize, offsets: usize): usize {
  const starts = field(plan, ROW_STARTS);
  const ends = field(plan, ROW_ENDS);
  const origin = out;
  let i: usize = 0;
  while (i < n) {
    const first = word(rows, i);
    const start = word(starts, first);
    let end = word(ends, first);
    if (end + 1 - start > outEnd - out) break;
    if (offsets) put32(offsets + (i << 2), <u32>(out - origin));
    i++;
    while (i < n) {
      const row = word(rows, i);
      const next = word(starts, row);
      if (next != end + 1 || get8(end) != 0x0a) break;
      const nextEnd = word(ends, row);
      if (nextEnd + 1 - start > outEnd - out) break;
      if (offsets) put32(offsets + (i << 2), <u32>(out + (next - start) - origin));
      end = nextEnd;
      i++;
    }
    copy(out, start, end - start);
    out += end - start;
    put8(out++, 0x0a);
  }
  put32(plan + RESULT, <u32>(out - origin));
  return i;
}

/**
 * Writes rows[from..to) as the plan says to [out, outEnd); `offsets`: room for u32 starts of the rows and the end, or 0.
 * Returns how many rows were written; the plan's result says how many bytes.
 */
export function encodeRows(plan: usize, rows: usize, from: u32, to: u32, out: usize, outEnd: usize, offsets: usize): u32 {
  declareOutput(out, outEnd);
  const mode = field(plan, MODE);
  rows += <usize>from << 2;
  const n = <usize>(to - from);
  const origin = out;
  let i: usize = 0;
  if (mode == 0) {
    i = encodeVerbatim(plan, rows, n, out, outEnd, offsets);
    out += field(plan, RESULT);
  } else {
    for (; i < n; i++) {
      const row = word(rows, i);
      const room = outEnd - out;
      tight = false;
      const bound = (mode == 3 ? rowBound(plan, row, mode, false) : headBound(plan, row, mode, false)) + SLACK;
      let end = bound > room ? 0 : writeRow(plan, row, mode, out, outEnd - SLACK - ROW_FRAME);
      if (!end) {
        tight = true;
        if (rowBound(plan, row, mode, true) > room) break;
        end = writeRow(plan, row, mode, out, usize.MAX_VALUE);
      }
      if (offsets) put32(offsets + (i << 2), <u32>(out - origin));
      out = end;
    }
    put32(plan + RESULT, <u32>(out - origin));
  }
  if (offsets) put32(offsets + (i << 2), <u32>(out - origin));
  return <u32>i;
}
