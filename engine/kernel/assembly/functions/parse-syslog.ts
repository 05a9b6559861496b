// Syslog messages to columns: RFC 5424, and what is sent as RFC 3164 (which only describes what was seen in the wild).
import { get8, get32, getF64, put8, put32 } from '../access';
import { alloc, release } from '../arena';
import { kindAt, word } from '../columns-read';
import { INTEGER, OBJECT, RAW } from '../convert';
import { BACKSLASH, escape, findByte } from '../text';
import { clearFields, putField } from './fields';
import { ARENA_FULL, BAD_HEADER, BAD_STRUCTURED_DATA, BAD_TIME, NO_PRIORITY } from './problems';
import { KNOWN, LOCAL, NO_TIME, nanos, nextProgram, readTimePrefix, seconds, timeEnd } from './read-time';
import { writeIso } from './write-time';

const SPACE: u32 = 0x20;
const QUOTE: u32 = 0x22;
const COLON: u32 = 0x3a;
const DASH: u32 = 0x2d;
const OPEN: u32 = 0x5b;
const CLOSE: u32 = 0x5d;

/** The order of the columns that TypeScript gives. */
const PRIORITY: usize = 0;
const FACILITY: usize = 1;
const SEVERITY: usize = 2;
const VERSION: usize = 3;
const TIMESTAMP: usize = 4;
const HOSTNAME: usize = 5;
const APPNAME: usize = 6;
const PROCID: usize = 7;
const MSGID: usize = 8;
const STRUCTURED_DATA: usize = 9;
const MESSAGE: usize = 10;
const SEQUENCE: usize = 11;

let columns: usize = 0;
let names: usize = 0;
let programs: usize = 0;
let iso: usize = 0;
let reference: f64 = 0;
let offsets: usize = 0;
let lenient: bool = false;
/** The message has a priority. */
let prioritised: bool = false;

let problem: u32 = 0;
let problemAt: usize = 0;

function fail(code: u32, at: usize): usize {
  problem = code;
  problemAt = at;
  return 0;
}

/**
 * `fields`: 12 pointers to columns, 0 for those that nobody wants. `words`: (start, end) of the names of 24 facilities, then of 8 severities.
 * `times`: programs for RFC 3164's time, a 0 behind the last; `isoTime`: the one for RFC 5424's. A time without year is
 * the last one that is not more than a month ahead of `now`. `zone`: pairs of f64, the first second on its clock for which the second one, its seconds ahead of UTC, holds;
 * the last pair begins at infinity. `keep`: what has no right header is a message all the same.
 */
export function setSyslog(fields: usize, words: usize, times: usize, isoTime: usize, now: f64, zone: usize, keep: u32): void {
  columns = fields;
  names = words;
  programs = times;
  iso = isoTime;
  reference = now;
  offsets = zone;
  lenient = keep != 0;
}

/** Reads each text of kind RAW; `standard`: 0 either, 1 only RFC 5424, 2 only RFC 3164. See parseJson. */
export function parseSyslog(starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, standard: u32, problems: usize): i32 {
  let bad = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    put32(problems + (row << 2), 0);
    if (kindAt(kinds, row) != RAW) continue;
    const start = word(starts, row);
    if (parseMessage(start, word(ends, row), row, standard)) continue;
    if (problem == ARENA_FULL) return -1;
    if (lenient) {
      clearFields(row);
      putHeadless(start, word(ends, row), row);
      continue;
    }
    put32(problems + (row << 2), problem | (<u32>min<usize>(problemAt - start, 0xffffff) << 8));
    clearFields(row);
    bad++;
  }
  return bad;
}

@inline function put(column: usize, row: usize, start: usize, end: usize, kind: u32): void {
  const field = <usize>get32(columns + (column << 2));
  if (field) putField(field, row, start, end, kind);
}

/** A text of the header; `-` stands for none. */
function putText(column: usize, row: usize, start: usize, end: usize): void {
  if (end - start == 1 && get8(start) == DASH) return;
  put(column, row, start, end, RAW);
}

