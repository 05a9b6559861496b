// Pairs of keys and values (`level=info user="Jo Doe"`) to columns.
import { get8, put8, put32 } from '../access';
import { alloc, release } from '../arena';
import { kindAt, word } from '../columns-read';
import { RAW, TRUE } from '../convert';
import { BACKSLASH, findByte, sameBytes } from '../text';
import { clearFields, fieldNamed, fieldsFull, firstField, putField } from './fields';
import { ARENA_FULL, BEHIND_QUOTE, NO_KEY, NO_SEPARATOR, OPEN_QUOTE, TOO_MANY_FIELDS } from './problems';

const QUOTE: u32 = 0x22;

let pair: usize = 0;
let pairLength: usize = 0;
/** Pairs are separated by blanks, any number of them. */
let blank = false;
let equals: usize = 0;
let equalsLength: usize = 0;
let quoted = false;
/** A key alone is true; otherwise it is a mistake. */
let alone = false;
/** Points to `true`. */
let truth: usize = 0;

let problem: u32 = 0;
let problemAt: usize = 0;

function fail(code: u32, at: usize): usize {
  problem = code;
  problemAt = at;
  return 0;
}

@inline function isBlank(c: u32): bool {
  return c == 0x20 || c == 0x09 || c == 0x0d || c == 0x0a;
}

function skipBlanks(p: usize, end: usize): usize {
  while (p < end && isBlank(get8(p))) p++;
  return p;
}

@inline function isAt(p: usize, end: usize, text: usize, length: usize): bool {
  return end - p >= length && get8(p) == get8(text) && sameBytes(p, text, length);
}

@inline function isPairEnd(p: usize, end: usize): bool {
  return blank ? isBlank(get8(p)) : isAt(p, end, pair, pairLength);
}

/** First separator of pairs from `p` on, else `end`. */
function findPairEnd(p: usize, end: usize): usize {
  if (blank) {
    while (p < end && !isBlank(get8(p))) p++;
    return p;
  }
  const first = get8(pair);
  while (p < end) {
    p = findByte(p, end, first);
    if (p == end || isAt(p, end, pair, pairLength)) return p;
    p++;
  }
  return end;
}

/** The separators of {@link parsePairs}; an empty pair separator stands for blanks. */
export function setPairs(
  pairText: usize, pairBytes: usize, equalsText: usize, equalsBytes: usize, quotes: u32, keysAlone: u32, word: usize,
): void {
  pair = pairText;
  pairLength = pairBytes;
  blank = pairBytes == 0;
  equals = equalsText;
  equalsLength = equalsBytes;
  quoted = quotes != 0;
  alone = keysAlone != 0;
  truth = word;
}

/** Reads the pairs in each text of kind RAW into the open fields; see parseJson. */
export function parsePairs(starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, problems: usize): i32 {
  let bad = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    put32(problems + (row << 2), 0);
    if (kindAt(kinds, row) != RAW) continue;
    const start = word(starts, row);
    firstField();
    if (parseText(start, word(ends, row), row)) continue;
    if (problem == ARENA_FULL) return -1;
    put32(problems + (row << 2), problem | (<u32>min<usize>(problemAt - start, 0xffffff) << 8));
    clearFields(row);
    bad++;
  }
  return bad;
}

function parseText(p: usize, end: usize, row: usize): bool {
  while (true) {
    p = skipBlanks(p, end);
    if (p == end) return true;
    if (!blank && isAt(p, end, pair, pairLength)) {
      p += pairLength;
      continue;
    }
    p = parsePair(p, end, row);
    if (!p) return false;
  }
}

/** The key at `p`, up to what ends it. */
let keyStart: usize = 0;
let keyEnd: usize = 0;

function parsePair(p: usize, end: usize, row: usize): usize {
  const from = p;
  p = readKey(p, end);
  if (!p) return 0;
  if (keyStart == keyEnd) return fail(NO_KEY, from);
  const separated = isAt(p, end, equals, equalsLength);
  if (!separated && !alone) return fail(NO_SEPARATOR, from);
  const column = fieldNamed(keyStart, keyEnd);
  if (!column && fieldsFull()) return fail(fieldsFull() == 1 ? TOO_MANY_FIELDS : ARENA_FULL, from);
  if (!separated) {
    if (column) putField(column, row, truth, truth + 4, TRUE);
    return p;
  }
  p += equalsLength;
  if (!blank) p = skipBlanks(p, end);
  if (quoted && p < end && get8(p) == QUOTE) return readQuoted(p, end, row, column);
  let stop = findPairEnd(p, end);
  const behind = stop;
  if (!blank) while (stop > p && isBlank(get8(stop - 1))) stop--;
  if (column) putField(column, row, p, stop, RAW);
  return behind;
}

/** Sets keyStart and keyEnd; returns the pointer behind the key. */
function readKey(p: usize, end: usize): usize {
  if (quoted && get8(p) == QUOTE) {
    const close = findByte(p + 1, end, QUOTE);
    if (close == end) return fail(OPEN_QUOTE, p);
    keyStart = p + 1;
    keyEnd = close;
    return close + 1;
  }
  keyStart = p;
  while (p < end && !isPairEnd(p, end) && !isAt(p, end, equals, equalsLength)) p++;
  keyEnd = p;
  while (keyEnd > keyStart && isBlank(get8(keyEnd - 1))) keyEnd--;
  return p;
}

/** The quoted value whose opening quote is at `p`. */
function readQuoted(p: usize, end: usize, row: usize, column: usize): usize {
  const open = p++;
  const start = p;
  let escaped = false;
  while (p < end && get8(p) != QUOTE) {
    if (get8(p) == BACKSLASH) {
      escaped = true;
      p++;
    }
    p++;
  }
  if (p >= end) return fail(OPEN_QUOTE, open);
  const stop = p++;
  if (p < end && !isPairEnd(p, end)) {
    const next = blank ? p : skipBlanks(p, end);
    if (next < end && !isPairEnd(next, end)) return fail(BEHIND_QUOTE, p);
  }
  if (!column) return p;
  if (!escaped) {
    putField(column, row, start, stop, RAW);
    return p;
  }
  const out = alloc(stop - start);
  if (!out) return fail(ARENA_FULL, open);
  const outEnd = unquote(start, stop, out);
  release((outEnd + 15) & ~15);
  putField(column, row, out, outEnd, RAW);
  return p;
}

/** Takes out `\"`, `\\`, `\n`, `\r` and `\t`; any other backslash stands for itself. */
function unquote(p: usize, end: usize, out: usize): usize {
  while (p < end) {
    let c = get8(p++);
    if (c == BACKSLASH && p < end) {
      const next = get8(p);
      let plain: u32 = 0;
      if (next == QUOTE || next == BACKSLASH) plain = next;
      else if (next == 0x6e) plain = 0x0a;
      else if (next == 0x72) plain = 0x0d;
      else if (next == 0x74) plain = 0x09;
      if (plain) {
        c = plain;
        p++;
      }
    }
    put8(out++, c);
  }
  return out;
}
