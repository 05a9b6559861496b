// Answers of rline guests: found behind their marker, checked, and laid out as columns of tokens.
//
// The plan (u32 words; src/wasm/row-decoding.ts writes it):
//   0 format: 0 bincode, 1 JSON   1 length of a column's arrays   2 columns known   3 room for so many   4 pointer to them
//   5 scratch for JSON   6 result: rows that are not well
// A column (8 words): name (raw): pointer, length; starts, ends, kinds; 1 when it is new since the last call; 2 unused.
//
// A row's result (32 bytes, the shim's; see rline-shim.wat) is rewritten: word 0 becomes a verdict below, words 1 and 2 what was printed
// before the answer, word 3 and 7 the bounds of an error's text.
import { alloc } from './arena';
import { copy, fill, get32, get64, get8, getF64, put32, put8 } from './access';
import { word } from './columns-read';
import { FLOAT, INTEGER, LIST, NULL, RAW } from './convert';
import { writeInteger } from './convert-number';
import { writeDouble } from './rline-double';
import { readJsonAnswer } from './rline-decode-json';
import { sameAsSent } from './rline-sent';
import { TAG_FLOAT, TAG_INTEGER, TAG_STRING, TAG_VEC_FLOAT, TAG_VEC_INTEGER, TAG_VEC_STRING, TAG_VEC_U8 } from './rline-encode';
import { writeBase64 } from './rline-bytes';
import { escape, escapedLength, findByte, sameBytes } from './text';
import { findBadUtf8 } from './utf8';

/** Verdicts on a row. */
const OK: u32 = 16;
const ERR: u32 = 17;
/** No byte 3 anywhere. */
const NO_MARKER: u32 = 18;
/** Behind no marker stands an answer that ends where the output ends. */
const UNREADABLE: u32 = 19;
const TOO_MANY_COLUMNS: u32 = 20;
/** What the shim says of a row that ended. */
const ENDED: u32 = 0;
const EXITED: u32 = 2;
const ENDED_LARGE: u32 = 4;

const COLUMN_BYTES: usize = 32;
const RESULT_BYTES: usize = 32;
const MARKER: u32 = 3;
/** Different names that the answers of one batch may have. */
const MOST_NAMES: u32 = 1024;
const MOST_COLUMNS: u64 = 4096;
/** Bytes and columns that may be looked at for one row, beyond eight times its length: a hostile print holds many markers. */
const EFFORT: i64 = 1 << 20;

let plan: usize = 0;
/** The row that is read, and its input. */
export let row: usize = 0;
let sent: usize = 0;
let sentEnd: usize = 0;
let json = false;
let effort: i64 = 0;
let hint: u32 = 0;
let full = false;
let tooMany = false;
let errorStart: usize = 0;
let errorEnd: usize = 0;
let isError = false;
/** Room for new tokens. */
let textAt: usize = 0;
let textEnd: usize = 0;

export function takeError(start: usize, end: usize): void {
  isError = true;
  errorStart = start;
  errorEnd = end;
}

/** Some of the row's effort is spent; false when none is left. */
export function spend(amount: usize): bool {
  effort -= <i64>amount;
  return effort >= 0;
}

/** Room for `bytes` bytes of a token; 0 when the arena is full. `keepText` says how many were used. */
export function takeText(bytes: usize): usize {
  if (textEnd - textAt < bytes) {
    const block = max<usize>(bytes, 8192);
    textAt = alloc(block + 64);
    if (!textAt) {
      textEnd = 0;
      full = true;
      return 0;
    }
    textEnd = textAt + block;
  }
  return textAt;
}

@inline export function keepText(end: usize): void {
  textAt = end;
}

/**
 * Reads the answers of rows[from..from + n); their results stand one after the other at `results`, their inputs (pairs of u32) at `pairs`.
 * Returns 0, or 1 when the arena is full: then nothing that it left is to be used.
 */