@inline function isDigit(c: u32): bool {
  return c - 0x30 < 10;
}

@inline function byteAt(p: usize, end: usize): u32 {
  return p < end ? get8(p) : 0;
}

/** What ends a frame is no part of the message. */
@inline function trimmedEnd(p: usize, end: usize): usize {
  while (end > p && (get8(end - 1) <= 0x0d && (get8(end - 1) == 0x0a || get8(end - 1) == 0x0d || get8(end - 1) == 0))) end--;
  return end;
}

/** A message of which no more can be said than maybe its priority. */
function putHeadless(start: usize, end: usize, row: usize): void {
  end = trimmedEnd(start, end);
  put(MESSAGE, row, parsePriority(start, end, row), end, RAW);
}

function parseMessage(p: usize, end: usize, row: usize, standard: u32): bool {
  end = trimmedEnd(p, end);
  const from = p;
  p = parsePriority(p, end, row);
  prioritised = p != from;
  if (p == from && standard == 1) return fail(NO_PRIORITY, from) != 0;
  if (standard != 2 && p != from) {
    const version = p;
    while (p < end && isDigit(get8(p)) && p - version < 3) p++;
    if (p > version && get8(version) != 0x30 && byteAt(p, end) == SPACE) {
      put(VERSION, row, version, p, INTEGER);
      return parse5424(p + 1, end, row) != 0;
    }
    if (standard == 1) return fail(BAD_HEADER, version) != 0;
    p = version;
  }
  return parse3164(p, end, row) != 0;
}

/** `<165>`; returns its end, or `p` itself when there is none. */
function parsePriority(p: usize, end: usize, row: usize): usize {
  if (byteAt(p, end) != 0x3c) return p;
  let value: u32 = 0;
  let q = p + 1;
  while (q < end && isDigit(get8(q)) && q - p <= 3) value = value * 10 + get8(q++) - 0x30;
  if (q == p + 1 || byteAt(q, end) != 0x3e || value > 191 || (get8(p + 1) == 0x30 && q > p + 2)) return p;
  put(PRIORITY, row, p + 1, q, INTEGER);
  const facility = names + (<usize>(value >> 3) << 3);
  put(FACILITY, row, <usize>get32(facility), <usize>get32(facility + 4), RAW);
  const severity = names + (24 << 3) + (<usize>(value & 7) << 3);
  put(SEVERITY, row, <usize>get32(severity), <usize>get32(severity + 4), RAW);
  return q + 1;
}

/** From behind the version on. */
function parse5424(p: usize, end: usize, row: usize): usize {
  const time = p;
  p = findByte(p, end, SPACE);
  if (p - time != 1 || get8(time) != DASH) {
    // A blank may not stand in it, and an offset must.
    if (readTimePrefix(time, p, iso, reference) == NO_TIME || timeEnd() != p || p - time < 17) return fail(BAD_TIME, time);
  }
  putText(TIMESTAMP, row, time, p);
  for (let column = HOSTNAME; column <= MSGID; column++) {
    if (p == end) return fail(BAD_HEADER, end);
    const from = ++p;
    p = findByte(p, end, SPACE);
    if (p == from) return fail(BAD_HEADER, from);
    putText(column, row, from, p);
  }
  if (p == end) return fail(BAD_HEADER, end);
  p = parseStructuredData(p + 1, end, row);
  if (!p) return 0;
  if (p == end) return p;
  if (get8(p) != SPACE) return fail(BAD_STRUCTURED_DATA, p);
  p++;
  if (end - p >= 3 && get8(p) == 0xef && get8(p + 1) == 0xbb && get8(p + 2) == 0xbf) p += 3;
  put(MESSAGE, row, p, end, RAW);
  return end;
}

