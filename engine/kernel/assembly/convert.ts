// The conversion matrix (docs/conversions.md): a JSON token and a declared type give the same bytes, other bytes, or a refusal.
// Decided by the token; nothing is materialised that the type does not ask for.
import { copy, get8, put8 } from './access';
import { GOOD, MISSING, RANGE, WRONG, checkFinite, integerValue, numberKind, readFloat, readInteger, readWhole, setFloat, setInteger, writeInteger } from './convert-number';
import { BACKSLASH, QUOTE, decodeEscape, escape, escapeBytes, escapeEnd, escapeLength, findBackslash, skipSpace, skipValue, tokenKind, unescape } from './text';

export const STRING: u32 = 1;
export const INTEGER: u32 = 2;
export const FLOAT: u32 = 3;
export const TRUE: u32 = 4;
export const FALSE: u32 = 5;
export const NULL: u32 = 6;
export const OBJECT: u32 = 7;
export const LIST: u32 = 8;
/** A string as raw UTF-8, without quotes and escapes. Only inside the engine. */
export const RAW: u32 = 9;
export const KIND: u32 = 0x0f;

/** Declared types as TypeScript numbers them (`columnTypeCodes`); a list type is LIST_OF plus its element's. */
export const TYPE_ANY: u32 = 0;
export const TYPE_STRING: u32 = 1;
export const TYPE_INTEGER: u32 = 2;
export const TYPE_FLOAT: u32 = 3;
export const TYPE_BOOLEAN: u32 = 4;
export const TYPE_BYTES: u32 = 5;
export const LIST_OF: u32 = 8;

/** The token is right as it stands. */
export const SAME: u32 = 5;

/** Room for the text of a number that was written with escapes. */
const SCRATCH_BYTES: usize = 1024;
let scratch: usize = 0;

/** Gives the instance its scratch: 1,024 bytes that stay its own, 64 more readable. */
export function useScratch(pointer: usize): void {
  scratch = pointer;
}

/** Bounds of the text of a string token, its escapes taken out, where it is short enough to be a number or a word. */
let plainStart: usize = 0;
let plainEnd: usize = 0;

/** True when the string token's text is short enough to be looked at. */
export function plainText(kind: u32, p: usize, end: usize): bool {
  plainStart = p;
  plainEnd = end;
  if (kind == RAW) return true;
  plainStart++;
  plainEnd--;
  if (findBackslash(plainStart, plainEnd) == plainEnd) return true;
  if (plainEnd - plainStart > SCRATCH_BYTES) return false;
  plainEnd = unescape(plainStart, plainEnd, scratch);
  plainStart = scratch;
  return true;
}

/** Reads a value as integer into `integerValue`. */
export function toInteger(kind: u32, p: usize, end: usize): u32 {
  if (kind == INTEGER) return readInteger(p, end);
  if (kind == FLOAT) return readWhole(p, end);
  if (kind == STRING || kind == RAW) {
    if (!plainText(kind, p, end)) return WRONG;
    return numberKind(plainStart, plainEnd) == INTEGER ? readInteger(plainStart, plainEnd) : WRONG;
  }
  if (kind == TRUE || kind == FALSE) return setInteger(kind == TRUE ? 1 : 0);
  return kind == 0 || kind == NULL ? MISSING : WRONG;
}

/** Reads a value as double into `floatValue`; ASK as `readFloat` says. */
export function toFloat(kind: u32, p: usize, end: usize): u32 {
  if (kind == INTEGER && end - p <= 18) {
    readInteger(p, end);
    return setFloat(integerValue == 0 && get8(p) == 0x2d ? -0.0 : <f64>integerValue);
  }
  if (kind == TRUE || kind == FALSE) return setFloat(kind == TRUE ? 1 : 0);
  if (kind == 0 || kind == NULL) return MISSING;
  if (kind == STRING || kind == RAW) {
    if (!plainText(kind, p, end) || numberKind(plainStart, plainEnd) == 0) return WRONG;
    p = plainStart;
    end = plainEnd;
  } else if (kind != INTEGER && kind != FLOAT) return WRONG;
  const status = readFloat(p, end);
  return status == GOOD || checkFinite(p, end) == GOOD ? status : RANGE;
}

