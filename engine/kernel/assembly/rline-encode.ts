// Rows for rline guests (bincode, or JSON with every value wrapped in the name of its type), from the columns' tokens.
//
// The plan (u32 words; src/wasm/row-encoding.ts writes it):
//   0 format: 0 bincode, 1 JSON   1 columns   2 pointer to them   3 whole rows: 0 no, 1 yes (then there are no columns)
//   4 result: where the bytes end   5 result: rows with integers beyond 32 bits   6 fixups: pointer, 7 room for so many, 8 result: how many
//   9 row starts   10 row ends (whole rows: text of each row, by position; 0: see 11)   11 offsets: n + 1 u32 that count from 12   12 base
// A column (8 words): name, unescaped: pointer and length; `"name":{"` for JSON: pointer and length; starts, ends, kinds; type.
// A fixup (3 words) is a number that only TypeScript reads exactly: its token's start and end, and where its eight bytes go.
//
// Integers beyond 32 bits are told by column: at `wide` stand the number of names, for each of 31 of them pointer, length and how many
// rows hold such an integer there, the same for all others (their count is word 96), and from word 97 on a mask for each row: bit n for
// the n-th name, bit 31 for the others.
import { copy, get32, get8, put32, put64, put8, putF64 } from './access';
import { kindAt, word } from './columns-read';
import { FALSE, FLOAT, INTEGER, LIST, LIST_OF, NULL, OBJECT, RAW, STRING, TRUE, TYPE_BOOLEAN, TYPE_BYTES, TYPE_FLOAT, TYPE_INTEGER, TYPE_STRING } from './convert';
import { GOOD, floatValue, integerValue, readFloat, readInteger, writeInteger } from './convert-number';
import { decodedBytes, writeBytesOf } from './rline-bytes';
import { BACKSLASH, QUOTE, escape, findBackslash, sameBytes, skipSpace, skipString, skipValue, tokenKind, unescape } from './text';

const FORMAT: usize = 0;
const COLUMNS: usize = 4;
const COLUMN_LIST: usize = 8;
const WHOLE: usize = 12;
const RESULT_END: usize = 16;
const RESULT_WIDE: usize = 20;
const FIXUPS: usize = 24;
const FIXUP_ROOM: usize = 28;
const RESULT_FIXUPS: usize = 32;
const ROW_STARTS: usize = 36;
const ROW_ENDS: usize = 40;
const OFFSETS: usize = 44;
const BASE: usize = 48;

const COLUMN_BYTES: usize = 32;

/** Tags of a value on the wire, and their names. */
export const TAG_STRING: u32 = 0;
export const TAG_INTEGER: u32 = 1;
export const TAG_FLOAT: u32 = 2;
export const TAG_VEC_STRING: u32 = 3;
export const TAG_VEC_INTEGER: u32 = 4;
export const TAG_VEC_FLOAT: u32 = 5;
export const TAG_VEC_U8: u32 = 6;
export const NO_TAG: u32 = 7;

/** Declared types that only guests know: JSON text as a string. */
const TYPE_JSON: u32 = 6;

let plan: usize = 0;
let json = false;
let fixups: usize = 0;
let fixupEnd: usize = 0;
/** Names in the table at `wide`, and what the row and the value at hand hold. */
const WIDE_NAMES: u32 = 31;
const WIDE_MARKS: usize = 388;
let wideTable: usize = 0;
let wideMask: u32 = 0;
let valueIsWide = false;

@inline function field(offset: usize): usize {
  return <usize>get32(plan + offset);
}

/**
 * Bytes that text of this length becomes at most: `1,` in a list grows four times in bincode, and so does `"":0,`; in JSON a control
 * character of a raw string takes six.
 */
@inline function bound(length: usize, raw: bool): usize {
  return 128 + (raw ? 6 : 4) * length;
}

/**
 * Encodes rows[from..to) to [out, outEnd), with the pair (start, end) of each at `pairs` + 8 * (index - from), and fills in what stands
 * at `wide` (see above). Returns how many rows were encoded: fewer when there is no more room.
 */
