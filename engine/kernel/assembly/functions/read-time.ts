// Points in time from their text, by a small program that TypeScript makes of a format (src/functions/time-format.ts): for each
// part one byte that says what it is, a literal followed by its byte.
import { get8, put8, put32, putF64 } from '../access';
import { kindAt, word } from '../columns-read';
import { RAW } from '../convert';
import { daysFromCivil, daysInMonth, isLeap } from './civil';

/** What a time is: none; known; on a clock whose zone the text does not say; out of the calendar's range. */
export const NO_TIME: u32 = 0;
export const KNOWN: u32 = 1;
export const LOCAL: u32 = 2;

/** The time read last: seconds since 1970 and nanoseconds behind them. */
export let seconds: i64 = 0;
export let nanos: u32 = 0;

const UNSET: i32 = i32.MIN_VALUE;
let year = UNSET;
let month = UNSET;
let day = UNSET;
let dayOfYear = UNSET;
let hour = 0;
let minute = 0;
let second = 0;
let afternoon = UNSET;
let offset = UNSET;
let epoch = false;
/** Behind what was read last; 0: it is not there. */
let at: usize = 0;
let end: usize = 0;

@inline function isDigit(c: u32): bool {
  return c - 0x30 < 10;
}

@inline function peek(): u32 {
  return at < end ? get8(at) : 0;
}

/** From `least` to `most` digits as a number; -1: there are fewer. */
function digits(least: i32, most: i32): i32 {
  let value = 0;
  let count = 0;
  while (count < most && at < end && isDigit(get8(at))) {
    value = value * 10 + <i32>(get8(at++) - 0x30);
    count++;
  }
  return count < least ? -1 : value;
}

/** Two digits as a number; -1: there are fewer. */
@inline function twoDigits(): i32 {
  if (at + 2 > end) return -1;
  const tens = get8(at) - 0x30;
  const ones = get8(at + 1) - 0x30;
  if (tens >= 10 || ones >= 10) return -1;
  at += 2;
  return <i32>(tens * 10 + ones);
}

function within(value: i32, least: i32, most: i32): bool {
  return value >= least && value <= most;
}

/** Digits of a fraction, at least one; those behind the ninth are dropped. */
function readFraction(): bool {
  let value: u32 = 0;
  let count = 0;
  while (at < end && isDigit(get8(at))) {
    if (count < 9) value = value * 10 + get8(at) - 0x30;
    count++;
    at++;
  }
  if (count == 0) return false;
  for (; count < 9; count++) value *= 10;
  nanos = value;
  return true;
}

function readSecond(): bool {
  second = twoDigits();
  // A leap second counts as the first of the next minute.
  return within(second, 0, 60);
}

/** `Z`, `+01:00`, `+0100` or `+01`. */
function readOffset(): bool {
  const c = peek();
  if (c == 0x5a || c == 0x7a) {
    at++;
    offset = 0;
    return true;
  }
  if (c != 0x2b && c != 0x2d) return false;
  at++;
  const hours = twoDigits();
  if (!within(hours, 0, 23)) return false;
  let minutes = 0;
  if (peek() == 0x3a) {
    at++;
    minutes = twoDigits();
    if (minutes < 0) return false;
  } else if (isDigit(peek())) minutes = twoDigits();
  if (!within(minutes, 0, 59)) return false;
  offset = (hours * 60 + minutes) * (c == 0x2d ? -1 : 1);
  return true;
}

@inline function lower(p: usize): u32 {
  return p < end ? get8(p) | 0x20 : 0;
}

/** The three letters at `at`, as one number. */
function letters(): u32 {
  return (lower(at) << 16) | (lower(at + 1) << 8) | lower(at + 2);
}

/** Goes on behind the letters at `at` that continue an abbreviated name, when they are the rest of the full one. */
function skipLetters(): void {
  at += 3;
  while (at < end && (get8(at) | 0x20) - 0x61 < 26) at++;
}

function readMonthName(): bool {
  const name = letters();
  month =
    name == 0x6a616e ? 1 : name == 0x666562 ? 2 : name == 0x6d6172 ? 3 : name == 0x617072 ? 4
    : name == 0x6d6179 ? 5 : name == 0x6a756e ? 6 : name == 0x6a756c ? 7 : name == 0x617567 ? 8
    : name == 0x736570 ? 9 : name == 0x6f6374 ? 10 : name == 0x6e6f76 ? 11 : name == 0x646563 ? 12 : 0;
  skipLetters();
  return month != 0;
}

function readDayName(): bool {
  const name = letters();
  skipLetters();
  return (
    name == 0x6d6f6e || name == 0x747565 || name == 0x776564 || name == 0x746875 || name == 0x667269 || name == 0x736174 ||
    name == 0x73756e
  );
}

