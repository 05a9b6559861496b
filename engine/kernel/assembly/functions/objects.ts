// Objects in columns to columns with dotted names, and back.
import { copy, get32, get8, put32, put8 } from '../access';
import { alloc, release } from '../arena';
import { kindAt, word } from '../columns-read';
import { LIST, OBJECT, RAW } from '../convert';
import { writeUnsigned } from '../convert-number';
import { escape, skipSpace, skipString, skipValue, tokenKind, unescape } from '../text';
import { clearFields, fieldNamedHere, fieldsFull, firstField, putField } from './fields';
import { TOO_MANY_FIELDS } from './problems';

let separator: usize = 0;
let separatorLength: usize = 0;
let deepest: u32 = 0;
let lists = false;
/** The name that is being put together. */
let name: usize = 0;
let nameRoom: usize = 0;
let row: usize = 0;
/** Length of a prefix behind which no separator stands; else 0. */
let barePrefix: usize = 0;

/**
 * Puts what is inside the objects of a column into the open fields, named by `prefix` and the keys on the way, joined by the separator
 * (`bare`: none stands behind the prefix).
 * What is nested deeper than `depth` levels stays an object; lists stay lists unless `indexed`. `problems` as parseJson has them.
 * Returns how many rows are bad; -1: the arena is full.
 */
export function flattenObjects(
  starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, prefix: usize, prefixLength: usize,
  joint: usize, jointLength: usize, depth: u32, indexed: u32, bare: u32, problems: usize,
): i32 {
  barePrefix = bare ? prefixLength : 0;
  separator = joint;
  separatorLength = jointLength;
  deepest = depth;
  lists = indexed != 0;
  nameRoom = 0;
  let bad = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    row = word(rows, i);
    put32(problems + (row << 2), 0);
    const kind = kindAt(kinds, row);
    if (kind != OBJECT && !(lists && kind == LIST)) continue;
    const start = word(starts, row);
    const end = word(ends, row);
    if (!openName(prefixLength + (end - start) + 16)) return -1;
    copy(name, prefix, prefixLength);
    firstField();
    if (flattenValue(start, end, kind, prefixLength, 0)) continue;
    if (fieldsFull() != 1) return -1;
    put32(problems + (row << 2), TOO_MANY_FIELDS);
    clearFields(row);
    bad++;
  }
  return bad;
}

/** Room for names of up to `bytes` bytes and the separators and numbers between their parts. */
function openName(bytes: usize): bool {
  const room = bytes + <usize>(deepest + 1) * (separatorLength + 12);
  if (room <= nameRoom) return true;
  nameRoom = room;
  name = alloc(room);
  return name != 0;
}

/** Puts the value [p, end), whose name is `length` bytes long so far. False: there is no room. */
function flattenValue(p: usize, end: usize, kind: u32, length: usize, level: u32): bool {
  const inside = level < deepest && (kind == OBJECT || (lists && kind == LIST)) && get8(skipSpace(p + 1)) != get8(end - 1);
  if (!inside) return putValue(p, end, kind, length);
  return kind == OBJECT ? flattenMembers(p, end, length, level) : flattenElements(p, end, length, level);
}

function flattenMembers(p: usize, end: usize, length: usize, level: u32): bool {
  p = skipSpace(p + 1);
  while (get8(p) == 0x22) {
    const key = p + 1;
    p = skipString(p, end);
    const keyEnd = p - 1;
    const value = skipSpace(skipSpace(p) + 1);
    p = skipValue(value, end);
    const to = extendName(length);
    const nameLength = unescape(key, keyEnd, to) - name;
    if (!flattenValue(value, p, tokenKind(value, p), nameLength, level + 1)) return false;
    p = skipSpace(p);
    if (get8(p) == 0x2c) p = skipSpace(p + 1);
  }
  return true;
}

function flattenElements(p: usize, end: usize, length: usize, level: u32): bool {
  p = skipSpace(p + 1);
  for (let i: u64 = 0; get8(p) != 0x5d; i++) {
    const value = p;
    p = skipValue(value, end);
    const nameLength = writeUnsigned(i, extendName(length)) - name;
    if (!flattenValue(value, p, tokenKind(value, p), nameLength, level + 1)) return false;
    p = skipSpace(p);
    if (get8(p) == 0x2c) p = skipSpace(p + 1);
  }
  return true;
}