export function encodeRline(at: usize, rows: usize, from: u32, to: u32, out: usize, outEnd: usize, pairs: usize, wide: usize): u32 {
  plan = at;
  json = field(FORMAT) != 0;
  fixups = field(FIXUPS);
  fixupEnd = fixups + field(FIXUP_ROOM) * 12;
  const first = fixups;
  const whole = field(WHOLE) != 0;
  let wideRows: u32 = 0;
  wideTable = wide;
  put32(wide, 0);
  put32(wide + WIDE_MARKS - 4, 0);
  let i = from;
  for (; i < to; i++) {
    const row = word(rows, <usize>i);
    if (rlineRoom(at, rows, i) > outEnd - out) break;
    wideMask = 0;
    const fixupsBefore = fixups;
    const end = whole ? encodeText(textStart(row, <usize>i), textEnd(row, <usize>i), out) : encodeColumns(row, out);
    if (end == 0) {
      // The fixups have no room: what was written of this row is not counted.
      fixups = fixupsBefore;
      break;
    }
    const pair = pairs + (<usize>(i - from) << 3);
    put32(pair, <u32>out);
    put32(pair + 4, <u32>end);
    put32(wide + WIDE_MARKS + (<usize>(i - from) << 2), wideMask);
    if (wideMask) {
      wideRows++;
      countWide();
    }
    out = end;
  }
  put32(plan + RESULT_END, <u32>out);
  put32(plan + RESULT_WIDE, wideRows);
  put32(plan + RESULT_FIXUPS, <u32>((fixups - first) / 12));
  return i - from;
}

/** Room that row number rows[index] wants at most. */
export function rlineRoom(at: usize, rows: usize, index: u32): usize {
  plan = at;
  const row = word(rows, <usize>index);
  if (field(WHOLE)) return bound(textEnd(row, <usize>index) - textStart(row, <usize>index), false);
  let room: usize = 64;
  const list = field(COLUMN_LIST);
  for (let column = list; column < list + field(COLUMNS) * COLUMN_BYTES; column += COLUMN_BYTES) {
    const kind = kindAt(get32(column + 24), row);
    if (kind) {
      const length = word(get32(column + 20), row) - word(get32(column + 16), row);
      room += <usize>get32(column + 12) + bound(length, kind == RAW && field(FORMAT) != 0);
    }
  }
  return room;
}

@inline function textStart(row: usize, index: usize): usize {
  const offsets = field(OFFSETS);
  return offsets ? field(BASE) + <usize>get32(offsets + (index << 2)) : word(field(ROW_STARTS), row);
}

/** Encoded texts end with a line feed, which is not part of the row. */
@inline function textEnd(row: usize, index: usize): usize {
  const offsets = field(OFFSETS);
  return offsets ? field(BASE) + <usize>get32(offsets + (index << 2) + 4) - 1 : word(field(ROW_ENDS), row);
}

function encodeColumns(row: usize, out: usize): usize {
  const start = out;
  let count: u64 = 0;
  if (json) put8(out++, 0x7b);
  else out += 8;
  const list = field(COLUMN_LIST);
  for (let column = list; column < list + field(COLUMNS) * COLUMN_BYTES; column += COLUMN_BYTES) {
    const kind = kindAt(get32(column + 24), row);
    if (kind == 0 || kind == NULL) continue;
    const before = out;
    if (json) {
      if (count) put8(out++, 0x2c);
      copy(out, get32(column + 8), get32(column + 12));
      out += <usize>get32(column + 12);
    } else {
      const length = <usize>get32(column + 4);
      put64(out, length);
      copy(out + 8, get32(column), length);
      out += 8 + length;
    }
    const p = word(get32(column + 16), row);
    const end = word(get32(column + 20), row);
    valueIsWide = false;
    const next = encodeValue(kind, p, end, get32(column + 28), out);
    if (next == 0) return 0;
    if (valueIsWide) markWide(get32(column), get32(column + 4));
    if (next == out) out = before;
    else {
      out = next;
      count++;
    }
  }
  return closeRow(start, count, out);
}

