// The text of a column's values as raw UTF-8: where a string holds no escapes its bytes stay where they are.
import { put8, put32 } from '../access';
import { alloc, release } from '../arena';
import { kindAt, word } from '../columns-read';
import { RAW, STRING } from '../convert';
import { findBackslash, unescape } from '../text';

/**
 * Writes a column of kind RAW: strings without quotes and escapes, and the kinds whose bit is set in `others`, as they are spelled.
 * Other values keep their kind. Returns 0, or -1: the arena is full.
 */
export function takeTexts(
  starts: usize,
  ends: usize,
  kinds: usize,
  rows: usize,
  n: u32,
  others: u32,
  outStarts: usize,
  outEnds: usize,
  outKinds: usize,
): i32 {
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    let kind = kindAt(kinds, row);
    let p = word(starts, row);
    let end = word(ends, row);
    if (kind == STRING) {
      kind = RAW;
      p++;
      end--;
      if (findBackslash(p, end) != end) {
        const out = alloc(end - p);
        if (!out) return -1;
        end = unescape(p, end, out);
        p = out;
        release((end + 15) & ~15);
      }
    } else if ((others >> kind) & 1) kind = RAW;
    put32(outStarts + (row << 2), <u32>p);
    put32(outEnds + (row << 2), <u32>end);
    put8(outKinds + row, kind);
  }
  return 0;
}
