// The JSON form of an answer: {"Ok":{"name":{"Type":value}}} or {"Err":"text"}. Strings and lists stay where they are, as tokens.
import { get32, get8, put8 } from './access';
import { FLOAT, INTEGER, LIST, NULL, RAW, STRING } from './convert';
import { GOOD, integerValue, readInteger } from './convert-number';
import { MAX_DEPTH, skipScalar } from './json-nested';
import { columnOf, keepText, setToken, sentStart, sentStop, spend, takeError, takeText } from './rline-decode';
import { decodedBytes, writeBase64, writeBytesOf } from './rline-bytes';
import { TAG_FLOAT, TAG_INTEGER, TAG_STRING, TAG_VEC_FLOAT, TAG_VEC_INTEGER, TAG_VEC_STRING, TAG_VEC_U8 } from './rline-encode';
import { QUOTE, findBackslash, findByte, sameBytes, skipSpace, skipString, skipValue, tokenKind, unescape } from './text';

const NEWLINE: u32 = 0x0a;

/** Where the answer that is checked ends. */
let answerEnd: usize = 0;

/** All of [p, end) but white space around it. `scratch`: room for nesting. */
export function readJsonAnswer(p: usize, end: usize, scratch: usize): bool {
  if (!spend(end - p)) return false;
  while (p < end && isSpace(get8(p))) p++;
  while (end > p && isSpace(get8(end - 1))) end--;
  if (end - p < 2 || get8(p) != 0x7b) return false;
  // A newline ends what the scanner reads. The bytes behind the answer are the guest's next answer, or nobody's: not yet, or no more, read.
  const behind = get8(end);
  put8(end, NEWLINE);
  answerEnd = end;
  const stop = skipValid(p, scratch);
  put8(end, behind);
  if (stop != end) return false;
  // No string holds a newline. Tokens go out as they stand, and there a newline would end the row.
  for (let at = findByte(p, end, NEWLINE); at != end; at = findByte(at, end, NEWLINE)) put8(at, 0x20);
  return readResult(p, end);
}

@inline function skipBlank(p: usize): usize {
  while (p < answerEnd && isSpace(get8(p))) p++;
  return p;
}

@inline function isSpace(c: u32): bool {
  return c == 0x20 || c == NEWLINE || c == 0x0d || c == 0x09;
}

/** Pointer behind the object at `p`, all of which is checked; 0: it is not valid. `closing`: for each level, the byte that closes it. */
function skipValid(p: usize, closing: usize): usize {
  let level: usize = 0;
  while (true) {
    const c = get8(p);
    if (c == 0x7b || c == 0x5b) {
      if (level == <usize>MAX_DEPTH) return 0;
      put8(closing + level++, c + 2);
      p = skipBlank(p + 1);
      if (get8(p) != c + 2) {
        if (c == 0x7b) p = skipMemberKey(p);
        if (!p) return 0;
        continue;
      }
    } else {
      p = skipScalar(p);
      if (!p) return 0;
      p = skipBlank(p);
    }
    while (get8(p) == get8(closing + level - 1)) {
      p++;
      if (--level == 0) return p;
      p = skipBlank(p);
    }
    if (get8(p) != 0x2c) return 0;
    p = skipBlank(p + 1);
    if (get8(closing + level - 1) == 0x7d) p = skipMemberKey(p);
    if (!p) return 0;
  }
}

/** A key with its colon, up to the first byte of its value. */
function skipMemberKey(p: usize): usize {
  if (get8(p) != QUOTE) return 0;
  p = skipScalar(p);
  if (!p) return 0;
  p = skipBlank(p);
  return get8(p) == 0x3a ? skipBlank(p + 1) : 0;
}

/** One member, `Ok` or `Err`. The text is valid JSON from here on. */
function readResult(p: usize, end: usize): bool {
  p = skipSpace(p + 1);
  if (get8(p) != QUOTE) return false;
  const name = p + 1;
  p = skipString(p, end);
  const length = p - 1 - name;
  const value = skipSpace(skipSpace(p) + 1);
  const behind = skipValue(value, end);
  if (get8(skipSpace(behind)) != 0x7d) return false;
  if (length == 3 && get8(name) == 0x45 && get8(name + 1) == 0x72 && get8(name + 2) == 0x72) {
    if (get8(value) != QUOTE) return false;
    return readError(value + 1, behind - 1);
  }
  return length == 2 && get8(name) == 0x4f && get8(name + 1) == 0x6b && get8(value) == 0x7b && readRow(value, behind);
}

function readError(p: usize, end: usize): bool {
  if (findBackslash(p, end) == end) {
    takeError(p, end);
    return true;
  }
  const out = takeText(end - p);
  if (!out) return false;
  const behind = unescape(p, end, out);
  keepText(behind);
  takeError(out, behind);
  return true;
}

function readRow(p: usize, end: usize): bool {
  p = skipSpace(p + 1);
  while (get8(p) == QUOTE) {
    if (!spend(16)) return false;
    const name = p + 1;
    p = skipString(p, end);
    const nameEnd = p - 1;
    p = skipSpace(skipSpace(p) + 1);
    const behind = skipValue(p, end);
    if (get8(p) != 0x7b || !readColumn(name, nameEnd, p, behind)) return false;
    p = skipSpace(behind);
    if (get8(p) == 0x2c) p = skipSpace(p + 1);
  }
  return true;
}

