// Texts with parts of them hidden.
import { copy, get8, put32, put8 } from '../access';
import { alloc, release } from '../arena';
import { kindAt, word } from '../columns-read';
import { RAW } from '../convert';

/** The bytes of the one character that hides others. */
let mark: usize = 0;
let markLength: usize = 0;
let out: usize = 0;

@inline function writeMarks(count: usize): void {
  for (let i: usize = 0; i < count; i++) {
    for (let k: usize = 0; k < markLength; k++) put8(out++, get8(mark + k));
  }
}

/** Pointer behind `count` characters from `p` on, at most `end`. */
function skipCharacters(p: usize, end: usize, count: usize): usize {
  while (p < end) {
    if ((get8(p) & 0xc0) != 0x80) {
      if (count == 0) return p;
      count--;
    }
    p++;
  }
  return p;
}

function countCharacters(p: usize, end: usize): usize {
  let count: usize = 0;
  for (; p < end; p++) if ((get8(p) & 0xc0) != 0x80) count++;
  return count;
}

/** Takes room for the text of a row that becomes at most `bytes` long. */
function open(bytes: usize): bool {
  out = alloc(bytes);
  return out != 0;
}

/** The text that began at `from` is the row's value now. */
function close(starts: usize, ends: usize, row: usize, from: usize): void {
  put32(starts + (row << 2), <u32>from);
  put32(ends + (row << 2), <u32>out);
  release((out + 15) & ~15);
}

/**
 * Leaves the first and last characters of texts of kind RAW, in place in the column's arrays. A text that has no more than these is hidden
 * as a whole. `length`: how many marks stand for what is hidden; 0: one for each character. Returns -1 when the arena is full.
 */
export function maskEnds(
  starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, first: u32, last: u32, length: u32, markText: usize, markBytes: usize,
): i32 {
  mark = markText;
  markLength = markBytes;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    if (kindAt(kinds, row) != RAW) continue;
    const p = word(starts, row);
    const end = word(ends, row);
    const count = countCharacters(p, end);
    const shown = <u64>first + <u64>last < <u64>count;
    const hidden = shown ? count - <usize>first - <usize>last : count;
    const marks = length ? <usize>length : hidden;
    if (!open(end - p + marks * markLength)) return -1;
    const from = out;
    const stop = shown ? skipCharacters(p, end, <usize>first) : p;
    copy(out, p, stop - p);
    out += stop - p;
    writeMarks(marks);
    if (shown) {
      const rest = skipCharacters(stop, end, hidden);
      copy(out, rest, end - rest);
      out += end - rest;
    }
    close(starts, ends, row, from);
  }
  return 0;
}

@inline function isDigit(c: u32): bool {
  return c - 0x30 < 10;
}

@inline function isLetter(c: u32): bool {
  return (c | 0x20) - 0x61 < 26;
}

/** Bytes beyond ASCII count as letters: they belong to words. */
@inline function isWord(c: u32): bool {
  return isDigit(c) || isLetter(c) || c >= 0x80;
}

/** What the part of an e-mail address before the @ may hold, besides words. */
@inline function isLocal(c: u32): bool {
  return isWord(c) || c == 0x2e || c == 0x5f || c == 0x25 || c == 0x2b || c == 0x2d || c == 0x27;
}

const LOCAL_BYTES: usize = 64;
const MARKS: usize = 3;

/** True when a domain of at least two labels stands at `p`, the last one of two letters or more. */
function isDomain(p: usize, end: usize): bool {
  const stop = min(end, p + 253);
  let label = p;
  let dots = 0;
  let letters: usize = 0;
  for (; p < stop; p++) {
    const c = get8(p);
    if (c == 0x2e) {
      if (p == label) break;
      if (dots && letters >= 2 && p - label == letters) return true;
      dots++;
      label = p + 1;
      letters = 0;
    } else if (isLetter(c) || c >= 0x80) letters++;
    else if (!isDigit(c) && c != 0x2d) break;
  }
  return dots > 0 && letters >= 2;
}

/** At an @: hides the part of an address before it, which is written already, but for its first character. */
function hideLocal(p: usize, start: usize, floor: usize): void {
  let from = p;
  const bound = p - start > LOCAL_BYTES * 4 ? p - LOCAL_BYTES * 4 : start;
  while (from > bound && isLocal(get8(from - 1))) from--;
  // What was hidden before is not looked at again.
  const length = min(p - from, out - floor);
  if (length == 0) return;
  const local = out - length;
  let shown: usize = 1;
  while (shown < length && (get8(local + shown) & 0xc0) == 0x80) shown++;
  out = local + shown;
  writeMarks(MARKS);
}

/** Digits doubled as Luhn's check wants it. */
@inline function doubled(digit: u32): u32 {
  return digit > 4 ? digit * 2 - 9 : digit * 2;
}

const LEAST_DIGITS = 13;
const MOST_DIGITS = 19;
const SHOWN_DIGITS = 4;
/** Digits of the number found by {@link findCard}. */
let cardDigits = 0;

/** The end of the card number that begins at `p`: 13 to 19 digits, in groups or not, that fulfil Luhn's check. 0: there is none. */
function findCard(p: usize, end: usize): usize {
  let even: u32 = 0;
  let odd: u32 = 0;
  let count = 0;
  let found: usize = 0;
  while (p < end && count <= MOST_DIGITS) {
    const c = get8(p);
    if (!isDigit(c)) {
      // One blank or dash between groups.
      if ((c != 0x20 && c != 0x2d) || p + 1 >= end || !isDigit(get8(p + 1))) break;
      p++;
      continue;
    }
    const digit = c - 0x30;
    even += count & 1 ? digit : doubled(digit);
    odd += count & 1 ? doubled(digit) : digit;
    count++;
    p++;
    if (count < LEAST_DIGITS || count > MOST_DIGITS || (p < end && isWord(get8(p)))) continue;
    if ((count & 1 ? odd : even) % 10 == 0) {
      found = p;
      cardDigits = count;
    }
  }
  return found;
}

function writeCard(p: usize, end: usize): void {
  let left = cardDigits;
  for (; p < end; p++) {
    const c = get8(p);
    if (isDigit(c) && left-- > SHOWN_DIGITS) writeMarks(1);
    else put8(out++, c);
  }
}

const EMAIL: u32 = 1;
const CARD: u32 = 2;

/** Hides e-mail addresses (1) and card numbers (2) inside texts of kind RAW, as maskEnds. */
export function maskPatterns(
  starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, patterns: u32, markText: usize, markBytes: usize,
): i32 {
  mark = markText;
  markLength = markBytes;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    if (kindAt(kinds, row) != RAW) continue;
    const start = word(starts, row);
    const end = word(ends, row);
    if (!open((end - start) * (MARKS + 1) * markLength)) return -1;
    const from = out;
    maskText(start, end, patterns, from);
    close(starts, ends, row, from);
  }
  return 0;
}

function maskText(start: usize, end: usize, patterns: u32, floor: usize): void {
  let p = start;
  while (p < end) {
    const c = get8(p);
    if (c == 0x40 && patterns & EMAIL && isDomain(p + 1, end)) {
      hideLocal(p, start, floor);
      put8(out++, c);
      p++;
      floor = out;
    } else if (patterns & CARD && isDigit(c) && (p == start || !isWord(get8(p - 1)))) {
      const card = findCard(p, end);
      if (card) {
        writeCard(p, card);
        p = card;
        floor = out;
        continue;
      }
      while (p < end && isDigit(get8(p))) put8(out++, get8(p++));
    } else {
      put8(out++, c);
      p++;
    }
  }
}