/** Writes the separator behind `length` bytes of the name; returns where the next part goes. */
function extendName(length: usize): usize {
  if (length == barePrefix) return name + length;
  copy(name + length, separator, separatorLength);
  return name + length + separatorLength;
}

function putValue(p: usize, end: usize, kind: u32, length: usize): bool {
  const column = fieldNamedHere(name, name + length);
  if (!column) return fieldsFull() == 0;
  putField(column, row, p, end, kind);
  return true;
}

// A program that builds objects has six words for each step: what (0 a member, 1 an object begins, 2 it ends), the pointer to its `"key":`
// and that text's length, and of a member starts, ends and kinds.
const STEP_BYTES: usize = 24;
const MEMBER: u32 = 0;
const BEGIN: u32 = 1;

/** Bytes that the value at a row becomes at most. */
@inline function valueRoom(kind: u32, length: usize): usize {
  return kind == RAW ? length * 6 + 2 : length;
}

/**
 * Builds one object for every row by the `count` steps. Members that a row does not have are left out, and so are objects without
 * members; `stack` has room for a u32 per level, twice. Returns 0, or -1: the arena is full.
 */
export function nestColumns(
  steps: usize, count: u32, rows: usize, n: u32, stack: usize, starts: usize, ends: usize, kinds: usize,
): i32 {
  const behind = steps + <usize>count * STEP_BYTES;
  for (let i: usize = 0; i < <usize>n; i++) {
    const at = word(rows, i);
    let room: usize = 2;
    for (let step = steps; step < behind; step += STEP_BYTES) room += stepRoom(step, at);
    const out = alloc(room);
    if (!out) return -1;
    const end = buildObject(steps, behind, at, stack, out);
    release((end + 15) & ~15);
    put32(starts + (at << 2), <u32>out);
    put32(ends + (at << 2), <u32>end);
    put8(kinds + at, end - out > 2 ? OBJECT : 0);
  }
  return 0;
}

function stepRoom(step: usize, at: usize): usize {
  const room = <usize>get32(step + 8) + 3;
  if (get32(step) != MEMBER) return room;
  const kind = kindAt(<usize>get32(step + 20), at);
  if (!kind) return 0;
  return room + valueRoom(kind, word(<usize>get32(step + 16), at) - word(<usize>get32(step + 12), at));
}

function buildObject(steps: usize, behind: usize, at: usize, stack: usize, out: usize): usize {
  put8(out++, 0x7b);
  let level: usize = 0;
  /** Whether the object that is being written has members. */
  let filled = false;
  for (let step = steps; step < behind; step += STEP_BYTES) {
    const what = get32(step);
    if (what == MEMBER) {
      const kind = kindAt(<usize>get32(step + 20), at);
      if (!kind) continue;
      if (filled) put8(out++, 0x2c);
      out = writeText(step, out);
      out = writeValue(kind, word(<usize>get32(step + 12), at), word(<usize>get32(step + 16), at), out);
      filled = true;
    } else if (what == BEGIN) {
      put32(stack + (level << 3), <u32>out);
      put32(stack + (level << 3) + 4, filled ? 1 : 0);
      level++;
      if (filled) put8(out++, 0x2c);
      out = writeText(step, out);
      put8(out++, 0x7b);
      filled = false;
    } else {
      level--;
      if (filled) put8(out++, 0x7d);
      else {
        out = <usize>get32(stack + (level << 3));
        filled = get32(stack + (level << 3) + 4) != 0;
      }
    }
  }
  put8(out++, 0x7d);
  return out;
}

/** The `"key":` of a step. */
@inline function writeText(step: usize, out: usize): usize {
  const length = <usize>get32(step + 8);
  copy(out, <usize>get32(step + 4), length);
  return out + length;
}

function writeValue(kind: u32, p: usize, end: usize, out: usize): usize {
  if (kind != RAW) {
    copy(out, p, end - p);
    return out + (end - p);
  }
  put8(out++, 0x22);
  out = escape(p, end, out);
  put8(out, 0x22);
  return out + 1;
}
