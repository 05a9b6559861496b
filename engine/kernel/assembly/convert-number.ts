// Numbers from their text and back. Results that need more than one value are left in globals of the instance.
import { get64, get8, put8 } from './access';

/** What became of a value; `docs/conversions.md` says when. TypeScript knows these numbers as `Verdict`. */
export const MISSING: u32 = 0;
export const GOOD: u32 = 1;
export const WRONG: u32 = 2;
/** The right kind of value, but outside what the type can hold. */
export const RANGE: u32 = 3;
/** The kernel cannot say exactly: TypeScript asks `Number()`. */
export const ASK: u32 = 4;

/** Results of the readers below. */
export let integerValue: i64 = 0;
export let floatValue: f64 = 0;

@inline
function isDigit(c: u32): bool {
  return c - 0x30 < 10;
}

/** 0 when [p, end) is no JSON number, else its kind: 2 integer, 3 float. Nothing may stand around it. */
export function numberKind(p: usize, end: usize): u32 {
  if (p < end && get8(p) == 0x2d) p++;
  if (p >= end || !isDigit(get8(p))) return 0;
  if (get8(p) == 0x30) p++;
  else while (p < end && isDigit(get8(p))) p++;
  if (p == end) return 2;
  if (get8(p) == 0x2e) {
    p++;
    if (p >= end || !isDigit(get8(p))) return 0;
    while (p < end && isDigit(get8(p))) p++;
  }
  if (p < end && (get8(p) | 0x20) == 0x65) {
    p++;
    if (p < end && (get8(p) == 0x2b || get8(p) == 0x2d)) p++;
    if (p >= end || !isDigit(get8(p))) return 0;
    while (p < end && isDigit(get8(p))) p++;
  }
  return p == end ? 3 : 0;
}

export function setInteger(value: i64): u32 {
  integerValue = value;
  return GOOD;
}

export function setFloat(value: f64): u32 {
  floatValue = value;
  return GOOD;
}

@inline
function signed(magnitude: u64, negative: bool): u32 {
  if (magnitude > <u64>i64.MAX_VALUE + (negative ? 1 : 0)) return RANGE;
  integerValue = negative ? <i64>(0 - magnitude) : <i64>magnitude;
  return GOOD;
}

/** The number that eight digits spell: neighbours are joined to pairs, pairs to fours, fours to the whole, all at once. */
@inline
function eightDigits(p: usize): u64 {
  let digits = get64(p) - 0x3030303030303030;
  digits = digits * 10 + (digits >> 8);
  const low = (digits & 0x000000ff000000ff) * 0x000f424000000064;
  const high = ((digits >> 16) & 0x000000ff000000ff) * 0x0000271000000001;
  return (low + high) >> 32;
}

/** Reads an integer token into `integerValue`: GOOD or RANGE. */
export function readInteger(p: usize, end: usize): u32 {
  const negative = get8(p) == 0x2d;
  if (negative) p++;
  if (end - p > 19) return RANGE;
  let magnitude: u64 = 0;
  for (; end - p >= 8; p += 8) magnitude = magnitude * 100000000 + eightDigits(p);
  while (p < end) magnitude = magnitude * 10 + <u64>(get8(p++) - 0x30);
  return signed(magnitude, negative);
}

/** The exponent behind an `e`, cut at ±1,000,000: beyond all that matters here. */
function readExponent(p: usize, end: usize): i32 {
  const negative = get8(p) == 0x2d;
  if (negative || get8(p) == 0x2b) p++;
  let value = 0;
  while (p < end) {
    value = value * 10 + <i32>(get8(p++) - 0x30);
    if (value > 1000000) value = 1000000;
  }
  return negative ? -value : value;
}

/** Reads a float token whose value is whole into `integerValue`, digit by digit, so exactly: GOOD, RANGE, or WRONG when it is not whole. */
export function readWhole(p: usize, end: usize): u32 {
  const negative = get8(p) == 0x2d;
  if (negative) p++;
  let magnitude: u64 = 0;
  /** Significant digits taken into `magnitude`; zeros behind them wait, as they may be the last. */
  let digits = 0;
  let zeros = 0;
  let fraction = 0;
  let inFraction = false;
  let tooLong = false;
  while (p < end) {
    const c = get8(p);
    if (c == 0x2e) {
      inFraction = true;
      p++;
      continue;
    }
    if (!isDigit(c)) break;
    p++;
    if (inFraction) fraction++;
    if (c == 0x30) {
      if (digits) zeros++;
      continue;
    }
    for (; zeros > 0; zeros--) {
      magnitude *= 10;
      digits++;
    }
    magnitude = magnitude * 10 + <u64>(c - 0x30);
    if (++digits > 19) tooLong = true;
  }
  if (digits == 0) {
    integerValue = 0;
    return GOOD;
  }
  let exponent = zeros - fraction;
  if (p < end) exponent += readExponent(p + 1, end);
  if (exponent < 0) return WRONG;
  if (tooLong || digits + exponent > 19) return RANGE;
  for (; exponent > 0; exponent--) magnitude *= 10;
  return signed(magnitude, negative);
}

/** Powers of ten that a double holds exactly. */
function exactPowerOf10(n: i32): f64 {
  let power: f64 = 1;
  for (; n > 0; n--) power *= 10;
  return power;
}

/**
 * Reads a number token into `floatValue`: GOOD, or ASK where correct rounding needs more than one operation.
 * One operation on exact operands is rounded correctly: up to 19 digits without exponent, or up to 2^53 times 10^±22.
 */
