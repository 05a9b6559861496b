// Regular expressions over the bytes of texts, in time proportional to the text: a search with backtracking that never tries the same
// point of the program at the same place of a text twice.
//
// The program's layout stands in src/functions/regex/program.ts. What was tried is a bit for each point and place. A span, which
// runs through a set of characters without giving any back, notes every place on its way: from each of them it would
// end where it ends now.
import { fill, get32, get8, put32 } from '../access';
import { alloc, left, release } from '../arena';
import { kindAt, word } from '../columns-read';
import { RAW } from '../convert';
import { fieldEntries, putField } from './fields';
import { NO_MATCH, TOO_LONG } from './problems';

const HEADER_BYTES: usize = 16;
const INSTRUCTION_BYTES: usize = 24;

const MATCH: u32 = 0;
const BYTE: u32 = 1;
const SET: u32 = 2;
const SPLIT: u32 = 3;
const JUMP: u32 = 4;
const SAVE: u32 = 5;
const ASSERT: u32 = 6;

/** On the stack: an instruction and a place to go on from, or, with this bit, a slot and what stood in it. */
const RESTORE: u32 = 0x80000000;
const NONE: u32 = u32.MAX_VALUE;

let program: usize = 0;
let code: usize = 0;
let text: usize = 0;
let length: u32 = 0;
let tried: usize = 0;
let stride: u32 = 0;
let slots: usize = 0;
let stack: usize = 0;
let stackEnd: usize = 0;

/** Notes that `point` is tried at `place`; true when it was before. */
@inline function isTried(point: u32, place: u32): bool {
  const bit = point * stride + place;
  const at = tried + ((<usize>bit >> 5) << 2);
  const mask: u32 = 1 << (bit & 31);
  const before = get32(at);
  if (before & mask) return true;
  put32(at, before | mask);
  return false;
}

/** Length in bytes of the character at `place` when the set has it; 0: it does not. */
@inline function inSet(set: usize, place: u32): u32 {
  const c = get8(text + place);
  if (c < 0x80) return (get32(set + ((c >> 5) << 2)) >> (c & 31)) & 1;
  return inRanges(set, place, c);
}

function inRanges(set: usize, place: u32, c: u32): u32 {
  const p = text + place;
  let bytes: u32 = 2;
  let character = c & 0x1f;
  if (c >= 0xf0) {
    bytes = 4;
    character = c & 7;
  } else if (c >= 0xe0) {
    bytes = 3;
    character = c & 15;
  }
  for (let i: u32 = 1; i < bytes; i++) character = (character << 6) | (get8(p + <usize>i) & 63);
  const count = get32(set + 16);
  for (let i: u32 = 0; i < count; i++) {
    const range = set + 20 + (<usize>i << 3);
    if (character <= get32(range + 4)) return character >= get32(range) ? bytes : 0;
  }
  return 0;
}

/** False when the text's byte `c` is none of those that stand at `set` (words from the program's start on; 0: it may be any). */
@inline function canBegin(set: u32, c: u32): bool {
  return !set || ((get32(program + (<usize>set << 2) + ((c >> 5) << 2)) >> (c & 31)) & 1) != 0;
}

@inline function isWordAt(place: u32): bool {
  if (place >= length) return false;
  const c = get8(text + place);
  return c - 0x30 < 10 || (c | 0x20) - 0x61 < 26 || c == 0x5f;
}

function holds(assertion: u32, place: u32): bool {
  switch (assertion) {
    case 0:
      return place == 0;
    case 1:
      return place == length;
    case 2:
      return place == 0 || get8(text + place - 1) == 0x0a;
    case 3:
      return place == length || get8(text + place) == 0x0a;
    case 4:
      return (place > 0 && isWordAt(place - 1)) != isWordAt(place);
  }
  return (place > 0 && isWordAt(place - 1)) == isWordAt(place);
}

