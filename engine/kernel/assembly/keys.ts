// The key columns: the names that somebody wants to read, in a small hash table.
import { fill, get16, get32, get64, get8, put16 } from './access';
import { alloc, release } from './arena';
import { equalsBytes, sameBytes, unescape } from './text';

const MAX_KEYS: u32 = 256;
const SLOTS: u32 = 1024;

let names: usize = 0;
let count: u32 = 0;
/** For every hash value, the number of a key plus one; 0 ends a search. */
let slots: usize = 0;

@inline function namePointer(key: u32): usize {
  return <usize>get32(names + (<usize>key << 3));
}

@inline function nameLength(key: u32): usize {
  return <usize>get32(names + (<usize>key << 3) + 4);
}

/** Looks at the first and last 8 bytes at most, and reads nothing else. */
function hash(p: usize, length: usize): u32 {
  let first: u64;
  let last: u64;
  if (length >= 8) {
    first = get64(p);
    last = get64(p + length - 8);
  } else if (length >= 4) {
    first = get32(p);
    last = get32(p + length - 4);
  } else {
    first = length ? get8(p) : 0;
    last = length ? get8(p + (length >> 1)) | (get8(p + length - 1) << 8) : 0;
  }
  const mixed = (first * 0x9e3779b97f4a7c15) ^ ((last + <u64>length) * 0xc2b2ae3d27d4eb4f);
  return u32((mixed ^ (mixed >> 32)) & (SLOTS - 1));
}

/** Takes the names of the key columns. Its table is taken from the arena once, and must be kept like the names. */
export function setKeys(table: usize, keys: u32): i32 {
  count = 0;
  names = table;
  if (keys > MAX_KEYS) return -1;
  slots = alloc(SLOTS << 1);
  if (!slots) return -1;
  fill(slots, 0, SLOTS << 1);
  for (let key: u32 = 0; key < keys; key++) {
    let slot = hash(namePointer(key), nameLength(key));
    while (get16(slots + (<usize>slot << 1))) slot = (slot + 1) & (SLOTS - 1);
    put16(slots + (<usize>slot << 1), key + 1);
  }
  count = keys;
  return 0;
}

@inline export function keyCount(): u32 {
  return count;
}

/** The key column that is named by the `length` bytes at `p`, the inside of a JSON string; -1: none. */
export function findKey(p: usize, length: usize, escaped: bool): i32 {
  if (!count) return -1;
  return escaped ? findEscapedKey(p, length) : findName(p, length);
}

function findName(p: usize, length: usize): i32 {
  let slot = hash(p, length);
  while (true) {
    const key = get16(slots + (<usize>slot << 1));
    if (!key) return -1;
    if (nameLength(key - 1) == length && sameBytes(namePointer(key - 1), p, length)) return <i32>key - 1;
    slot = (slot + 1) & (SLOTS - 1);
  }
}

function findEscapedKey(p: usize, length: usize): i32 {
  const name = alloc(length);
  if (name) {
    const found = findName(name, unescape(p, p + length, name) - name);
    release(name);
    return found;
  }
  // No room for a key of this length: slow, but right.
  for (let key: u32 = 0; key < count; key++) {
    if (equalsBytes(p, p + length, true, namePointer(key), nameLength(key))) return <i32>key;
  }
  return -1;
}