/** `-`, or elements `[id name="value" …]`, which become an object of objects. Returns the pointer behind them. */
function parseStructuredData(p: usize, end: usize, row: usize): usize {
  if (byteAt(p, end) == DASH) return p + 1;
  if (!get32(columns + (STRUCTURED_DATA << 2))) return writeElements(p, end, 0);
  // No byte becomes more than six, and what stands around a name takes less than what it replaces and three bytes.
  const out = alloc((end - p) * 6 + 16);
  if (!out) return fail(ARENA_FULL, p);
  p = writeElements(p, end, out);
  release((written + 15) & ~15);
  if (p) put(STRUCTURED_DATA, row, out, written, OBJECT);
  return p;
}

let written: usize = 0;

@inline function write(c: u32): void {
  put8(written++, c);
}

/** The characters of an id or name; stops at the first that is none. */
function findNameEnd(p: usize, end: usize): usize {
  while (p < end) {
    const c = get8(p);
    if (c <= SPACE || c == QUOTE || c == 0x3d || c == CLOSE) break;
    p++;
  }
  return p;
}

function writeName(p: usize, end: usize): void {
  write(QUOTE);
  written = escape(p, end, written);
  write(QUOTE);
  write(COLON);
}

/** Checks the elements at `p`, and writes them as JSON when `out` is not 0. Returns the pointer behind them; 0: they are bad. */
function writeElements(p: usize, end: usize, out: usize): usize {
  written = out;
  if (byteAt(p, end) != OPEN) return fail(BAD_STRUCTURED_DATA, p);
  if (out) write(0x7b);
  let first = true;
  while (byteAt(p, end) == OPEN) {
    const id = p + 1;
    p = findNameEnd(id, end);
    if (p == id) return fail(BAD_STRUCTURED_DATA, id);
    if (out) {
      if (!first) write(0x2c);
      writeName(id, p);
      write(0x7b);
    }
    p = writeParameters(p, end, out != 0);
    if (!p) return 0;
    if (out) write(0x7d);
    first = false;
  }
  if (out) write(0x7d);
  return p;
}

/** From behind an element's id to behind its `]`. */
function writeParameters(p: usize, end: usize, out: bool): usize {
  let first = true;
  while (byteAt(p, end) == SPACE) {
    while (byteAt(p, end) == SPACE) p++;
    if (byteAt(p, end) == CLOSE) break;
    const name = p;
    p = findNameEnd(p, end);
    if (p == name || byteAt(p, end) != 0x3d || byteAt(p + 1, end) != QUOTE) return fail(BAD_STRUCTURED_DATA, p);
    if (out) {
      if (!first) write(0x2c);
      writeName(name, p);
    }
    p = writeValue(p + 1, end, out);
    if (!p) return 0;
    first = false;
  }
  return byteAt(p, end) == CLOSE ? p + 1 : fail(BAD_STRUCTURED_DATA, p);
}

/** The value whose opening quote is at `p`; `\"`, `\\` and `\]` lose their backslash. Returns the pointer behind it. */
function writeValue(p: usize, end: usize, out: bool): usize {
  const open = p++;
  if (out) write(QUOTE);
  let from = p;
  while (p < end && get8(p) != QUOTE) {
    if (get8(p) != BACKSLASH) {
      p++;
      continue;
    }
    const next = byteAt(p + 1, end);
    const escaped = next == QUOTE || next == BACKSLASH || next == CLOSE;
    if (out && escaped) {
      written = escape(from, p, written);
      from = p + 1;
    }
    p += escaped ? 2 : 1;
  }
  if (p >= end) return fail(BAD_STRUCTURED_DATA, open);
  if (out) {
    written = escape(from, p, written);
    write(QUOTE);
  }
  return p + 1;
}

/** The colon of `123: ` at `p`, or `p` itself when there is none. */
function sequenceEnd(p: usize, end: usize): usize {
  let q = p;
  while (q < end && isDigit(get8(q)) && q - p < 18) q++;
  return q > p && byteAt(q, end) == COLON && byteAt(q + 1, end) == SPACE ? q : p;
}

/** A sequence number as Cisco's devices put before the time: `123: `. Returns its end, or `p` itself when there is none. */
function parseSequence(p: usize, end: usize, row: usize): usize {
  const q = sequenceEnd(p, end);
  if (q == p) return p;
  let first = p;
  while (first + 1 < q && get8(first) == 0x30) first++;
  put(SEQUENCE, row, first, q, INTEGER);
  return skipSpaces(q + 1, end);
}