/** Reads a value as boolean into `integerValue`. */
export function toBoolean(kind: u32, p: usize, end: usize): u32 {
  if (kind == TRUE || kind == FALSE) return setInteger(kind == TRUE ? 1 : 0);
  if (kind == 0 || kind == NULL) return MISSING;
  if (kind == STRING || kind == RAW) {
    if (!plainText(kind, p, end)) return WRONG;
    const length = plainEnd - plainStart;
    if (length == 4 && isWord(plainStart, 0x74, 0x72, 0x75, 0x65)) return setInteger(1);
    if (length == 5 && get8(plainStart) == 0x66 && isWord(plainStart + 1, 0x61, 0x6c, 0x73, 0x65)) return setInteger(0);
    return WRONG;
  }
  if (kind != INTEGER && kind != FLOAT) return WRONG;
  return readWhole(p, end) == GOOD && <u64>integerValue <= 1 ? GOOD : WRONG;
}

function isWord(p: usize, a: u32, b: u32, c: u32, d: u32): bool {
  return get8(p) == a && get8(p + 1) == b && get8(p + 2) == c && get8(p + 3) == d;
}

/** Of the last token that {@link convert} wrote, or found to stand in the text already. */
export let convertedStart: usize = 0;
export let convertedEnd: usize = 0;
export let convertedKind: u32 = 0;

@inline
function converted(kind: u32, end: usize): u32 {
  convertedKind = kind;
  convertedEnd = end;
  return GOOD;
}

/** The raw text is the token: only its kind is another one. */
@inline
function relabelled(kind: u32, start: usize, end: usize): u32 {
  convertedStart = start;
  return converted(kind, end);
}

/** Raw text as a number token; 0: it is none, and the general way says why. */
function rawNumber(type: u32, p: usize, end: usize): u32 {
  const kind = numberKind(p, end);
  if (type == TYPE_INTEGER) return kind == INTEGER && end - p <= 18 ? relabelled(INTEGER, p, end) : 0;
  return kind && end - p < 300 && checkFinite(p, end) == GOOD ? relabelled(kind, p, end) : 0;
}

/** Room that {@link convert} may use for a token of `length` bytes. */
@inline
export function convertRoom(length: usize): usize {
  return length * 6 + 32;
}

/**
 * Converts the token [p, end) to `type`. SAME: it stands as it is. GOOD: the new token is at `convertedStart` (`out`, or within raw
 * text), up to `convertedEnd`, of `convertedKind`. WRONG, RANGE: it cannot be. Absent and null are right for every type.
 */
export function convert(type: u32, kind: u32, p: usize, end: usize, out: usize): u32 {
  if (kind == 0 || kind == NULL || type == TYPE_ANY) return SAME;
  if (kind == RAW && (type == TYPE_INTEGER || type == TYPE_FLOAT) && rawNumber(type, p, end)) return GOOD;
  convertedStart = out;
  if (type >= LIST_OF) return kind == LIST ? convertList(type - LIST_OF, p, end, out) : WRONG;
  if (type == TYPE_STRING) {
    if (kind == STRING || kind == RAW) return SAME;
    put8(out++, QUOTE);
    out = escape(p, end, out);
    put8(out, QUOTE);
    return converted(STRING, out + 1);
  }
  if (type == TYPE_INTEGER) {
    const status = toInteger(kind, p, end);
    if (status != GOOD) return status;
    if (kind == INTEGER) return SAME;
    if (kind == STRING || kind == RAW) return copied(INTEGER, out);
    return converted(INTEGER, writeInteger(integerValue, out));
  }
  if (type == TYPE_FLOAT) {
    if (kind == INTEGER || kind == FLOAT) return checkFinite(p, end) == GOOD ? SAME : RANGE;
    const status = toFloat(kind, p, end);
    if (status == WRONG || status == RANGE) return status;
    if (kind == STRING || kind == RAW) return copied(numberKind(plainStart, plainEnd), out);
    put8(out, kind == TRUE ? 0x31 : 0x30);
    return converted(INTEGER, out + 1);
  }
  if (type == TYPE_BOOLEAN) {
    const status = toBoolean(kind, p, end);
    if (status != GOOD) return status;
    if (kind == TRUE || kind == FALSE) return SAME;
    return writeBoolean(integerValue != 0, out);
  }
  return convertBytes(kind, p, end, out);
}