export function decodeRline(at: usize, rows: usize, from: u32, n: u32, results: usize, pairs: usize): u32 {
  plan = at;
  json = get32(at) != 0;
  full = false;
  textAt = 0;
  textEnd = 0;
  let others: u32 = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const result = results + i * RESULT_BYTES;
    const status = get32(result);
    if (status != ENDED && status != ENDED_LARGE && !(status == EXITED && get32(result + 12) == 0)) {
      others++;
      continue;
    }
    row = word(rows, <usize>from + i);
    sent = get32(pairs + (i << 3));
    sentEnd = get32(pairs + (i << 3) + 4);
    const verdict = readAnswer(get32(result + 4), get32(result + 8), result);
    if (full) return 1;
    if (verdict != OK) others++;
    put32(result, verdict);
  }
  put32(plan + 24, others);
  return 0;
}

/** Tries every marker until what follows it reads to the end. */
function readAnswer(start: usize, end: usize, result: usize): u32 {
  effort = EFFORT + 8 * <i64>(end - start);
  tooMany = false;
  let marked = false;
  let p = start;
  while (true) {
    p = findByte(p, end, MARKER);
    if (p == end) break;
    marked = true;
    isError = false;
    hint = 0;
    const good = json ? readJsonAnswer(p + 1, end, get32(plan + 20)) : readBincodeAnswer(p + 1, end);
    if (full) return OK;
    if (good) {
      put32(result + 8, <u32>p);
      if (!isError) return OK;
      forgetRow();
      put32(result + 12, <u32>errorStart);
      put32(result + 28, <u32>errorEnd);
      return ERR;
    }
    forgetRow();
    if (effort < 0) break;
    p++;
  }
  return tooMany ? TOO_MANY_COLUMNS : marked ? UNREADABLE : NO_MARKER;
}

/** A candidate that broke off may have left values. */
function forgetRow(): void {
  const list = get32(plan + 16);
  const count = get32(plan + 8);
  for (let column: u32 = 0; column < count; column++) put8(get32(list + <usize>column * COLUMN_BYTES + 16) + row, 0);
}

/**
 * The column of a name, by its number; new ones are added. -1: none (too many, or the arena is full). `isRaw`: the bytes at `name` may be
 * used beyond this call.
 */
export function columnOf(name: usize, length: usize): i32 {
  const list = get32(plan + 16);
  const count = get32(plan + 8);
  for (let i: u32 = 0; i < count; i++) {
    // Rows have their columns in the same order, mostly.
    let number = hint + i;
    if (number >= count) number -= count;
    const column = list + <usize>number * COLUMN_BYTES;
    if (<usize>get32(column + 4) == length && sameBytes(get32(column), name, length)) {
      hint = number + 1 == count ? 0 : number + 1;
      return <i32>number;
    }
  }
  if (count == MOST_NAMES || count == get32(plan + 12)) {
    tooMany = true;
    return -1;
  }
  const size = <usize>get32(plan + 4);
  const text = alloc(length + 64);
  const starts = alloc(size * 9);
  if (!text || !starts) {
    full = true;
    return -1;
  }
  copy(text, name, length);
  const column = list + <usize>count * COLUMN_BYTES;
  put32(column, <u32>text);
  put32(column + 4, <u32>length);
  put32(column + 8, <u32>starts);
  put32(column + 12, <u32>(starts + size * 4));
  put32(column + 16, <u32>(starts + size * 8));
  fill(starts + size * 8, 0, size);
  put32(column + 20, 1);
  put32(plan + 8, count + 1);
  hint = 0;
  // The token room was cut off by what was taken behind it.
  textAt = textEnd = 0;
  return <i32>count;
}

export function setToken(column: i32, start: usize, end: usize, kind: u32): void {
  const at = get32(plan + 16) + <usize>column * COLUMN_BYTES;
  put32(get32(at + 8) + (row << 2), <u32>start);
  put32(get32(at + 12) + (row << 2), <u32>end);
  put8(get32(at + 16) + row, kind);
}

@inline export function sentStart(): usize {
  return sent;
}

@inline export function sentStop(): usize {
  return sentEnd;
}