/** `UTC`, `GMT` or `Z`: other abbreviations mean different things in different places. */
function readZoneName(): bool {
  const name = letters();
  if (name == 0x757463 || name == 0x676d74) at += 3;
  else if (peek() == 0x5a) at++;
  else return false;
  offset = 0;
  return true;
}

/** A number of units since 1970, `places` of them (as a power of ten) in a second, maybe with a fraction. */
function readEpoch(places: i32): bool {
  const negative = peek() == 0x2d;
  if (negative) at++;
  let whole: u64 = 0;
  let count = 0;
  while (at < end && isDigit(get8(at))) {
    if (++count > 19) return false;
    whole = whole * 10 + <u64>(get8(at++) - 0x30);
  }
  if (count == 0 || whole > <u64>i64.MAX_VALUE) return false;
  let unit: u64 = 1;
  for (let i = 0; i < places; i++) unit *= 10;
  seconds = <i64>(whole / unit);
  let below = <u32>(whole % unit);
  for (let i = places; i < 9; i++) below *= 10;
  if (peek() == 0x2e) {
    at++;
    nanos = 0;
    if (!readFraction()) return false;
    for (let i = 0; i < places; i++) nanos /= 10;
    below += nanos;
  }
  nanos = below;
  if (negative) {
    seconds = -seconds;
    if (nanos) {
      seconds--;
      nanos = 1000000000 - nanos;
    }
  }
  epoch = true;
  return abs(seconds) <= 253402300799;
}

/** `2024-05-06`, with a time behind `T` or a blank (`07:08`, seconds and a fraction may follow), with an offset or without. */
function readIso(): bool {
  const century = twoDigits();
  const inCentury = twoDigits();
  if (century < 0 || inCentury < 0 || peek() != 0x2d) return false;
  year = century * 100 + inCentury;
  at++;
  month = twoDigits();
  if (month < 0 || peek() != 0x2d) return false;
  at++;
  day = twoDigits();
  if (day < 0) return false;
  const c = peek();
  if (c != 0x54 && c != 0x74 && c != 0x20) return at == end;
  at++;
  hour = twoDigits();
  if (!within(hour, 0, 23) || peek() != 0x3a) return false;
  at++;
  minute = twoDigits();
  if (!within(minute, 0, 59)) return false;
  if (peek() == 0x3a) {
    at++;
    if (!readSecond()) return false;
    if (peek() == 0x2e || peek() == 0x2c) {
      at++;
      if (!readFraction()) return false;
    }
  }
  if (at < end && peek() != 0x20) return readOffset();
  return true;
}

/** One part of a program, its argument at `argument`. */
function readPart(part: u32, argument: u32): bool {
  switch (part) {
    case 0x01: // a literal
      if (peek() != argument || at == end) return false;
      at++;
      return true;
    case 0x02: // blanks
      if (peek() != 0x20 && peek() != 0x09) return false;
      while (peek() == 0x20 || peek() == 0x09) at++;
      return true;
    case 0x59: // Y
      year = digits(4, 4);
      return year >= 0;
    case 0x79: // y
      year = twoDigits();
      if (year < 0) return false;
      year += year < 69 ? 2000 : 1900;
      return true;
    case 0x6d: // m
      month = digits(1, 2);
      return within(month, 1, 12);
    case 0x64: // d
      if (peek() == 0x20) at++;
      day = digits(1, 2);
      return within(day, 1, 31);
    case 0x6a: // j
      dayOfYear = digits(3, 3);
      return within(dayOfYear, 1, 366);
    case 0x48: // H
      if (peek() == 0x20) at++;
      hour = digits(1, 2);
      return within(hour, 0, 23);
    case 0x49: // I
      if (peek() == 0x20) at++;
      hour = digits(1, 2);
      return within(hour, 1, 12);
    case 0x4d: // M
      minute = twoDigits();
      return within(minute, 0, 59);
    case 0x53: // S
      return readSecond();
    case 0x66: // f
      return readFraction();
    case 0x7a: // z
      return readOffset();
    case 0x5a: // Z
      return readZoneName();
    case 0x62: // b
      return readMonthName();
    case 0x61: // a
      return readDayName();
    case 0x70: { // p
      const name = (lower(at) << 8) | lower(at + 1);
      afternoon = name == 0x706d ? 1 : name == 0x616d ? 0 : UNSET;
      at += 2;
      return afternoon != UNSET;
    }
    case 0x03: // an epoch
      return readEpoch(<i32>argument);
    case 0x04:
      return readIso();
    case 0x05: // a fraction behind its point, where there is one
      if (peek() != 0x2e) return true;
      at++;
      return readFraction();
  }
  return false;
}