/** 1: a match begins at `start`; 0: none does; -1: the stack is full. */
function matchAt(start: u32): i32 {
  let top = stack;
  let instruction: u32 = 0;
  let place = start;
  while (true) {
    const at = code + <usize>instruction * INSTRUCTION_BYTES;
    const op = get32(at);
    let fails = false;
    if (op == BYTE) {
      if (place < length && get8(text + place) == get32(at + 4)) {
        place++;
        instruction++;
      } else fails = true;
    } else if (op == SET) {
      const bytes = place < length ? inSet(program + (<usize>get32(at + 8) << 2), place) : 0;
      if (bytes) {
        place += bytes;
        instruction++;
      } else fails = true;
    } else if (op == SPLIT) {
      instruction = get32(at + 4);
      if (isTried(get32(at + 12), place)) fails = true;
      else if (place == length || canBegin(get32(at + 20), get8(text + place))) {
        if (place < length && !canBegin(get32(at + 16), get8(text + place))) instruction = get32(at + 8);
        else {
          if (top + 8 > stackEnd) return -1;
          put32(top, get32(at + 8));
          put32(top + 4, place);
          top += 8;
        }
      }
    } else if (op == JUMP) {
      instruction = get32(at + 4);
    } else if (op == SAVE) {
      if (top + 8 > stackEnd) return -1;
      const slot = get32(at + 4);
      const saved = slots + (<usize>slot << 2);
      put32(top, slot | RESTORE);
      put32(top + 4, get32(saved));
      top += 8;
      put32(saved, place);
      instruction++;
    } else if (op == ASSERT) {
      if (holds(get32(at + 4), place)) instruction++;
      else fails = true;
    } else if (op == MATCH) {
      return 1;
    } else {
      const set = program + (<usize>get32(at + 8) << 2);
      const point = get32(at + 12);
      while (true) {
        if (isTried(point, place)) {
          fails = true;
          break;
        }
        const bytes = place < length ? inSet(set, place) : 0;
        if (!bytes) break;
        place += bytes;
      }
      instruction = get32(at + 4);
    }
    if (!fails) continue;
    // Back to the last choice; slots that were set since get their old values.
    while (true) {
      if (top == stack) return 0;
      top -= 8;
      const entry = get32(top);
      const value = get32(top + 4);
      if (entry & RESTORE) put32(slots + (<usize>(entry & ~RESTORE) << 2), value);
      else {
        instruction = entry;
        place = value;
        break;
      }
    }
  }
}

/** Matches the program anywhere in [p, end): 1, 0, or -1 when the arena is full. */
function search(p: usize, end: usize, expression: usize, slotCount: u32): i32 {
  program = expression;
  code = program + HEADER_BYTES;
  text = p;
  length = <u32>(end - p);
  stride = length + 1;
  const bits = <u64>get32(program + 4) * <u64>stride;
  if (bits > 0x7fffffff) return -1;
  const bytes = ((<usize>bits + 31) >> 5) << 2;
  const mark = alloc(bytes);
  if (!mark) return -1;
  tried = mark;
  fill(tried, 0, bytes);
  const room = left() & ~7;
  stack = alloc(room);
  stackEnd = stack + room;
  const found = searchFrom(slotCount);
  release(mark);
  return found;
}

function searchFrom(slotCount: u32): i32 {
  const anchored = get32(program + 8) != 0;
  const firsts = get32(program + 12);
  for (let i: u32 = 0; i < slotCount; i++) put32(slots + (<usize>i << 2), NONE);
  for (let start: u32 = 0; start <= length; start++) {
    // No match begins inside a character.
    if (start < length && (get8(text + start) & 0xc0) == 0x80) continue;
    if (firsts && (start == length || !canBegin(firsts, get8(text + start)))) {
      if (anchored) break;
      continue;
    }
    const found = matchAt(start);
    if (found) return found;
    if (anchored) break;
  }
  return 0;
}

/**
 * Matches texts of kind RAW with the first of `count` expressions that fits, and puts its groups into the open fields. `expressions`: for each five
 * words: its program, its slots, how many there are, its outputs (pairs of field and slot, in order: of a field the first that took part), how many.
 * Texts longer than `most` bytes are not looked at. See parseJson.
 */
export function matchTexts(
  starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, expressions: usize, count: u32, most: u32, problems: usize,
): i32 {
  let bad = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    put32(problems + (row << 2), 0);
    if (kindAt(kinds, row) != RAW) continue;
    const p = word(starts, row);
    const end = word(ends, row);
    let problem = end - p > <usize>most ? TOO_LONG : NO_MATCH;
    for (let k: u32 = 0; k < count && problem == NO_MATCH; k++) {
      const expression = expressions + <usize>k * 20;
      slots = <usize>get32(expression + 4);
      const found = search(p, end, <usize>get32(expression), get32(expression + 8));
      if (found < 0) return -1;
      if (!found) continue;
      problem = 0;
      putGroups(p, row, <usize>get32(expression + 12), get32(expression + 16));
    }
    put32(problems + (row << 2), problem);
    if (problem) bad++;
  }
  return bad;
}

function putGroups(p: usize, row: usize, outputs: usize, count: u32): void {
  let done = NONE;
  for (let i: u32 = 0; i < count; i++) {
    const output = outputs + (<usize>i << 3);
    const field = get32(output);
    if (field == done) continue;
    const slot = slots + (<usize>get32(output + 4) << 2);
    if (get32(slot) == NONE || get32(slot + 4) == NONE) continue;
    putField(<usize>get32(fieldEntries() + (<usize>field << 4) + 8), row, p + <usize>get32(slot), p + <usize>get32(slot + 4), RAW);
    done = field;
  }
}
