// Rows to CSV. The plan is that of encode-rows.ts with the columns of every row, in order, and the separator in its word 3.
//
// A text is quoted where it must be (it holds a separator, a quote or a line end) and where it is empty: an absent value and null
// are nothing at all, so that reading tells them apart again. A row of one column that is absent is "" too: a blank line would be
// no row. Lists and objects are their JSON text.
import { copy, declareOutput, get8, getV, put32, put8 } from './access';
import { kindAt, word } from './columns-read';
import { NULL, STRING } from './convert';
import {
  COLUMNS, COLUMN_BYTES, COLUMN_ENDS, COLUMN_KINDS, COLUMN_LIST, COLUMN_STARTS, RESULT, SEPARATOR, copyShort, field, isTight, setTight,
} from './encode-rows';
import { NEWLINE, QUOTE, RETURN } from './json-token';
import { findBackslash, findByte, unescape } from './text';

/** Bytes that copies may write in excess. */
const SLACK: usize = 16;

let separator: u32 = 0;

/** True when the text must stand in quotes. `exact`: nothing behind it may be read. */
function mustQuote(p: usize, end: usize, exact: bool): bool {
  if (ASC_FEATURE_SIMD && !exact) {
    // What stands behind the text is left out of the mask.
    while (p < end) {
      const v = getV(p);
      const ends = v128.or(i8x16.eq(v, i8x16.splat(<i8>NEWLINE)), i8x16.eq(v, i8x16.splat(<i8>RETURN)));
      const others = v128.or(i8x16.eq(v, i8x16.splat(<i8>QUOTE)), i8x16.eq(v, i8x16.splat(<i8>separator)));
      const found = <u32>i8x16.bitmask(v128.or(ends, others));
      const left = end - p;
      if (left < 16) return (found & ((<u32>1 << <u32>left) - 1)) != 0;
      if (found) return true;
      p += 16;
    }
    return false;
  }
  while (p < end) {
    const c = get8(p++);
    if (c == QUOTE || c == separator || c == NEWLINE || c == RETURN) return true;
  }
  return false;
}

/** Room that a value may want. */
@inline function valueBound(length: usize): usize {
  return 2 * length + 8;
}

/** Writes text in quotes, those inside it doubled. The text may lie in front of where it is written, as far as it is long. */
function writeQuoted(p: usize, end: usize, out: usize): usize {
  put8(out++, QUOTE);
  while (true) {
    const quote = findByte(p, end, QUOTE);
    copy(out, p, quote - p);
    out += quote - p;
    if (quote == end) break;
    put8(out, QUOTE);
    put8(out + 1, QUOTE);
    out += 2;
    p = quote + 1;
  }
  put8(out, QUOTE);
  return out + 1;
}

function writeValue(kind: u32, p: usize, end: usize, out: usize): usize {
  let exact = false;
  if (kind == STRING) {
    p++;
    end--;
    if (findBackslash(p, end) != end) {
      // Far enough behind that doubled quotes never catch up with what is still to be copied.
      const plain = out + (end - p) + 4;
      end = unescape(p, end, plain);
      p = plain;
      exact = isTight();
    }
  }
  if (p == end || mustQuote(p, end, exact)) return writeQuoted(p, end, out);
  copyShort(out, p, end - p);
  return out + (end - p);
}

function rowBound(plan: usize, row: usize): usize {
  let bytes: usize = 3;
  let at = field(plan, COLUMN_LIST);
  for (let i = field(plan, COLUMNS); i > 0; i--, at += COLUMN_BYTES) {
    bytes++;
    const kind = kindAt(field(at, COLUMN_KINDS), row);
    if (kind && kind != NULL) bytes += valueBound(word(field(at, COLUMN_ENDS), row) - word(field(at, COLUMN_STARTS), row));
  }
  return bytes;
}

function writeRow(plan: usize, row: usize, out: usize): usize {
  const first = out;
  let at = field(plan, COLUMN_LIST);
  for (let i = field(plan, COLUMNS); i > 0; i--, at += COLUMN_BYTES) {
    if (at != field(plan, COLUMN_LIST)) put8(out++, separator);
    const kind = kindAt(field(at, COLUMN_KINDS), row);
    if (kind && kind != NULL) {
      out = writeValue(kind, word(field(at, COLUMN_STARTS), row), word(field(at, COLUMN_ENDS), row), out);
    }
  }
  if (out == first) {
    put8(out, QUOTE);
    put8(out + 1, QUOTE);
    out += 2;
  }
  put8(out, NEWLINE);
  return out + 1;
}

/** As `encodeRows` does. */
export function encodeCsv(plan: usize, rows: usize, from: u32, to: u32, out: usize, outEnd: usize, offsets: usize): u32 {
  declareOutput(out, outEnd);
  separator = <u32>field(plan, SEPARATOR);
  rows += <usize>from << 2;
  const n = <usize>(to - from);
  const origin = out;
  let i: usize = 0;
  for (; i < n; i++) {
    const row = word(rows, i);
    const room = outEnd - out;
    const bound = rowBound(plan, row);
    if (bound > room) break;
    setTight(bound + SLACK > room);
    if (offsets) put32(offsets + (i << 2), <u32>(out - origin));
    out = writeRow(plan, row, out);
  }
  put32(plan + RESULT, <u32>(out - origin));
  if (offsets) put32(offsets + (i << 2), <u32>(out - origin));
  return <u32>i;
}