/** Writes the plain text of a string that was found to be a number. */
function copied(kind: u32, out: usize): u32 {
  copy(out, plainStart, plainEnd - plainStart);
  return converted(kind, out + (plainEnd - plainStart));
}

function writeBoolean(value: bool, out: usize): u32 {
  if (value) {
    put8(out, 0x74);
    put8(out + 1, 0x72);
    put8(out + 2, 0x75);
    put8(out + 3, 0x65);
    return converted(TRUE, out + 4);
  }
  put8(out, 0x66);
  put8(out + 1, 0x61);
  put8(out + 2, 0x6c);
  put8(out + 3, 0x73);
  put8(out + 4, 0x65);
  return converted(FALSE, out + 5);
}

/** Element by element, each by the rule of its own kind; what stands between the elements stays. */
function convertList(element: u32, p: usize, end: usize, out: usize): u32 {
  const listOut = out;
  let from = p;
  let wrote = false;
  p = skipSpace(p + 1);
  while (get8(p) != 0x5d) {
    const stop = skipValue(p, end);
    const status = convert(element, tokenKind(p, stop), p, stop, out + (p - from));
    if (status == GOOD) {
      copy(out, from, p - from);
      out = convertedEnd;
      from = stop;
      wrote = true;
    } else if (status != SAME) return status;
    p = skipSpace(stop);
    if (get8(p) == 0x2c) p = skipSpace(p + 1);
  }
  if (!wrote) return SAME;
  copy(out, from, end - from);
  convertedStart = listOut;
  return converted(LIST, out + (end - from));
}

/** Bytes stand in JSON as base64 (standard alphabet, padded); a list of integers from 0 to 255 becomes that. */
function convertBytes(kind: u32, p: usize, end: usize, out: usize): u32 {
  if (kind == RAW) return isBase64(p, end, false) ? SAME : WRONG;
  if (kind == STRING) return isBase64(p + 1, end - 1, true) ? SAME : WRONG;
  if (kind != LIST) return WRONG;
  put8(out++, QUOTE);
  let group: u32 = 0;
  let count = 0;
  p = skipSpace(p + 1);
  while (get8(p) != 0x5d) {
    const stop = skipValue(p, end);
    const elementKind = tokenKind(p, stop);
    if (elementKind != INTEGER && elementKind != FLOAT) return WRONG;
    const status = toInteger(elementKind, p, stop);
    if (status != GOOD) return status;
    if (<u64>integerValue > 255) return RANGE;
    group = (group << 8) | <u32>integerValue;
    if (++count == 3) {
      out = writeGroup(group, 4, out);
      group = 0;
      count = 0;
    }
    p = skipSpace(stop);
    if (get8(p) == 0x2c) p = skipSpace(p + 1);
  }
  if (count) {
    out = writeGroup(group << (count == 1 ? 16 : 8), count + 1, out);
    for (; count < 3; count++) put8(out++, 0x3d);
  }
  put8(out, QUOTE);
  return converted(STRING, out + 1);
}

function writeGroup(group: u32, characters: i32, out: usize): usize {
  for (let i = 0; i < characters; i++) put8(out++, base64Character((group >> (18 - i * 6)) & 63));
  return out;
}

function base64Character(value: u32): u32 {
  if (value < 26) return 0x41 + value;
  if (value < 52) return 0x61 + value - 26;
  if (value < 62) return 0x30 + value - 52;
  return value == 62 ? 0x2b : 0x2f;
}

function isBase64(p: usize, end: usize, escaped: bool): bool {
  let count = 0;
  let padding = 0;
  while (p < end) {
    let c = get8(p);
    if (escaped && c == BACKSLASH) {
      decodeEscape(p, end);
      if (escapeLength != 1) return false;
      c = escapeBytes;
      p = escapeEnd;
    } else p++;
    count++;
    if (c == 0x3d) padding++;
    else if (padding || !isBase64Character(c)) return false;
  }
  return (count & 3) == 0 && padding < 3;
}

function isBase64Character(c: u32): bool {
  return (c | 0x20) - 0x61 < 26 || c - 0x30 < 10 || c == 0x2b || c == 0x2f;
}
