// The fields that are found in texts, each a column: names in a small hash table, columns made when a name is first met.
//
// Rows of one source look alike, so the field that came after this one in the last row is tried first.
import { copy, fill, get8, get16, get32, put8, put16, put32 } from '../access';
import { alloc } from '../arena';
import { sameBytes } from '../text';

/** Fields that one batch may have. */
export const MAX_FIELDS: u32 = 1024;
const SLOTS: u32 = 4096;
/** Per field: u32 name, u32 its length, u32 starts of the column (its ends and kinds follow), u32 reserved. */
const ENTRY_BYTES: usize = 16;

let size: usize = 0;
let count: u32 = 0;
let cap: u32 = 0;
let open = false;
let entries: usize = 0;
let slots: usize = 0;
/** A bit for the length of every name, to pass over most names that nobody wants. */
let lengths: u64 = 0;
/** The field that is expected next. */
let expected: u32 = 0;
let full: u32 = 0;

/** Begins a new table for a batch of `rows` rows. `more`: names that are met are added, up to `limit`. 0, or -1: the arena is full. */
export function openFields(rows: u32, limit: u32, more: u32): i32 {
  size = <usize>rows;
  count = 0;
  cap = min(limit, MAX_FIELDS);
  open = more != 0;
  expected = 0;
  lengths = 0;
  entries = alloc(<usize>cap * ENTRY_BYTES);
  slots = alloc(SLOTS << 1);
  if (!entries || !slots) return -1;
  fill(slots, 0, SLOTS << 1);
  return 0;
}

/** Adds a field. Returns its number; -1: the arena is full; -2: there are too many. A name that is there already gives its number. */
export function addField(name: usize, length: usize): i32 {
  const slot = find(name, length);
  const there = get16(slot);
  if (there) return <i32>there - 1;
  if (count == cap) return -2;
  const column = alloc(size * 9);
  if (!column) return -1;
  fill(column + size * 8, 0, size);
  const entry = entries + <usize>count * ENTRY_BYTES;
  put32(entry, <u32>name);
  put32(entry + 4, <u32>length);
  put32(entry + 8, <u32>column);
  lengths |= lengthBit(length);
  put16(slot, ++count);
  return <i32>count - 1;
}

@inline function lengthBit(length: usize): u64 {
  return (<u64>1) << <u64>min<usize>(length, 63);
}

export function fieldCount(): u32 {
  return count;
}

/** Pointer to the entries. */
export function fieldEntries(): usize {
  return entries;
}

@inline export function columnOf(field: u32): usize {
  return <usize>get32(entries + <usize>field * ENTRY_BYTES + 8);
}

@inline function isNamed(field: u32, p: usize, length: usize): bool {
  const entry = entries + <usize>field * ENTRY_BYTES;
  return <usize>get32(entry + 4) == length && sameBytes(<usize>get32(entry), p, length);
}

/** The slot where the name stands, or the empty one where it would. */
function find(p: usize, length: usize): usize {
  let hash: u32 = 0x811c9dc5;
  for (let i: usize = 0; i < length; i++) hash = (hash ^ get8(p + i)) * 0x01000193;
  hash ^= hash >> 15;
  while (true) {
    const slot = slots + (<usize>(hash & (SLOTS - 1)) << 1);
    const field = get16(slot);
    if (!field || isNamed(field - 1, p, length)) return slot;
    hash++;
  }
}

/** Why {@link fieldNamed} returned 0: 0 nobody wants it, 1 there are too many fields, 2 the arena is full. */
@inline export function fieldsFull(): u32 {
  return full;
}

/** For those who could not take room for a name. */
export function noRoom(): usize {
  full = 2;
  return 0;
}

/** The column of the field named by [p, end); 0: none. The name's bytes must stay where they are. */
export function fieldNamed(p: usize, end: usize): usize {
  const length = end - p;
  full = 0;
  if (expected < count && isNamed(expected, p, length)) return columnOf(expected++);
  if (!open && !(lengths & lengthBit(length))) return 0;
  const field = get16(find(p, length));
  if (field) {
    expected = field;
    return columnOf(field - 1);
  }
  if (!open) return 0;
  const added = addField(p, length);
  if (added < 0) {
    full = added == -2 ? 1 : 2;
    return 0;
  }
  expected = <u32>added + 1;
  return columnOf(<u32>added);
}

/** The same for a name whose bytes will be written over: a new field gets a copy. */
export function fieldNamedHere(p: usize, end: usize): usize {
  const more = open;
  open = false;
  const column = fieldNamed(p, end);
  open = more;
  if (column || !more) return column;
  const own = alloc(end - p);
  if (!own) return noRoom();
  copy(own, p, end - p);
  return fieldNamed(own, own + (end - p));
}

/** Before each row. */
@inline export function firstField(): void {
  expected = 0;
}

@inline export function putField(column: usize, row: usize, start: usize, end: usize, kind: u32): void {
  put32(column + (row << 2), <u32>start);
  put32(column + ((size + row) << 2), <u32>end);
  put8(column + (size << 3) + row, kind);
}

/** Takes back what a row that turned out to be bad has put. */
export function clearFields(row: usize): void {
  for (let field: u32 = 0; field < count; field++) put8(columnOf(field) + (size << 3) + row, 0);
}