/** A whole row from its text: a valid JSON object. */
function encodeText(p: usize, end: usize, out: usize): usize {
  const start = out;
  let count: u64 = 0;
  if (json) put8(out++, 0x7b);
  else out += 8;
  p = skipSpace(p + 1);
  while (p < end && get8(p) == QUOTE) {
    const name = p + 1;
    p = skipString(p, end);
    const nameEnd = p - 1;
    p = skipSpace(skipSpace(p) + 1);
    const value = p;
    p = skipValue(p, end);
    const kind = tokenKind(value, p);
    if (kind != NULL) {
      const before = out;
      if (json) {
        if (count) put8(out++, 0x2c);
        put8(out, QUOTE);
        copy(out + 1, name, nameEnd - name);
        out += 1 + (nameEnd - name);
        put32(out, 0x227b3a22); // ":{"
        out += 4;
      } else {
        const behind = unescape(name, nameEnd, out + 8);
        put64(out, behind - out - 8);
        out = behind;
      }
      valueIsWide = false;
      const next = encodeValue(kind, value, p, 0, out);
      if (next == 0) return 0;
      if (valueIsWide) markWide(name, nameEnd - name);
      if (next == out) out = before;
      else {
        out = next;
        count++;
      }
    }
    p = skipSpace(p);
    if (get8(p) == 0x2c) p = skipSpace(p + 1);
  }
  return closeRow(start, count, out);
}

/** The row holds such an integer in this column. Rows mostly have the same names in the same order: one comparison finds it. */
function markWide(name: usize, length: usize): void {
  const names = get32(wideTable);
  for (let i: u32 = 0; i < names; i++) {
    const entry = wideTable + 4 + <usize>i * 12;
    if (<usize>get32(entry + 4) == length && (<usize>get32(entry) == name || sameBytes(get32(entry), name, length))) {
      wideMask |= 1 << i;
      return;
    }
  }
  if (names == WIDE_NAMES) {
    wideMask |= 1 << 31;
    return;
  }
  const entry = wideTable + 4 + <usize>names * 12;
  put32(entry, <u32>name);
  put32(entry + 4, <u32>length);
  put32(entry + 8, 0);
  put32(wideTable, names + 1);
  wideMask |= 1 << names;
}

/** Only now: a row that has no room is begun again. */
function countWide(): void {
  for (let mask = wideMask; mask; mask &= mask - 1) {
    const rows = wideTable + 12 + <usize>ctz(mask) * 12;
    put32(rows, get32(rows) + 1);
  }
}

@inline function closeRow(start: usize, count: u64, out: usize): usize {
  if (!json) {
    put64(start, count);
    return out;
  }
  put8(out, 0x7d);
  put8(out + 1, 0x0a);
  return out + 2;
}

/** A value with its tag. Returns `out` itself when there is nothing to send, 0 when the fixups are full. */
function encodeValue(kind: u32, p: usize, end: usize, type: u32, out: usize): usize {
  if (type == TYPE_JSON && kind != RAW) return putText(kind == STRING ? OBJECT : kind, p, end, out);
  if (type == TYPE_BYTES && (kind == STRING || kind == RAW || kind == LIST)) {
    const count = decodedBytes(kind, p, end);
    if (count >= 0) return json ? putBytesJson(kind, p, end, out) : putBytes(kind, p, end, <usize>count, out);
  }
  if (kind == INTEGER) {
    if (type == TYPE_FLOAT) return putFloat(p, end, out);
    if (readInteger(p, end) != GOOD) return putText(OBJECT, p, end, out);
    return putInteger(integerValue, p, end, out);
  }
  if (kind == FLOAT) return putFloat(p, end, out);
  if (kind == TRUE || kind == FALSE) {
    const value: i64 = kind == TRUE ? 1 : 0;
    if (!json) return putInteger(value, p, end, out);
    out = openJson(TAG_INTEGER, out);
    put8(out, 0x30 + <u32>value);
    put8(out + 1, 0x7d);
    return out + 2;
  }
  if (kind == LIST) return putList(p, end, type, out);
  return putText(kind, p, end, out);
}

