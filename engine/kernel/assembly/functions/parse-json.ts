// JSON texts to columns: the members of each object, every byte checked by the functions that check rows.
import { copy, GUARD, get8, put8, put32 } from '../access';
import { alloc, release } from '../arena';
import { kindAt, word } from '../columns-read';
import { RAW } from '../convert';
import { fail, failAt, failCode, NOT_OBJECT, SYNTAX, TOO_SHORT, TRAILING } from '../failure';
import { failBehindValue, NESTING_BYTES, skipNested, skipScalar } from '../json-nested';
import {
  CLOSE_OBJECT,
  COLON,
  COMMA,
  isDigit,
  KIND_LIST,
  KIND_OBJECT,
  KIND_STRING,
  MINUS,
  NEWLINE,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
  RETURN,
  scalarKind,
  skipLiteral,
  skipNumber,
  skipSpace,
  skipString,
} from '../json-token';
import { linkInside, openShape, rowStart } from '../shape';
import { findBackslash, findByte, unescape } from '../text';
import { clearFields, fieldCount, fieldNamed, fieldsFull, firstField, noRoom, putField } from './fields';
import { ARENA_FULL, TOO_MANY_FIELDS } from './problems';

let closing: usize = 0;

/**
 * Reads the object in each text of kind RAW into the open fields. `problems` takes a u32 per row: 0, or a code (failure.ts, problems.ts) and
 * the byte where it was seen, shifted left by 8. Returns how many rows are bad; -1: the arena is full.
 */
export function parseJson(starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, problems: usize): i32 {
  let total: usize = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    if (kindAt(kinds, row) == RAW) total += word(ends, row) - word(starts, row) + 1;
  }
  // A newline must stand behind every text, so all are copied.
  let out = alloc(total + GUARD);
  const mark = alloc(NESTING_BYTES);
  closing = mark;
  if (!out || !mark || !openShape()) return -1;
  let bad = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    put32(problems + (row << 2), 0);
    if (kindAt(kinds, row) != RAW) continue;
    const text = out;
    out = copyText(word(starts, row), word(ends, row), out);
    firstField();
    if (parseText(text, row)) continue;
    if (failCode() == ARENA_FULL) return -1;
    const code = failCode() == SYNTAX && failAt() >= out - 1 ? TOO_SHORT : failCode();
    put32(problems + (row << 2), code | ((<u32>min<usize>(failAt() - text, 0xffffff)) << 8));
    clearFields(row);
    bad++;
  }
  return bad;
}

/** Copies a text with a newline behind it; newlines inside become returns, which mean the same between tokens and are refused inside. */
function copyText(p: usize, end: usize, out: usize): usize {
  copy(out, p, end - p);
  const to = out + (end - p);
  let newline = findByte(out, to, NEWLINE);
  while (newline != to) {
    put8(newline, RETURN);
    newline = findByte(newline, to, NEWLINE);
  }
  put8(to, NEWLINE);
  return to + 1;
}

function parseText(p: usize, row: usize): bool {
  p = skipSpace(p);
  if (get8(p) != OPEN_OBJECT) {
    const value = get8(p) == OPEN_LIST ? skipNested(p, 1, linkInside(rowStart()), closing) : skipScalar(p);
    if (value) expectEnd(value, NOT_OBJECT, p);
    return false;
  }
  p = parseObject(p, row);
  return p != 0 && expectEnd(p, 0, p);
}

/** Fails unless nothing but white space follows the value that ends at `p`; with `code` fails in any case. */
function expectEnd(p: usize, code: u32, at: usize): bool {
  const behind = skipSpace(p);
  if (get8(behind) != NEWLINE) {
    failBehindValue(behind, p);
    if (failCode() == SYNTAX) fail(TRAILING, behind);
    return false;
  }
  if (code) fail(code, at);
  return code == 0;
}

/** Puts the members of the object at `p`; returns the pointer behind it, or 0. */
function parseObject(p: usize, row: usize): usize {
  p = skipSpace(p + 1);
  if (get8(p) == CLOSE_OBJECT) return p + 1;
  while (true) {
    if (get8(p) != QUOTE) return fail(SYNTAX, p);
    const key = p + 1;
    p = skipString(p);
    if (!p) return 0;
    const keyEnd = p - 1;
    p = skipSpace(p);
    if (get8(p) != COLON) return fail(SYNTAX, p);
    const value = skipSpace(p + 1);
    const c = get8(value);
    let kind: u32;
    if (c == QUOTE) {
      p = skipString(value);
      kind = KIND_STRING;
    } else if (isDigit(c) || c == MINUS) {
      p = skipNumber(value);
      kind = scalarKind();
    } else if (c == OPEN_OBJECT || c == OPEN_LIST) {
      p = skipNested(value, 2, linkInside(rowStart()), closing);
      kind = c == OPEN_OBJECT ? KIND_OBJECT : KIND_LIST;
    } else {
      p = skipLiteral(value);
      kind = scalarKind();
    }
    if (!p) return 0;
    const column = memberColumn(key, keyEnd);
    if (column) putField(column, row, value, p, kind);
    else if (fieldsFull()) return fail(fieldsFull() == 1 ? TOO_MANY_FIELDS : ARENA_FULL, key);
    const behind = skipSpace(p);
    const next = get8(behind);
    if (next == CLOSE_OBJECT) return behind + 1;
    if (next != COMMA) return failBehindValue(behind, p);
    p = skipSpace(behind + 1);
  }
}

/** The column for the member whose key stands in [key, keyEnd), maybe with escapes. */
function memberColumn(key: usize, keyEnd: usize): usize {
  if (findBackslash(key, keyEnd) == keyEnd) return fieldNamed(key, keyEnd);
  const name = alloc(keyEnd - key);
  if (!name) return noRoom();
  const fields = fieldCount();
  const column = fieldNamed(name, unescape(key, keyEnd, name));
  if (fieldCount() == fields) release(name);
  return column;
}
