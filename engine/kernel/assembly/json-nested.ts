// Objects and lists inside a row, of which nobody asked for a part: checked, and skipped as a whole.
import { get8, put8 } from './access';
import { BAD_SCALAR, SYNTAX, TOO_DEEP, fail } from './failure';
import {
  CLOSE_LIST, COMMA, MINUS, OPEN_LIST, OPEN_OBJECT, QUOTE, isDigit, isWord, skipLiteral, skipNumber,
  skipSpace, skipString,
} from './json-token';
import { expectedGap, gapLength, isGap, learnGap, linkBehind, readKey } from './shape';

/** Objects and lists may stand this deep in each other, the row's own object counted. */
export const MAX_DEPTH: u32 = 1024;
/** Scratch that `skipNested` needs: for every level, the byte that closes it. */
export const NESTING_BYTES: usize = MAX_DEPTH + 1;

/** Fails at `p`, where a comma or the closing byte should stand. `value` is the pointer behind the value before it. */
export function failBehindValue(p: usize, value: usize): usize {
  return fail(p == value && isWord(get8(p - 1)) && isWord(get8(p)) ? BAD_SCALAR : SYNTAX, p);
}

/** A string, number or literal. */
@inline export function skipScalar(p: usize): usize {
  const c = get8(p);
  if (c == QUOTE) return skipString(p);
  if (isDigit(c) || c == MINUS) return skipNumber(p);
  return skipLiteral(p);
}

/** The gap that was skipped last. */
let lastGap: usize = 0;

/** Skips the gap at `p`, which is a comma or an object's `{`; `link` leads to the expected one. */
@inline function skipGap(p: usize, link: usize): usize {
  const expected = expectedGap(link);
  if (!isGap(p, expected)) return skipOtherGap(p, link);
  lastGap = expected;
  return skipSpace(p + gapLength(expected));
}

function skipOtherGap(p: usize, link: usize): usize {
  const end = readKey(skipSpace(p + 1));
  if (end) lastGap = learnGap(link, p, end, true);
  return end;
}

/**
 * The object or list at `p`, which stands at level `level` (1: it is the row itself). `link` leads to the gap that is expected
 * inside. `closing` is scratch.
 */
export function skipNested(p: usize, level: u32, link: usize, closing: usize): usize {
  const outer = level - 1;
  level = outer;
  let close: u32 = 0;
  while (true) {
    const c = get8(p);
    if (c == OPEN_OBJECT || c == OPEN_LIST) {
      put8(closing + <usize>level, close);
      if (++level > MAX_DEPTH) return fail(TOO_DEEP, p);
      close = c + 2;
      const inside = skipSpace(p + 1);
      if (get8(inside) == close) {
        p = inside;
      } else if (close == CLOSE_LIST) {
        p = inside;
        continue;
      } else {
        p = skipGap(p, link);
        if (!p) return 0;
        link = linkBehind(lastGap);
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
    if (close == CLOSE_LIST) {
      p = skipSpace(p + 1);
    } else {
      p = skipGap(p, link);
      if (!p) return 0;
      link = linkBehind(lastGap);
    }
  }
}