/** Writes `"` name of the tag `":`, behind the opening `{"`. */
function openJson(tag: u32, out: usize): usize {
  if (tag >= TAG_VEC_STRING) {
    put8(out, 0x56); // Vec
    put8(out + 1, 0x65);
    put8(out + 2, 0x63);
    out += 3;
  }
  if (tag == TAG_STRING || tag == TAG_VEC_STRING) {
    put32(out, 0x69727453); // Stri
    put8(out + 4, 0x6e);
    put8(out + 5, 0x67);
    out += 6;
  } else if (tag == TAG_INTEGER || tag == TAG_VEC_INTEGER) {
    put32(out, 0x65746e49); // Inte
    put8(out + 4, 0x67);
    put8(out + 5, 0x65);
    put8(out + 6, 0x72);
    out += 7;
  } else if (tag == TAG_FLOAT || tag == TAG_VEC_FLOAT) {
    put32(out, 0x616f6c46); // Floa
    put8(out + 4, 0x74);
    out += 5;
  } else {
    put8(out, 0x55); // U8
    put8(out + 1, 0x38);
    out += 2;
  }
  put8(out, QUOTE);
  put8(out + 1, 0x3a);
  return out + 2;
}

function putToken(tag: u32, p: usize, end: usize, out: usize): usize {
  out = openJson(tag, out);
  copy(out, p, end - p);
  out += end - p;
  put8(out, 0x7d);
  return out + 1;
}

function putInteger(value: i64, p: usize, end: usize, out: usize): usize {
  if (<i64>(<i32>value) != value) valueIsWide = true;
  if (json) return putToken(TAG_INTEGER, p, end, out);
  put32(out, TAG_INTEGER);
  put64(out + 4, value);
  return out + 12;
}

function putFloat(p: usize, end: usize, out: usize): usize {
  if (json) return putToken(TAG_FLOAT, p, end, out);
  put32(out, TAG_FLOAT);
  return putDouble(p, end, out + 4) ? out + 12 : 0;
}

/** The eight bytes of a number; false when it takes TypeScript and there is no room to say so. */
function putDouble(p: usize, end: usize, out: usize): bool {
  if (readFloat(p, end) == GOOD) {
    putF64(out, floatValue);
    return true;
  }
  if (fixups == fixupEnd) return false;
  put32(fixups, <u32>p);
  put32(fixups + 4, <u32>end);
  put32(fixups + 8, <u32>out);
  fixups += 12;
  putF64(out, 0);
  return true;
}

/** A string; the JSON text of anything that has no type of its own. */
function putText(kind: u32, p: usize, end: usize, out: usize): usize {
  if (json) {
    if (kind == STRING) return putToken(TAG_STRING, p, end, out);
    out = openJson(TAG_STRING, out);
    put8(out, QUOTE);
    out = escape(p, end, out + 1);
    put8(out, QUOTE);
    put8(out + 1, 0x7d);
    return out + 2;
  }
  put32(out, TAG_STRING);
  return putString(kind, p, end, out + 4);
}

/** Length and bytes of a string. */
function putString(kind: u32, p: usize, end: usize, out: usize): usize {
  if (kind != STRING) {
    put64(out, end - p);
    copy(out + 8, p, end - p);
    return out + 8 + (end - p);
  }
  const behind = unescape(p + 1, end - 1, out + 8);
  put64(out, behind - out - 8);
  return behind;
}

function putBytes(kind: u32, p: usize, end: usize, count: usize, out: usize): usize {
  put32(out, TAG_VEC_U8);
  put64(out + 4, count);
  writeBytesOf(kind, p, end, out + 12);
  return out + 12 + count;
}