/** Result<Row, String> in [p, end), all of it. */
function readBincodeAnswer(p: usize, end: usize): bool {
  if (end - p < 12) return false;
  const tag = get32(p);
  const count = get64(p + 4);
  p += 12;
  if (tag == 1) {
    if (count != <u64>(end - p)) return false;
    takeError(p, end);
    return true;
  }
  if (tag != 0) return false;
  for (let i: u64 = 0; i < count; i++) {
    if (!spend(16) || end - p < 12) return false;
    if (i == MOST_COLUMNS) {
      tooMany = true;
      return false;
    }
    const length = get64(p);
    if (length > <u64>(end - p - 12)) return false;
    const name = p + 8;
    p = name + <usize>length;
    const valueTag = get32(p);
    const behind = skipBincode(valueTag, p + 4, end);
    if (!behind || !spend(<usize>length) || findBadUtf8(name, name + <usize>length) != name + <usize>length) return false;
    const column = columnOf(name, <usize>length);
    if (column < 0) return false;
    if (sameAsSent(sent, sentEnd, name, <usize>length, p, behind)) setToken(column, 0, 0, 0);
    else if (!setBincode(column, valueTag, p + 4, behind)) return false;
    p = behind;
  }
  return p == end;
}

/** Pointer behind a value whose tag stands before `p`; 0 when it is cut short, of no known tag, or no UTF-8. */
function skipBincode(tag: u32, p: usize, end: usize): usize {
  if (tag > TAG_VEC_U8 || end - p < 8) return 0;
  if (tag == TAG_INTEGER || tag == TAG_FLOAT) return p + 8;
  let count = get64(p);
  p += 8;
  if (tag == TAG_STRING) return skipUtf8(count, p, end);
  if (tag == TAG_VEC_STRING) {
    for (; count > 0; count--) {
      if (end - p < 8) return 0;
      p = skipUtf8(get64(p), p + 8, end);
      if (!p || !spend(8)) return 0;
    }
    return p;
  }
  const width: u64 = tag == TAG_VEC_U8 ? 1 : 8;
  return count > <u64>(end - p) / width ? 0 : p + <usize>(count * width);
}

function skipUtf8(length: u64, p: usize, end: usize): usize {
  if (length > <u64>(end - p) || !spend(<usize>length)) return 0;
  const behind = p + <usize>length;
  return findBadUtf8(p, behind) == behind ? behind : 0;
}

/** Lays the value [p, end) down as a token; false when there is no room. */
function setBincode(column: i32, tag: u32, p: usize, end: usize): bool {
  if (tag == TAG_STRING) {
    setToken(column, p + 8, end, RAW);
    return true;
  }
  if (tag == TAG_INTEGER) {
    const out = takeText(24);
    if (!out) return false;
    const behind = writeInteger(<i64>get64(p), out);
    keepText(behind);
    setToken(column, out, behind, INTEGER);
    return true;
  }
  if (tag == TAG_FLOAT) {
    const out = takeText(40);
    if (!out) return false;
    const behind = writeDouble(getF64(p), out);
    keepText(behind);
    setToken(column, out, behind, get8(out) == 0x6e ? NULL : FLOAT);
    return true;
  }
  if (tag == TAG_VEC_U8) {
    const length = <usize>get64(p);
    const out = takeText(length / 3 * 4 + 8);
    if (!out) return false;
    const behind = writeBase64(p + 8, length, out);
    keepText(behind);
    setToken(column, out, behind, RAW);
    return true;
  }
  return setList(column, tag, p, end);
}

function setList(column: i32, tag: u32, p: usize, end: usize): bool {
  const count = <usize>get64(p);
  p += 8;
  const room = tag == TAG_VEC_STRING ? listedStrings(p, count) : count * (tag == TAG_VEC_INTEGER ? 21 : 33);
  const out = takeText(room + 2);
  if (!out) return false;
  let at = out;
  put8(at++, 0x5b);
  for (let i: usize = 0; i < count; i++) {
    if (i) put8(at++, 0x2c);
    if (tag == TAG_VEC_STRING) {
      const length = <usize>get64(p);
      put8(at, 0x22);
      at = escape(p + 8, p + 8 + length, at + 1);
      put8(at++, 0x22);
      p += 8 + length;
    } else {
      at = tag == TAG_VEC_INTEGER ? writeInteger(<i64>get64(p), at) : writeDouble(getF64(p), at);
      p += 8;
    }
  }
  put8(at++, 0x5d);
  keepText(at);
  setToken(column, out, at, LIST);
  return true;
}

/** Room that strings take in a JSON list. */
function listedStrings(p: usize, count: usize): usize {
  let room: usize = 0;
  for (let i: usize = 0; i < count; i++) {
    const length = <usize>get64(p);
    room += 3 + escapedLength(p + 8, p + 8 + length);
    p += 8 + length;
  }
  return room;
}
