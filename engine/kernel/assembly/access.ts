// Every access of the kernel to memory goes through this file. The release builds inline it to one instruction; the debug
// build traps when an access leaves what the kernel was given: pointers into shared memory are unsafe, and a mistake would
// change a neighbour's row in silence.
//
// What may be touched: the static data (below 64 KiB, read only), the pieces taken from this instance's arena, the declared
// input range (read only, with 64 bytes behind it), and the declared output range.
// An exported function that is given a range outside the arena declares it first. Ranges stay declared until the next ones.

import { inArena } from './arena';

/** Bytes behind an input range that may be read (their values mean nothing). */
export const GUARD: usize = 64;
const STATIC_END: usize = 0x10000;

let inputFrom: usize = 0;
let inputTo: usize = 0;
let outputFrom: usize = 0;
let outputTo: usize = 0;

/** Declares the bytes that a function reads. A range inside the arena leaves the last one declared: columns point into it. */
@inline export function declareInput(from: usize, to: usize): void {
  if (!ASC_NO_ASSERT) {
    if (inArena(from, to - from)) return;
    inputFrom = from;
    inputTo = to;
  }
}

/** Declares the bytes that a function writes. */
@inline export function declareOutput(from: usize, to: usize): void {
  if (!ASC_NO_ASSERT) {
    outputFrom = from;
    outputTo = to;
  }
}

@inline function inOutput(p: usize, bytes: usize): bool {
  return p >= outputFrom && <u64>p + <u64>bytes <= <u64>outputTo;
}

function readable(p: usize, bytes: usize): bool {
  if (<u64>p + <u64>bytes <= STATIC_END) return true;
  if (p >= inputFrom && <u64>p + <u64>bytes <= <u64>(inputTo + GUARD)) return true;
  return inOutput(p, bytes) || inArena(p, bytes);
}

function writable(p: usize, bytes: usize): bool {
  return inOutput(p, bytes) || inArena(p, bytes);
}

@inline function checkRead(p: usize, bytes: usize): void {
  if (!ASC_NO_ASSERT) if (!readable(p, bytes)) unreachable();
}

@inline function checkWrite(p: usize, bytes: usize): void {
  if (!ASC_NO_ASSERT) if (!writable(p, bytes)) unreachable();
}

@inline export function get8(p: usize): u32 {
  checkRead(p, 1);
  return load<u8>(p);
}

@inline export function get16(p: usize): u32 {
  checkRead(p, 2);
  return load<u16>(p);
}

@inline export function get32(p: usize): u32 {
  checkRead(p, 4);
  return load<u32>(p);
}

@inline export function get64(p: usize): u64 {
  checkRead(p, 8);
  return load<u64>(p);
}

@inline export function getF64(p: usize): f64 {
  checkRead(p, 8);
  return load<f64>(p);
}

@inline export function getV(p: usize): v128 {
  checkRead(p, 16);
  return v128.load(p);
}

@inline export function put8(p: usize, value: u32): void {
  checkWrite(p, 1);
  store<u8>(p, value);
}

@inline export function put16(p: usize, value: u32): void {
  checkWrite(p, 2);
  store<u16>(p, value);
}

@inline export function put32(p: usize, value: u32): void {
  checkWrite(p, 4);
  store<u32>(p, value);
}

@inline export function put64(p: usize, value: u64): void {
  checkWrite(p, 8);
  store<u64>(p, value);
}

@inline export function putF64(p: usize, value: f64): void {
  checkWrite(p, 8);
  store<f64>(p, value);
}

@inline export function putV(p: usize, value: v128): void {
  checkWrite(p, 16);
  v128.store(p, value);
}

@inline export function copy(to: usize, from: usize, bytes: usize): void {
  if (bytes) {
    checkRead(from, bytes);
    checkWrite(to, bytes);
  }
  memory.copy(to, from, bytes);
}

@inline export function fill(to: usize, value: u8, bytes: usize): void {
  if (bytes) checkWrite(to, bytes);
  memory.fill(to, value, bytes);
}
