// A JSON document (an array of objects, or objects one behind the other) to NDJSON: an element becomes a line. Newlines between
// tokens become spaces, those inside strings a control character, so that the row is refused for it and costs only itself.
// Only the frame is judged here; whether each element is valid JSON is for the scan of the lines to say. Both together accept
// exactly what JSON.parse accepts of the whole.
//
// The input may come in pieces: what must be known of the pieces before stands in a state of 8 u32 (0 at the beginning):
//   0 phase   1 depth within the element   2 in a string   3 behind a backslash   4 elements   5 result: pointer behind the output
//   6 error: 1 neither an array nor an object, 2 an element is missing, 3 something follows the end
import { declareInput, declareOutput, get32, get8, getV, put32, put8, putV } from './access';
import { BACKSLASH, CLOSE_LIST, CLOSE_OBJECT, COMMA, NEWLINE, OPEN_LIST, OPEN_OBJECT, QUOTE, SPACE } from './json-token';

const START: u32 = 0;
/** Behind the opening bracket of the array. */
const FIRST: u32 = 1;
/** Behind a comma of the array. */
const NEXT: u32 = 2;
/** In an element of the array. */
const ELEMENT: u32 = 3;
/** Behind the array. */
const END: u32 = 4;
/** In an object that stands by itself. */
const OBJECT: u32 = 5;
/** Behind such an object. */
const BETWEEN: u32 = 6;

const NO_ROWS: u32 = 1;
const NO_ELEMENT: u32 = 2;
const FOLLOWS: u32 = 3;

/** Room that every step may want: a line feed and 16 bytes at once. */
const STEP: usize = 32;

let depth: u32 = 0;
let inString: u32 = 0;
let escaped: u32 = 0;
let elements: u32 = 0;
let written: usize = 0;
/** How the last value ended: 0 not yet, COMMA, CLOSE_LIST (of the array), CLOSE_OBJECT (of the object itself). */
let ended: u32 = 0;

@inline function isSpace(c: u32): bool {
  return c == SPACE || c == NEWLINE || c == 0x0d || c == 0x09;
}

/** Bytes of 16 that matter inside a string. */
@inline function stringStops(v: v128): i32 {
  return i8x16.bitmask(
    v128.or(
      v128.or(i8x16.eq(v, i8x16.splat(<i8>QUOTE)), i8x16.eq(v, i8x16.splat(<i8>BACKSLASH))),
      i8x16.eq(v, i8x16.splat(<i8>NEWLINE)),
    ),
  );
}

/** The same between strings; commas matter only outside of all brackets. */
@inline function valueStops(v: v128, inside: bool): i32 {
  // One bit tells [ from {, and ] from }.
  const folded = v128.or(v, i8x16.splat(0x20));
  let stops = v128.or(i8x16.eq(folded, i8x16.splat(<i8>OPEN_OBJECT)), i8x16.eq(folded, i8x16.splat(<i8>CLOSE_OBJECT)));
  stops = v128.or(stops, i8x16.eq(v, i8x16.splat(<i8>QUOTE)));
  stops = v128.or(stops, i8x16.eq(v, i8x16.splat(<i8>NEWLINE)));
  if (!inside) stops = v128.or(stops, i8x16.eq(v, i8x16.splat(<i8>COMMA)));
  return i8x16.bitmask(stops);
}

/** Copies the inside of a string from `p` to `written`, up to its closing quote or the end of the input or the room. */
function copyString(p: usize, to: usize, outEnd: usize): usize {
  let out = written;
  while (p < to && outEnd - out >= STEP) {
    if (ASC_FEATURE_SIMD) {
      if (!escaped && p + 16 <= to) {
        const v = getV(p);
        const stops = stringStops(v);
        putV(out, v);
        const length: usize = stops ? <usize>ctz(stops) : 16;
        p += length;
        out += length;
        if (!stops) continue;
      }
    }
    const c = get8(p++);
    put8(out++, c == NEWLINE ? 1 : c);
    if (escaped) escaped = 0;
    else if (c == BACKSLASH) escaped = 1;
    else if (c == QUOTE) {
      inString = 0;
      break;
    }
  }
  written = out;
  return p;
}

/** Copies a value from `p` on; `alone`: it is an object of its own, else an element of the array. Says in `ended` how it ended. */
function copyValue(p: usize, to: usize, outEnd: usize, alone: bool): usize {
  ended = 0;
  while (p < to && outEnd - written >= STEP) {
    if (inString) {
      p = copyString(p, to, outEnd);
      continue;
    }
    let out = written;
    if (ASC_FEATURE_SIMD) {
      if (p + 16 <= to) {
        const v = getV(p);
        const stops = valueStops(v, depth > 0);
        putV(out, v);
        const length: usize = stops ? <usize>ctz(stops) : 16;
        p += length;
        out += length;
        written = out;
        if (!stops) continue;
      }
    }
    const c = get8(p++);
    if (!depth && !alone && (c == COMMA || c == CLOSE_LIST)) {
      put8(out, NEWLINE);
      written = out + 1;
      ended = c;
      return p;
    }
    put8(out++, c == NEWLINE ? SPACE : c);
    if (c == QUOTE) inString = 1;
    else if (c == OPEN_OBJECT || c == OPEN_LIST) depth++;
    else if ((c == CLOSE_OBJECT || c == CLOSE_LIST) && depth) {
      depth--;
      if (!depth && alone) {
        put8(out++, NEWLINE);
        ended = CLOSE_OBJECT;
      }
    }
    written = out;
    if (ended) return p;
  }
  return p;
}

/**
 * Takes [from, to) as far as there is room in [out, outEnd), at least 32 bytes for each step. Returns the pointer behind what was
 * taken; at an error the byte where it was seen.
 */
export function splitJson(state: usize, from: usize, to: usize, out: usize, outEnd: usize): usize {
  declareInput(from, to);
  declareOutput(out, outEnd);
  let phase = get32(state);
  depth = get32(state + 4);
  inString = get32(state + 8);
  escaped = get32(state + 12);
  elements = get32(state + 16);
  written = out;
  let error: u32 = 0;
  let p = from;
  while (p < to && outEnd - written >= STEP) {
    if (phase == ELEMENT) {
      p = copyValue(p, to, outEnd, false);
      if (!ended) continue;
      elements++;
      phase = ended == COMMA ? NEXT : END;
      continue;
    }
    if (phase == OBJECT) {
      p = copyValue(p, to, outEnd, true);
      if (!ended) continue;
      elements++;
      phase = BETWEEN;
      continue;
    }
    const c = get8(p);
    if (isSpace(c)) {
      p++;
      continue;
    }
    if (phase == START && c == OPEN_LIST) {
      phase = FIRST;
      p++;
    } else if ((phase == START || phase == BETWEEN) && c == OPEN_OBJECT) phase = OBJECT;
    else if (phase == FIRST && c == CLOSE_LIST) {
      phase = END;
      p++;
    } else if (phase == FIRST || phase == NEXT) {
      if (c == COMMA || c == CLOSE_LIST) {
        error = NO_ELEMENT;
        break;
      }
      phase = ELEMENT;
    } else {
      error = phase == START ? NO_ROWS : FOLLOWS;
      break;
    }
  }
  put32(state, phase);
  put32(state + 4, depth);
  put32(state + 8, inString);
  put32(state + 12, escaped);
  put32(state + 16, elements);
  put32(state + 20, <u32>written);
  put32(state + 24, error);
  return p;
}
