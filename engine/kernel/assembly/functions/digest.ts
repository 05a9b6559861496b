// Digests of texts: XXH64 to spread rows, SHA-256 and HMAC to hide values.
import { copy, fill, get32, get64, get8, put32, put64, put8 } from '../access';
import { alloc } from '../arena';
import { kindAt, word } from '../columns-read';
import { RAW } from '../convert';

const PRIME_1: u64 = 11400714785074694791;
const PRIME_2: u64 = 14029467366897019727;
const PRIME_3: u64 = 1609587929392839161;
const PRIME_4: u64 = 9650029242287828579;
const PRIME_5: u64 = 2870177450012600261;

@inline function mix(state: u64, value: u64): u64 {
  return rotl<u64>(state + value * PRIME_2, 31) * PRIME_1;
}

@inline function merge(hash: u64, state: u64): u64 {
  return (hash ^ mix(0, state)) * PRIME_1 + PRIME_4;
}

/** XXH64 of [p, end). */
export function xxh64(p: usize, end: usize, seed: u64): u64 {
  const length = <u64>(end - p);
  let hash: u64;
  if (length >= 32) {
    let a = seed + PRIME_1 + PRIME_2;
    let b = seed + PRIME_2;
    let c = seed;
    let d = seed - PRIME_1;
    for (; p + 32 <= end; p += 32) {
      a = mix(a, get64(p));
      b = mix(b, get64(p + 8));
      c = mix(c, get64(p + 16));
      d = mix(d, get64(p + 24));
    }
    hash = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  } else hash = seed + PRIME_5;
  hash += length;
  for (; p + 8 <= end; p += 8) hash = rotl<u64>(hash ^ mix(0, get64(p)), 27) * PRIME_1 + PRIME_4;
  if (p + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>get32(p) * PRIME_1), 23) * PRIME_2 + PRIME_3;
    p += 4;
  }
  for (; p < end; p++) hash = rotl<u64>(hash ^ (<u64>get8(p) * PRIME_5), 11) * PRIME_1;
  hash = (hash ^ (hash >> 33)) * PRIME_2;
  hash = (hash ^ (hash >> 29)) * PRIME_3;
  return hash ^ (hash >> 32);
}

/** XXH64 of texts of kind RAW, 8 bytes a row. Rows without a text are left as they are. */
export function hashTexts(starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, seed: f64, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    if (kindAt(kinds, row) == RAW) put64(out + (row << 3), xxh64(word(starts, row), word(ends, row), <u64>seed));
  }
}

// SHA-256 (FIPS 180-4). The state of a digest: eight u32.
const STATE_BYTES: usize = 32;
const BLOCK_BYTES: usize = 64;

/** The 64 round constants, the schedule of a block, and room for the last one or two. */
let constants: usize = 0;
let schedule: usize = 0;
let padded: usize = 0;

/** Takes what digests need of the arena; `roundConstants` points to the 64. False: the arena is full. */
function openSha256(roundConstants: usize): bool {
  constants = roundConstants;
  schedule = alloc(256);
  padded = alloc(2 * BLOCK_BYTES);
  return schedule != 0 && padded != 0;
}

@inline function swap(value: u32): u32 {
  return bswap<u32>(value);
}