@inline function skipSpaces(p: usize, end: usize): usize {
  while (byteAt(p, end) == SPACE) p++;
  return p;
}

let timeState: u32 = 0;

/** The time at `p`, whose state is then `timeState`. Returns the pointer behind it. */
function readSyslogTime(p: usize, end: usize): usize {
  // Some routers mark a clock that is not set, or has lost its source.
  if (byteAt(p, end) == 0x2a || byteAt(p, end) == 0x2e) p++;
  let program = programs;
  while (get8(program)) {
    timeState = readTimePrefix(p, end, program, reference);
    const stop = timeEnd();
    if (timeState != NO_TIME && (stop == end || get8(stop) == SPACE || get8(stop) == COLON)) {
      if (timeState == LOCAL && isYear(stop, end)) {
        // A year behind the time, as ctime writes it.
        const state = readTimePrefix(p, end, nextProgram(program), reference);
        if (state != NO_TIME) return timeEnd();
        timeState = readTimePrefix(p, end, program, reference);
      }
      return timeState == LOCAL ? skipZone(stop, end) : stop;
    }
    program = nextProgram(program);
  }
  timeState = NO_TIME;
  return p;
}

/** ` 2026` and an end of a word. */
function isYear(p: usize, end: usize): bool {
  if (byteAt(p, end) != SPACE || end - p < 5) return false;
  const century = (get8(p + 1) << 8) | get8(p + 2);
  if ((century != 0x3139 && century != 0x3230) || !isDigit(get8(p + 3)) || !isDigit(get8(p + 4))) return false;
  return p + 5 == end || get8(p + 5) == SPACE || (get8(p + 5) == COLON && (p + 6 == end || get8(p + 6) == SPACE));
}

/** ` UTC:`, ` CEST:`: an abbreviation is only believed where it means one thing everywhere. */
function skipZone(p: usize, end: usize): usize {
  if (byteAt(p, end) != SPACE) return p;
  let q = p + 1;
  while (q < end && get8(q) - 0x41 < 26 && q - p < 7) q++;
  if (q - p < 3 || byteAt(q, end) != COLON) return p;
  const name = (get8(p + 1) << 16) | (get8(p + 2) << 8) | get8(p + 3);
  if (q - p == 4 && (name == 0x555443 || name == 0x474d54)) timeState = KNOWN;
  return q;
}

/** `hostname: ` before the time, as Cisco's devices put their origin. Returns its end, or `p` itself when there is none. */
function originEnd(p: usize, end: usize): usize {
  let q = p;
  while (q < end && get8(q) > SPACE && get8(q) != COLON && q - p < 256) q++;
  return q > p && byteAt(q, end) == COLON && byteAt(q + 1, end) == SPACE ? q : p;
}

/** `%ASA-6-302014: `: Cisco's firewalls say no time unless told to. */
function isMnemonic(p: usize, end: usize): bool {
  if (byteAt(p, end) != 0x25) return false;
  const stop = originEnd(p, end);
  for (let q = p + 2; q + 2 < stop; q++) {
    if (get8(q) == DASH && get8(q + 1) - 0x30 < 8 && get8(q + 2) == DASH) return true;
  }
  return false;
}

function offsetAt(local: i64): i64 {
  let pair = offsets;
  while (<f64>local >= getF64(pair + 16)) pair += 16;
  return <i64>getF64(pair + 8);
}