/** {"Type":value} in [p, end). */
function readColumn(name: usize, nameEnd: usize, p: usize, end: usize): bool {
  p = skipSpace(p + 1);
  if (get8(p) != QUOTE) return false;
  const type = p + 1;
  p = skipString(p, end);
  const tag = tagOf(type, p - 1 - type);
  const value = skipSpace(skipSpace(p) + 1);
  const behind = skipValue(value, end);
  if (tag < 0 || get8(skipSpace(behind)) != 0x7d || !isOf(<u32>tag, value, behind)) return false;
  let plain = name;
  let plainEnd = nameEnd;
  if (findBackslash(name, nameEnd) != nameEnd) {
    plain = takeText(nameEnd - name);
    if (!plain) return false;
    plainEnd = unescape(name, nameEnd, plain);
    keepText(plainEnd);
  }
  const column = columnOf(plain, plainEnd - plain);
  if (column < 0) return false;
  if (wasSent(name, nameEnd, <u32>tag, value, behind)) setToken(column, 0, 0, 0);
  else if (tag == TAG_VEC_U8) return setBytes(column, value, behind);
  else setToken(column, value, behind, kindOf(<u32>tag, value, behind));
  return true;
}

@inline function kindOf(tag: u32, value: usize, end: usize): u32 {
  return tag == TAG_INTEGER ? INTEGER : tag == TAG_STRING ? STRING : tag == TAG_FLOAT ? tokenKind(value, end) : LIST;
}

/** The tag of a type's name; -1: none of them. */
function tagOf(p: usize, length: usize): i32 {
  let list = 0;
  if (length > 3 && get8(p) == 0x56 && get8(p + 1) == 0x65 && get8(p + 2) == 0x63) {
    list = 3;
    p += 3;
    length -= 3;
  }
  if (length == 6 && get32(p) == 0x69727453 && get8(p + 4) == 0x6e && get8(p + 5) == 0x67) return TAG_STRING + list;
  if (length == 7 && get32(p) == 0x65746e49 && get8(p + 4) == 0x67 && get8(p + 5) == 0x65 && get8(p + 6) == 0x72) {
    return TAG_INTEGER + list;
  }
  if (length == 5 && get32(p) == 0x616f6c46 && get8(p + 4) == 0x74) return TAG_FLOAT + list;
  return list && length == 2 && get8(p) == 0x55 && get8(p + 1) == 0x38 ? TAG_VEC_U8 : -1;
}

/** Whether a value is of its type. null is a float that is no number. */
function isOf(tag: u32, p: usize, end: usize): bool {
  if (tag == TAG_VEC_U8) return get8(p) == 0x5b && decodedBytes(LIST, p, end) >= 0;
  if (tag < TAG_VEC_STRING) return isScalarOf(tag, p, end);
  if (get8(p) != 0x5b) return false;
  p = skipSpace(p + 1);
  while (get8(p) != 0x5d) {
    const value = p;
    p = skipValue(p, end);
    if (!isScalarOf(tag - TAG_VEC_STRING, value, p)) return false;
    p = skipSpace(p);
    if (get8(p) == 0x2c) p = skipSpace(p + 1);
  }
  return true;
}

function isScalarOf(tag: u32, p: usize, end: usize): bool {
  const kind = tokenKind(p, end);
  if (tag == TAG_STRING) return kind == STRING;
  if (tag == TAG_INTEGER) return kind == INTEGER && readInteger(p, end) == GOOD;
  return kind == INTEGER || kind == FLOAT || kind == NULL;
}

function setBytes(column: i32, p: usize, end: usize): bool {
  const length = <usize>decodedBytes(LIST, p, end);
  const out = takeText(length / 3 * 4 + 8 + length);
  if (!out) return false;
  // The bytes first, behind the room of their text.
  const bytes = out + length / 3 * 4 + 8;
  writeBytesOf(LIST, p, end, bytes);
  const behind = writeBase64(bytes, length, out);
  keepText(behind);
  setToken(column, out, behind, RAW);
  return true;
}

/** Compares with the value of the same name in the JSON row that was sent, as it stands there. Integers by their low 32 bits. */
function wasSent(name: usize, nameEnd: usize, tag: u32, value: usize, end: usize): bool {
  let p = sentStart();
  const stop = sentStop();
  if (p == stop) return false;
  let same = false;
  p++;
  while (get8(p) == QUOTE) {
    const key = p + 1;
    p = skipString(p, stop);
    const found = p - 1 - key == nameEnd - name && sameBytes(key, name, nameEnd - name);
    const wrapped = p + 1;
    p = skipValue(wrapped, stop);
    // `{"Type":`: we wrote it, so nothing else stands there.
    if (found) {
      const type = wrapped + 2;
      const typeEnd = skipString(wrapped + 1, stop) - 1;
      same = tagOf(type, typeEnd - type) == <i32>tag && sameValue(tag, typeEnd + 2, p - 1, value, end);
    }
    if (get8(p) == 0x2c) p++;
  }
  return same;
}

function sameValue(tag: u32, sent: usize, sentEnd: usize, value: usize, end: usize): bool {
  if (sentEnd - sent == end - value && sameBytes(sent, value, end - value)) return true;
  if (tag != TAG_INTEGER || readInteger(sent, sentEnd) != GOOD) return false;
  const before = integerValue;
  return readInteger(value, end) == GOOD && <i32>before == <i32>integerValue;
}