function clear(): void {
  year = month = day = dayOfYear = afternoon = offset = UNSET;
  hour = minute = second = 0;
  nanos = 0;
  epoch = false;
}

/** The calendar's fields become `seconds`. What says no year was `reference` or before, or is at most a month ahead. */
function finish(reference: f64): u32 {
  if (epoch) return KNOWN;
  if (afternoon != UNSET) hour = (hour % 12) + (afternoon == 1 ? 12 : 0);
  let days: i32;
  if (year == UNSET) {
    if (month == UNSET || day == UNSET) return NO_TIME;
    days = latestDays(reference);
    if (days == UNSET) return NO_TIME;
  } else if (dayOfYear != UNSET) {
    if (dayOfYear == 366 && !isLeap(year)) return NO_TIME;
    days = daysFromCivil(year, 1, 1) + dayOfYear - 1;
  } else {
    if (month == UNSET) month = 1;
    if (day == UNSET) day = 1;
    if (!within(month, 1, 12) || !within(day, 1, daysInMonth(year, month))) return NO_TIME;
    days = daysFromCivil(year, month, day);
  }
  seconds = <i64>days * 86400 + <i64>(hour * 3600 + minute * 60 + second);
  if (offset == UNSET) return LOCAL;
  seconds -= <i64>offset * 60;
  return KNOWN;
}

/** Clocks may be fast, and December hears of January: what would be ahead by more days than this is of the year before. */
const MOST_DAYS_AHEAD = 31;
/** Two leap years are at most so many years apart. */
const LEAP_GAP = 8;

/** What {@link latestDays} found last, and for what: times that follow each other mostly share their day. */
let latest = UNSET;
let latestMonth = UNSET;
let latestDay = UNSET;
let latestTo = UNSET;

/** Days since 1970 of month and day in the last year that fits before `reference` (seconds); UNSET: there is no such date. */
function latestDays(reference: f64): i32 {
  const today = <i32>floor(reference / 86400);
  if (month == latestMonth && day == latestDay && today == latestTo) return latest;
  latestMonth = month;
  latestDay = day;
  latestTo = today;
  latest = findLatestDays(today);
  return latest;
}

function findLatestDays(today: i32): i32 {
  const about = 1970 + <i32>floor(<f64>today / 365.2425);
  for (let candidate = about + 2; candidate >= about - LEAP_GAP; candidate--) {
    if (day > daysInMonth(candidate, month)) continue;
    const days = daysFromCivil(candidate, month, day);
    if (days - today <= MOST_DAYS_AHEAD) return days;
  }
  return UNSET;
}

/** Reads the time in [p, to) by the program at `program` (ends with 0). Sets `seconds` and `nanos`. */
export function readTime(p: usize, to: usize, program: usize, reference: f64): u32 {
  at = p;
  end = to;
  if (!readParts(program) || at != end) return NO_TIME;
  return finish(reference);
}

/** The same for a time with which the text [p, to) begins; {@link timeEnd} says where it ends. */
export function readTimePrefix(p: usize, to: usize, program: usize, reference: f64): u32 {
  at = p;
  end = to;
  return readParts(program) ? finish(reference) : NO_TIME;
}

export function timeEnd(): usize {
  return at;
}

function readParts(program: usize): bool {
  clear();
  while (true) {
    const part = get8(program++);
    if (!part) return true;
    let argument: u32 = 0;
    if (part == 0x01 || part == 0x03) argument = get8(program++);
    if (!readPart(part, argument)) return false;
  }
}

/** Pointer behind the 0 that ends the program. */
export function nextProgram(program: usize): usize {
  while (true) {
    const part = get8(program++);
    if (!part) return program;
    if (part == 0x01 || part == 0x03) program++;
  }
}

/**
 * Reads times from texts of kind RAW by the first of the programs that fits; behind the last stands a 0. A time whose text has no offset
 * is taken as `offsetSeconds` ahead of UTC. Per row: f64 seconds, u32 nanoseconds, u8 state. Returns how many rows have no time.
 */
export function readTimes(
  starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, programs: usize, reference: f64, offsetSeconds: f64,
  outSeconds: usize, outNanos: usize, outStates: usize,
): u32 {
  let bad: u32 = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    let state = NO_TIME;
    if (kindAt(kinds, row) == RAW) {
      let program = programs;
      while (state == NO_TIME && get8(program)) {
        state = readTime(word(starts, row), word(ends, row), program, reference);
        program = nextProgram(program);
      }
    }
    if (state == NO_TIME) bad++;
    putF64(outSeconds + (row << 3), <f64>seconds - (state == LOCAL ? offsetSeconds : 0));
    put32(outNanos + (row << 2), nanos);
    put8(outStates + row, state);
  }
  return bad;
}
