// Objects and lists inside a row, of which nobody asked for a part: checked, and skipped as a whole.
import { get8, put8 } from './access';
import { BAD_SCALAR, SYNTAX, TOO_DEEP, fail } from './failure';
import {
  CLOSE_LIST, CLOSE_OBJECT, COLON, COMMA, MINUS, OPEN_LIST, OPEN_OBJECT, QUOTE, isDigit, isWord, skipLiteral, skipNumber,
  skipSpace, skipString,
} from './json-token';

/** Objects and lists may stand this deep in each other, the row's own object counted. */
export const MAX_DEPTH: u32 = 1024;
/** Scratch that `skipNested` needs: for every level, the byte that closes it. */
export const NESTING_BYTES: usize = MAX_DEPTH + 1;

/** Fails at `p`, where a comma or the closing byte should stand. `value` is the pointer behind the value before it. */
export function failBehindValue(p: usize, value: usize): usize {
  return fail(p == value && isWord(get8(p - 1)) && isWord(get8(p)) ? BAD_SCALAR : SYNTAX, p);
}

/** A key with its colon, up to the first byte of its value. */
export function skipKey(p: usize): usize {
  if (get8(p) != QUOTE) return fail(SYNTAX, p);
  p = skipString(p);
  if (!p) return 0;
  p = skipSpace(p);
  return get8(p) == COLON ? skipSpace(p + 1) : fail(SYNTAX, p);
}

/** A string, number or literal. */
@inline export function skipScalar(p: usize): usize {
  const c = get8(p);
  if (c == QUOTE) return skipString(p);
  if (isDigit(c) || c == MINUS) return skipNumber(p);
  return skipLiteral(p);
}

/** The object or list at `p`, which stands at level `level` (1: it is the row itself). `closing` is scratch. */
export function skipNested(p: usize, level: u32, closing: usize): usize {
  const outer = level - 1;
  level = outer;
  let close: u32 = 0;
  while (true) {
    const c = get8(p);
    if (c == OPEN_OBJECT || c == OPEN_LIST) {
      put8(closing + <usize>level, close);
      if (++level > MAX_DEPTH) return fail(TOO_DEEP, p);
      close = c + 2;
      p = skipSpace(p + 1);
      if (get8(p) != close) {
        if (close == CLOSE_LIST) continue;
        p = skipKey(p);
        if (!p) return 0;
        continue;
      }
    } else {
      p = skipScalar(p);
      if (!p) return 0;
    }
    // Behind a value, or at the end of an empty object or list.
    let value = p;
    p = skipSpace(p);
    while (get8(p) == close) {
      p++;
      close = get8(closing + <usize>--level);
      if (level == outer) return p;
      value = p;
      p = skipSpace(p);
    }
    if (get8(p) != COMMA) return failBehindValue(p, value);
    p = skipSpace(p + 1);
    if (close == CLOSE_OBJECT) {
      p = skipKey(p);
      if (!p) return 0;
    }
  }
}