/** From behind the priority on: a time, maybe a host, maybe a tag with a process in brackets, the message. */
function parse3164(p: usize, end: usize, row: usize): usize {
  const from = p;
  p = readSyslogTime(p, end);
  if (timeState == NO_TIME) {
    // What Cisco's devices write: sequence numbers, an origin.
    p = byteAt(from, end) == COLON ? skipSpaces(from + 1, end) : skipSpaces(from, end);
    p = parseSequence(p, end, row);
    let time = p;
    p = readSyslogTime(time, end);
    if (timeState == NO_TIME) {
      if (isMnemonic(time, end)) return parseTag(time, end, row);
      const origin = originEnd(time, end);
      if (origin == time) return fail(BAD_TIME, from);
      const host = time;
      time = skipSpaces(origin + 1, end);
      // Some count twice, what they sent and what they logged: the first one is the column.
      const second = sequenceEnd(time, end);
      if (second != time) time = skipSpaces(second + 1, end);
      p = readSyslogTime(time, end);
      if (timeState == NO_TIME) return fail(BAD_TIME, from);
      putText(HOSTNAME, row, host, origin);
      return putTime(row) ? parseTag(skipColon(p, end), end, row) : fail(ARENA_FULL, from);
    }
  }
  if (!putTime(row)) return fail(ARENA_FULL, from);
  if (byteAt(p, end) == COLON) return parseTag(skipColon(p, end), end, row);
  return parseTag(skipColon(parseHost(skipSpaces(p, end), end, row), end), end, row);
}

/** `: `, which Cisco's devices put between all that they say. */
function skipColon(p: usize, end: usize): usize {
  if (byteAt(p, end) != COLON) return p;
  return skipSpaces(p + 1, end);
}

function putTime(row: usize): bool {
  if (!get32(columns + (TIMESTAMP << 2))) return true;
  const out = alloc(32);
  if (!out) return false;
  const utc = timeState == LOCAL ? seconds - offsetAt(seconds) : seconds;
  put(TIMESTAMP, row, out, writeIso(utc, nanos, out), RAW);
  return true;
}

/** A first word that ends with a colon or has brackets is a tag already. */
function parseHost(p: usize, end: usize, row: usize): usize {
  let stop = p;
  while (stop < end) {
    const c = get8(stop);
    if (c == SPACE) break;
    if (c == OPEN) return p;
    stop++;
  }
  if (stop == end || stop == p || get8(stop - 1) == COLON || get8(p) == 0x25) return p;
  putText(HOSTNAME, row, p, stop);
  return skipSpaces(stop, end);
}

/** `name:`, `name[process]:`; without either all is message. */
function parseTag(p: usize, end: usize, row: usize): usize {
  let q = p;
  while (q < end) {
    const c = get8(q);
    if (c <= SPACE || c == COLON || c == OPEN) break;
    q++;
  }
  if (q > p && q - p <= 64) {
    const nameEnd = q;
    let processEnd: usize = 0;
    if (byteAt(q, end) == OPEN) {
      const close = findByte(q, min(end, q + 130), CLOSE);
      if (byteAt(close, end) == CLOSE) {
        processEnd = close;
        q = close + 1;
      }
    }
    if (byteAt(q, end) == COLON || (processEnd && (q == end || get8(q) == SPACE))) {
      put(APPNAME, row, p, nameEnd, RAW);
      if (processEnd) put(PROCID, row, nameEnd + 1, processEnd, RAW);
      if (get8(p) == 0x25) putMnemonic(p, nameEnd, row);
      p = q < end && get8(q) == COLON ? q + 1 : q;
      if (byteAt(p, end) == SPACE) p++;
    }
  }
  put(MESSAGE, row, p, end, RAW);
  return end;
}

/** Of `%FACILITY-SEVERITY-MNEMONIC` the last is the kind of message; the severity counts where no priority says one. */
function putMnemonic(p: usize, end: usize, row: usize): void {
  for (let q = p + 2; q + 3 <= end; q++) {
    if (get8(q - 1) != DASH || get8(q) - 0x30 >= 8 || get8(q + 1) != DASH) continue;
    if (q + 2 == end) return;
    put(MSGID, row, q + 2, end, RAW);
    if (prioritised) return;
    const severity = names + (24 << 3) + (<usize>(get8(q) - 0x30) << 3);
    put(SEVERITY, row, <usize>get32(severity), <usize>get32(severity + 4), RAW);
    return;
  }
}
