// IP addresses in strings, looked up in sorted ranges: an address is parsed once per row into one or two integers.
import { get32, get64, get8, put8 } from './access';
import { kindAt, word } from './columns-read';
import { RAW, STRING } from './convert';

/** The address parsed last: IPv4 in `low`, IPv6 in both. */
export let high: u64 = 0;
export let low: u64 = 0;

/** Reads four decimal bytes without leading zeros; true when nothing but them stands in [p, end). */
function parseIpv4(p: usize, end: usize): bool {
  let address: u64 = 0;
  for (let part = 0; part < 4; part++) {
    if (part) {
      if (p >= end || get8(p) != 0x2e) return false;
      p++;
    }
    let value: u32 = 0;
    let digits = 0;
    while (p < end && get8(p) - 0x30 < 10) {
      if (digits && value == 0) return false;
      value = value * 10 + get8(p++) - 0x30;
      if (++digits > 3) return false;
    }
    if (digits == 0 || value > 255) return false;
    address = (address << 8) | <u64>value;
  }
  low = address;
  return p == end;
}

@inline
function hexValue(c: u32): u32 {
  if (c - 0x30 < 10) return c - 0x30;
  const letter = (c | 0x20) - 0x61;
  return letter < 6 ? letter + 10 : 16;
}

/** Reads an IPv6 address (RFC 4291, with `::` and a trailing IPv4 part, without zone) into `high` and `low`. */
function parseIpv6(p: usize, end: usize): bool {
  let headHigh: u64 = 0;
  let headLow: u64 = 0;
  let groups = 0;
  /** Groups before `::`; -1 while there was none. */
  let gap = -1;
  if (end - p >= 2 && get8(p) == 0x3a) {
    if (get8(p + 1) != 0x3a) return false;
    gap = 0;
    p += 2;
  }
  while (p < end) {
    if (groups == 8) return false;
    const from = p;
    let value: u32 = 0;
    while (p < end && hexValue(get8(p)) < 16) {
      if (p - from == 4) return false;
      value = (value << 4) | hexValue(get8(p++));
    }
    if (p < end && get8(p) == 0x2e) {
      if (groups > 6 || !parseIpv4(from, end)) return false;
      headHigh = (headHigh << 32) | (headLow >> 32);
      headLow = (headLow << 32) | low;
      groups += 2;
      p = end;
      break;
    }
    if (p == from) return false;
    headHigh = (headHigh << 16) | (headLow >> 48);
    headLow = (headLow << 16) | <u64>value;
    groups++;
    if (p == end) break;
    if (get8(p++) != 0x3a) return false;
    if (p == end) return false;
    if (get8(p) == 0x3a) {
      if (gap >= 0) return false;
      gap = groups;
      p++;
    }
  }
  if (gap < 0) {
    high = headHigh;
    low = headLow;
    return groups == 8;
  }
  if (groups > 7) return false;
  // Groups before the gap move up; those behind it stay at the low end.
  const behind = groups - gap;
  let beforeHigh: u64 = 0;
  let beforeLow: u64 = 0;
  let restHigh = headHigh;
  let restLow = headLow;
  for (let i = 0; i < behind; i++) {
    restLow = (restLow >> 16) | (restHigh << 48);
    restHigh >>= 16;
  }
  beforeHigh = restHigh;
  beforeLow = restLow;
  for (let i = 0; i < behind; i++) {
    restHigh = (restHigh << 16) | (restLow >> 48);
    restLow <<= 16;
  }
  headHigh ^= restHigh;
  headLow ^= restLow;
  for (let i = gap; i < 8; i++) {
    beforeHigh = (beforeHigh << 16) | (beforeLow >> 48);
    beforeLow <<= 16;
  }
  high = beforeHigh | headHigh;
  low = beforeLow | headLow;
  return true;
}

/** Parses the address in [p, end): 4, 6, or 0 when it is none. An IPv4 address mapped into IPv6 counts as IPv4. */
export function parseAddress(p: usize, end: usize): u32 {
  if (end - p > 45) return 0;
  if (parseIpv4(p, end)) return 4;
  if (!parseIpv6(p, end)) return 0;
  if (high == 0 && low >> 32 == 0xffff) {
    low &= 0xffffffff;
    return 4;
  }
  return 6;
}

/** True when a range holds the parsed IPv4 address. `ranges`: `count` pairs of u32, first and last, ascending, apart. */
function inRanges4(ranges: usize, count: u32): bool {
  const address = <u32>low;
  let from: u32 = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (get32(ranges + (<usize>middle << 3) + 4) < address) from = middle + 1;
    else to = middle;
  }
  return from < count && get32(ranges + (<usize>from << 3)) <= address;
}

/** The same for IPv6: four u64 each: first (high, low) and last (high, low). */
function inRanges6(ranges: usize, count: u32): bool {
  let from: u32 = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >> 1;
    const last = ranges + (<usize>middle << 5) + 16;
    const lastHigh = <u64>get64(last);
    if (lastHigh < high || (lastHigh == high && <u64>get64(last + 8) < low)) from = middle + 1;
    else to = middle;
  }
  if (from == count) return false;
  const first = ranges + (<usize>from << 5);
  const firstHigh = <u64>get64(first);
  return firstHigh < high || (firstHigh == high && <u64>get64(first + 8) <= low);
}

/** 1 where the value is a string that is an address within the ranges. */
export function matchAddresses(
  starts: usize, ends: usize, kinds: usize, rows: usize, n: u32,
  ranges4: usize, count4: u32, ranges6: usize, count6: u32, out: usize,
): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    const kind = kindAt(kinds, row);
    let found = false;
    if (kind == STRING || kind == RAW) {
      const quote: usize = kind == STRING ? 1 : 0;
      const version = parseAddress(word(starts, row) + quote, word(ends, row) - quote);
      if (version == 4) found = inRanges4(ranges4, count4);
      else if (version == 6) found = inRanges6(ranges6, count6);
    }
    put8(out + row, found ? 1 : 0);
  }
}
