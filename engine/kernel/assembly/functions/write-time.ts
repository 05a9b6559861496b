// Points in time to text, by programs as read-time.ts has them.
import { get8, get32, getF64, put8, put32 } from '../access';
import { word } from '../columns-read';
import { INTEGER, RAW } from '../convert';
import { writeInteger } from '../convert-number';
import { civilDay, civilFromDays, civilMonth, civilYear, daysFromCivil } from './civil';
import { NO_TIME } from './read-time';

const FIRST_SECOND: f64 = -62167219200;
const LAST_SECOND: f64 = 253402300799;

/** The state of a time that the wanted form cannot hold. */
const OUT_OF_RANGE: u32 = 3;

let out: usize = 0;

/** The last `length` digits. */
function writeDigits(value: i32, length: i32): void {
  for (let i = length - 1; i >= 0; i--) {
    put8(out + <usize>i, 0x30 + <u32>(value % 10));
    value /= 10;
  }
  out += <usize>length;
}

@inline function writeTwo(value: i32): void {
  // Exact below 100.
  const tens = (value * 103) >> 10;
  put8(out, 0x30 + <u32>tens);
  put8(out + 1, 0x30 + <u32>(value - tens * 10));
  out += 2;
}

/** Three letters that stand in a number, the first one highest. */
function writeLetters(name: u32): void {
  put8(out, name >> 16);
  put8(out + 1, (name >> 8) & 0xff);
  put8(out + 2, name & 0xff);
  out += 3;
}

function monthName(month: i32): u32 {
  switch (month) {
    case 1:
      return 0x4a616e;
    case 2:
      return 0x466562;
    case 3:
      return 0x4d6172;
    case 4:
      return 0x417072;
    case 5:
      return 0x4d6179;
    case 6:
      return 0x4a756e;
    case 7:
      return 0x4a756c;
    case 8:
      return 0x417567;
    case 9:
      return 0x536570;
    case 10:
      return 0x4f6374;
    case 11:
      return 0x4e6f76;
  }
  return 0x446563;
}

function dayName(day: i32): u32 {
  switch (day) {
    case 0:
      return 0x53756e;
    case 1:
      return 0x4d6f6e;
    case 2:
      return 0x547565;
    case 3:
      return 0x576564;
    case 4:
      return 0x546875;
    case 5:
      return 0x467269;
  }
  return 0x536174;
}

/** A point and three, six or nine digits, as many as are needed; nothing when there is no fraction. */
function writeFraction(nanos: u32): void {
  if (nanos == 0) return;
  put8(out++, 0x2e);
  if (nanos % 1000000 == 0) writeDigits(<i32>(nanos / 1000000), 3);
  else if (nanos % 1000 == 0) writeDigits(<i32>(nanos / 1000), 6);
  else writeDigits(<i32>nanos, 9);
}

function writeClock(rest: i32): void {
  writeTwo(rest / 3600);
  put8(out++, 0x3a);
  writeTwo((rest / 60) % 60);
  put8(out++, 0x3a);
  writeTwo(rest % 60);
}

/** `2024-05-06T07:08:09Z`; a fraction where there is one. Returns the pointer behind it. */
export function writeIso(seconds: i64, nanos: u32, to: usize): usize {
  out = to;
  const days = <i32>(seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400);
  civilFromDays(days);
  writeDigits(civilYear, 4);
  put8(out++, 0x2d);
  writeTwo(civilMonth);
  put8(out++, 0x2d);
  writeTwo(civilDay);
  put8(out++, 0x54);
  writeClock(<i32>(seconds - <i64>days * 86400));
  writeFraction(nanos);
  put8(out++, 0x5a);
  return out;
}

function writePart(part: u32, argument: u32, days: i32, rest: i32, nanos: u32): void {
  switch (part) {
    case 0x01:
      put8(out++, argument);
      return;
    case 0x02:
      put8(out++, 0x20);
      return;
    case 0x59:
      writeDigits(civilYear, 4);
      return;
    case 0x79:
      writeTwo(civilYear % 100);
      return;
    case 0x6d:
      writeTwo(civilMonth);
      return;
    case 0x64:
      writeTwo(civilDay);
      return;
    case 0x6a:
      writeDigits(days - daysFromCivil(civilYear, 1, 1) + 1, 3);
      return;
    case 0x48:
      writeTwo(rest / 3600);
      return;
    case 0x49:
      writeTwo(((rest / 3600 + 11) % 12) + 1);
      return;
    case 0x4d:
      writeTwo((rest / 60) % 60);
      return;
    case 0x53:
      writeTwo(rest % 60);
      return;
    case 0x66:
      writeDigits(<i32>(nanos / 1000), 6);
      return;
    case 0x62:
      writeLetters(monthName(civilMonth));
      return;
    case 0x61:
      writeLetters(dayName(((days % 7) + 11) % 7));
      return;
    case 0x70:
      put8(out, rest < 43200 ? 0x41 : 0x50);
      put8(out + 1, 0x4d);
      out += 2;
      return;
    case 0x5a:
      put8(out, 0x55);
      put8(out + 1, 0x54);
      put8(out + 2, 0x43);
      out += 3;
      return;
    case 0x7a:
      put8(out++, 0x2b);
      writeDigits(0, 4);
      return;
  }
}

/** Writes by a program: an epoch (0x03 and the power of ten), ISO (0x04), or parts; false: the form cannot hold it. */
function writeTime(seconds: i64, nanos: u32, program: usize): bool {
  const first = get8(program);
  if (first == 0x03) {
    const places = <i32>get8(program + 1);
    let unit: i64 = 1;
    for (let i = 0; i < places; i++) unit *= 10;
    if (places == 9 && abs(seconds) > 9223372035) return false;
    let below = nanos;
    for (let i = places; i < 9; i++) below /= 10;
    out = writeInteger(seconds * unit + <i64>below, out);
    return true;
  }
  if (first == 0x04) {
    out = writeIso(seconds, nanos, out);
    return true;
  }
  const days = <i32>(seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400);
  const rest = <i32>(seconds - <i64>days * 86400);
  civilFromDays(days);
  while (true) {
    const part = get8(program++);
    if (!part) return true;
    let argument: u32 = 0;
    if (part == 0x01) argument = get8(program++);
    writePart(part, argument, days, rest, nanos);
  }
}

/**
 * Writes the times of rows whose state is not NO_TIME (see readTimes) as tokens to `to`, which has room for them. States of times that
 * the form cannot hold become 3. Returns how many those are; {@link timesEnd} says where the bytes end.
 */
export function writeTimes(
  rows: usize,
  n: u32,
  seconds: usize,
  nanos: usize,
  states: usize,
  program: usize,
  starts: usize,
  ends: usize,
  kinds: usize,
  to: usize,
): u32 {
  const kind = get8(program) == 0x03 ? INTEGER : RAW;
  let bad: u32 = 0;
  out = to;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    let written: u32 = 0;
    const from = out;
    if (get8(states + row) != NO_TIME) {
      const value = getF64(seconds + (row << 3));
      if (value >= FIRST_SECOND && value <= LAST_SECOND && writeTime(<i64>value, get32(nanos + (row << 2)), program))
        written = kind;
      else {
        put8(states + row, OUT_OF_RANGE);
        bad++;
      }
    }
    put32(starts + (row << 2), <u32>from);
    put32(ends + (row << 2), <u32>out);
    put8(kinds + row, written);
  }
  return bad;
}

export function timesEnd(): usize {
  return out;
}