function putBytesJson(kind: u32, p: usize, end: usize, out: usize): usize {
  if (kind == LIST) return putToken(TAG_VEC_U8, p, end, out);
  out = openJson(TAG_VEC_U8, out);
  put8(out++, 0x5b);
  const count = <usize>decodedBytes(kind, p, end);
  // The bytes stand where the last of the text will: what is written never passes what is still to be read.
  const bytes = out + 4 * count;
  writeBytesOf(kind, p, end, bytes);
  for (let i: usize = 0; i < count; i++) {
    const byte = get8(bytes + i);
    if (i) put8(out++, 0x2c);
    out = writeInteger(byte, out);
  }
  put8(out, 0x5d);
  put8(out + 1, 0x7d);
  return out + 2;
}

/** The tag of an undeclared list: by its elements; NO_TAG: mixed. */
function listTag(p: usize, end: usize, type: u32): u32 {
  let strings = 0;
  let integers = 0;
  let floats = 0;
  let booleans = 0;
  let others = 0;
  let wide = false;
  p = skipSpace(p + 1);
  while (p < end && get8(p) != 0x5d) {
    const value = p;
    p = skipValue(p, end);
    const kind = tokenKind(value, p);
    if (kind == STRING) strings++;
    else if (kind == INTEGER) integers++;
    else if (kind == FLOAT) floats++;
    else if (kind == TRUE || kind == FALSE) booleans++;
    else others++;
    if (kind == INTEGER && floats == 0 && type != (LIST_OF | TYPE_FLOAT)) {
      if (readInteger(value, p) != GOOD) others++;
      else if (<i64>(<i32>integerValue) != integerValue) wide = true;
    }
    p = skipSpace(p);
    if (get8(p) == 0x2c) p = skipSpace(p + 1);
  }
  const numbers = integers + floats;
  if (others) return NO_TAG;
  if (numbers + booleans == 0) {
    if (strings == 0 && type == (LIST_OF | TYPE_INTEGER)) return TAG_VEC_INTEGER;
    if (strings == 0 && type == (LIST_OF | TYPE_FLOAT)) return TAG_VEC_FLOAT;
    return TAG_VEC_STRING;
  }
  if (strings || (numbers && booleans)) return NO_TAG;
  if (floats || type == (LIST_OF | TYPE_FLOAT)) return TAG_VEC_FLOAT;
  if (wide) valueIsWide = true;
  return TAG_VEC_INTEGER;
}

function putList(p: usize, end: usize, type: u32, out: usize): usize {
  const tag = listTag(p, end, type);
  if (tag == NO_TAG) return putText(OBJECT, p, end, out);
  if (json && (tag != TAG_VEC_INTEGER || !holdsLetters(p, end))) return putToken(tag, p, end, out);
  let count: u64 = 0;
  const start = out;
  if (json) {
    out = openJson(tag, out);
    put8(out++, 0x5b);
  } else {
    put32(out, tag);
    out += 12;
  }
  p = skipSpace(p + 1);
  while (p < end && get8(p) != 0x5d) {
    const value = p;
    p = skipValue(p, end);
    if (json) {
      // Only lists of booleans come here.
      if (count) put8(out++, 0x2c);
      put8(out++, get8(value) == 0x74 ? 0x31 : 0x30);
    } else if (tag == TAG_VEC_STRING) out = putString(STRING, value, p, out);
    else if (tag == TAG_VEC_FLOAT) {
      if (!putDouble(value, p, out)) return 0;
      out += 8;
    } else {
      const first = get8(value);
      let number: i64 = first == 0x74 ? 1 : 0;
      if (first != 0x74 && first != 0x66) {
        readInteger(value, p);
        number = integerValue;
      }
      put64(out, number);
      out += 8;
    }
    count++;
    p = skipSpace(p);
    if (get8(p) == 0x2c) p = skipSpace(p + 1);
  }
  if (!json) {
    put64(start + 4, count);
    return out;
  }
  put8(out, 0x5d);
  put8(out + 1, 0x7d);
  return out + 2;
}

/** True for `[true,…`: a list of booleans. */
@inline function holdsLetters(p: usize, end: usize): bool {
  const first = get8(skipSpace(p + 1));
  return first == 0x74 || first == 0x66;
}
