// IP addresses in texts: as numbers, and shortened to their network.
import { put32, put64, put8 } from '../access';
import { high, low, parseAddress } from '../columns-address';
import { kindAt, word } from '../columns-read';
import { RAW } from '../convert';
import { writeUnsigned } from '../convert-number';

/** Per row the version (4, 6; 0: no address) to `versions`, and u64 high, u64 low to `out`. Returns how many rows have no address. */
export function readAddresses(starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, versions: usize, out: usize): u32 {
  let bad: u32 = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    const version = kindAt(kinds, row) == RAW ? parseAddress(word(starts, row), word(ends, row)) : 0;
    put8(versions + row, version);
    put64(out + (row << 4), version == 4 ? 0 : high);
    put64(out + (row << 4) + 8, low);
    if (!version) bad++;
  }
  return bad;
}

function writeIpv4(address: u32, to: usize): usize {
  for (let shift = 24; shift >= 0; shift -= 8) {
    to = writeUnsigned(<u64>((address >> shift) & 0xff), to);
    if (shift) put8(to++, 0x2e);
  }
  return to;
}

/** Group `i` of eight. */
@inline function groupAt(first: u64, second: u64, i: i32): u32 {
  return <u32>((i < 4 ? first >> (<u64>(3 - i) << 4) : second >> (<u64>(7 - i) << 4)) & 0xffff);
}

function writeHex(value: u32, to: usize): usize {
  let shift = 12;
  while (shift > 0 && value >> shift == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) {
    const digit = (value >> shift) & 15;
    put8(to++, digit < 10 ? 0x30 + digit : 0x57 + digit);
  }
  return to;
}

/** As RFC 5952 wants it: the longest run of two or more groups of zeros becomes `::`. */
function writeIpv6(first: u64, second: u64, to: usize): usize {
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groupAt(first, second, i + length) == 0) length++;
    if (length > bestLength) {
      best = i;
      bestLength = length;
    }
    i += length;
  }
  for (let i = 0; i < 8; i++) {
    if (i == best) {
      put8(to++, 0x3a);
      if (i == 0) put8(to++, 0x3a);
      i += bestLength - 1;
      continue;
    }
    to = writeHex(groupAt(first, second, i), to);
    if (i < 7) put8(to++, 0x3a);
  }
  return to;
}

/** The highest `bits` of 64. */
@inline function prefix(value: u64, bits: i32): u64 {
  return bits <= 0 ? 0 : bits >= 64 ? value : value & ~(u64.MAX_VALUE >> <u64>bits);
}

/**
 * Shortens the addresses in texts of kind RAW to their highest bits, in place in the column's arrays; the texts go to `to`, 48 bytes for
 * each row. `versions` as readAddresses has them. Returns how many rows have no address.
 */
export function shortenAddresses(
  starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, bits4: i32, bits6: i32, versions: usize, to: usize,
): u32 {
  let bad: u32 = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    const version = kindAt(kinds, row) == RAW ? parseAddress(word(starts, row), word(ends, row)) : 0;
    put8(versions + row, version);
    if (!version) {
      bad++;
      continue;
    }
    const from = to;
    if (version == 4) to = writeIpv4(<u32>(prefix(low << 32, bits4) >> 32), to);
    else to = writeIpv6(prefix(high, bits6), prefix(low, bits6 - 64), to);
    put32(starts + (row << 2), <u32>from);
    put32(ends + (row << 2), <u32>to);
  }
  return bad;
}