function compress(state: usize, p: usize): void {
  for (let i: usize = 0; i < 64; i += 4) put32(schedule + i, swap(get32(p + i)));
  for (let i: usize = 64; i < 256; i += 4) {
    const x = get32(schedule + i - 60);
    const y = get32(schedule + i - 8);
    const s0 = rotr<u32>(x, 7) ^ rotr<u32>(x, 18) ^ (x >> 3);
    const s1 = rotr<u32>(y, 17) ^ rotr<u32>(y, 19) ^ (y >> 10);
    put32(schedule + i, get32(schedule + i - 64) + s0 + get32(schedule + i - 28) + s1);
  }
  let a = get32(state);
  let b = get32(state + 4);
  let c = get32(state + 8);
  let d = get32(state + 12);
  let e = get32(state + 16);
  let f = get32(state + 20);
  let g = get32(state + 24);
  let h = get32(state + 28);
  for (let i: usize = 0; i < 256; i += 4) {
    const s1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const t1 = h + s1 + ((e & f) ^ (~e & g)) + get32(constants + i) + get32(schedule + i);
    const s0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  put32(state, get32(state) + a);
  put32(state + 4, get32(state + 4) + b);
  put32(state + 8, get32(state + 8) + c);
  put32(state + 12, get32(state + 12) + d);
  put32(state + 16, get32(state + 16) + e);
  put32(state + 20, get32(state + 20) + f);
  put32(state + 24, get32(state + 24) + g);
  put32(state + 28, get32(state + 28) + h);
}

/** Goes on from the state at `initial`, which has seen `before` bytes (whole blocks), with [p, end); the end state goes to `state`. */
function digest(initial: usize, before: u64, p: usize, end: usize, state: usize): void {
  copy(state, initial, STATE_BYTES);
  const bits = (before + <u64>(end - p)) << 3;
  for (; p + BLOCK_BYTES <= end; p += BLOCK_BYTES) compress(state, p);
  const rest = end - p;
  copy(padded, p, rest);
  put8(padded + rest, 0x80);
  const blocks: usize = rest + 9 > BLOCK_BYTES ? BLOCK_BYTES << 1 : BLOCK_BYTES;
  fill(padded + rest + 1, 0, blocks - rest - 9);
  put32(padded + blocks - 8, swap(<u32>(bits >> 32)));
  put32(padded + blocks - 4, swap(<u32>bits));
  compress(state, padded);
  if (blocks > BLOCK_BYTES) compress(state, padded + BLOCK_BYTES);
}

/** A state as the bytes of a digest. */
function swapState(state: usize): void {
  for (let i: usize = 0; i < STATE_BYTES; i += 4) put32(state + i, swap(get32(state + i)));
}

@inline function hexDigit(value: u32): u32 {
  return value < 10 ? 0x30 + value : 0x57 + value;
}

function writeHex(p: usize, length: usize, out: usize): void {
  for (let i: usize = 0; i < length; i++) {
    const c = get8(p + i);
    put8(out + (i << 1), hexDigit(c >> 4));
    put8(out + (i << 1) + 1, hexDigit(c & 15));
  }
}

/**
 * Hexadecimal SHA-256 of texts of kind RAW, in place in the column's arrays: the digits go to `out`, 64 bytes for each row. `tables`:
 * 64 round constants, the initial state, and with `keyed` the states behind HMAC's inner and outer key blocks.
 * Returns 0, or -1: the arena is full.
 */
export function sha256Texts(starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, tables: usize, keyed: u32, out: usize): i32 {
  const state = alloc(STATE_BYTES);
  const message = alloc(STATE_BYTES);
  if (!state || !message || !openSha256(tables)) return -1;
  const initial = tables + 256;
  const inner = initial + STATE_BYTES;
  const outer = inner + STATE_BYTES;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    if (kindAt(kinds, row) != RAW) continue;
    digest(keyed ? inner : initial, keyed ? BLOCK_BYTES : 0, word(starts, row), word(ends, row), state);
    swapState(state);
    if (keyed) {
      copy(message, state, STATE_BYTES);
      digest(outer, BLOCK_BYTES, message, message + STATE_BYTES, state);
      swapState(state);
    }
    writeHex(state, STATE_BYTES, out);
    put32(starts + (row << 2), <u32>out);
    put32(ends + (row << 2), <u32>out + 64);
    out += 64;
  }
  return 0;
}

/** The state behind one block, for the keys of HMAC. */
export function sha256Block(tables: usize, block: usize, state: usize): i32 {
  if (!openSha256(tables)) return -1;
  copy(state, tables + 256, STATE_BYTES);
  compress(state, block);
  return 0;
}

/** Hexadecimal XXH64 of texts, as sha256Texts, 16 bytes for each row. */
export function xxh64Texts(starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    if (kindAt(kinds, row) != RAW) continue;
    let hash = xxh64(word(starts, row), word(ends, row), 0);
    put32(starts + (row << 2), <u32>out);
    for (let at: usize = 16; at > 0; at--) {
      put8(out + at - 1, hexDigit(<u32>hash & 15));
      hash >>= 4;
    }
    out += 16;
    put32(ends + (row << 2), <u32>out);
  }
}