export function readFloat(p: usize, end: usize): u32 {
  const negative = get8(p) == 0x2d;
  if (negative) p++;
  let magnitude: u64 = 0;
  let digits = 0;
  let exponent = 0;
  let inFraction = false;
  while (p < end) {
    const c = get8(p);
    if (c == 0x2e) {
      inFraction = true;
      p++;
      continue;
    }
    if (!isDigit(c)) break;
    p++;
    magnitude = magnitude * 10 + <u64>(c - 0x30);
    if (magnitude && ++digits > 19) return ASK;
    if (inFraction) exponent--;
  }
  if (p < end) exponent += readExponent(p + 1, end);
  let value: f64 = 0;
  if (magnitude == 0) value = 0;
  else if (exponent == 0) value = <f64>magnitude;
  else if (magnitude > (1 << 53) || exponent < -22 || exponent > 22) return ASK;
  else if (exponent < 0) value = <f64>magnitude / exactPowerOf10(-exponent);
  else value = <f64>magnitude * exactPowerOf10(exponent);
  floatValue = negative ? -value : value;
  return GOOD;
}

/** The first 19 digits of 2^1024 - 2^970, from where on (309 digits) a number is rounded to infinity. */
const INFINITE_FROM: u64 = 1797693134862315807;

/** Whether a number token is within the range of a double (told by its first 19 digits): GOOD or RANGE. */
export function checkFinite(p: usize, end: usize): u32 {
  if (end - p < 300 && findExponent(p, end) == end) return GOOD;
  if (get8(p) == 0x2d) p++;
  /** Digits before the decimal point, counted from the first that is not 0. */
  let places = 0;
  let digits = 0;
  let leading: u64 = 0;
  let inFraction = false;
  while (p < end) {
    const c = get8(p);
    if (c == 0x2e) {
      inFraction = true;
      p++;
      continue;
    }
    if (!isDigit(c)) break;
    p++;
    if (digits || c != 0x30) {
      if (++digits <= 19) leading = leading * 10 + <u64>(c - 0x30);
      if (!inFraction) places++;
    } else if (inFraction) places--;
  }
  if (digits == 0) return GOOD;
  if (p < end) places += readExponent(p + 1, end);
  if (places != 309) return places < 309 ? GOOD : RANGE;
  for (; digits < 19; digits++) leading *= 10;
  return leading < INFINITE_FROM ? GOOD : RANGE;
}

function findExponent(p: usize, end: usize): usize {
  while (p < end && (get8(p) | 0x20) != 0x65) p++;
  return p;
}

/** Compares an integer with a double exactly: -1, 0 or 1. `b` is no NaN. */
export function compareIntegerWithFloat(a: i64, b: f64): i32 {
  if (b >= 9223372036854775808.0) return -1;
  if (b < -9223372036854775808.0) return 1;
  const whole = <i64>b;
  if (a != whole) return a < whole ? -1 : 1;
  const rest = b - <f64>whole;
  return rest > 0 ? -1 : rest < 0 ? 1 : 0;
}

/** Writes `value` in decimal, at most 20 bytes; returns the pointer behind it. */
export function writeInteger(value: i64, out: usize): usize {
  if (value < 0) {
    put8(out++, 0x2d);
    return writeUnsigned(<u64>(0 - value), out);
  }
  return writeUnsigned(<u64>value, out);
}

export function writeUnsigned(value: u64, out: usize): usize {
  if (value <= <u64>u32.MAX_VALUE) return writeSmall(<u32>value, out);
  const high = value / 1000000000;
  const low = <u32>(value - high * 1000000000);
  out = writeUnsigned(high, out);
  writePadded(low, 9, out);
  return out + 9;
}

function writeSmall(value: u32, out: usize): usize {
  let length = 1;
  for (let rest = value; rest >= 10; rest /= 10) length++;
  writePadded(value, length, out);
  return out + <usize>length;
}

/** The last `length` digits of `value`. */
function writePadded(value: u32, length: i32, out: usize): void {
  for (let i = length - 1; i >= 0; i--) {
    const rest = value / 10;
    put8(out + <usize>i, 0x30 + (value - rest * 10));
    value = rest;
  }
}

/**
 * Writes a double as JavaScript's `String()` would where that takes no exponent and at most 15 digits (at most 32 bytes);
 * returns `out` itself where it cannot. -0 is written `-0`, as `JSON.parse` reads it back.
 *
 * A decimal of at most 15 digits that reads back as `value` is its shortest spelling, as no two of them give the same double;
 * reading back is one exact division.
 */
export function writeFloat(value: f64, out: usize): usize {
  if (value == 0) {
    if (reinterpret<i64>(value) < 0) put8(out++, 0x2d);
    put8(out, 0x30);
    return out + 1;
  }
  const size = abs(value);
  if (!(size < 1e15 && size >= 1e-6)) return out;
  let scale: f64 = 1;
  for (let places = 0; places <= 19; places++, scale *= 10) {
    const scaled = nearest(size * scale);
    if (scaled >= 1e15) return out;
    if (scaled / scale != size) continue;
    if (value < 0) put8(out++, 0x2d);
    const digits = <u64>scaled;
    if (places == 0) return writeUnsigned(digits, out);
    const unit = <u64>scale;
    const whole = digits / unit;
    out = writeUnsigned(whole, out);
    put8(out++, 0x2e);
    let rest = digits - whole * unit;
    for (let i = places - 1; i >= 0; i--) {
      put8(out + <usize>i, 0x30 + <u32>(rest % 10));
      rest /= 10;
    }
    return out + <usize>places;
  }
  return out;
}
