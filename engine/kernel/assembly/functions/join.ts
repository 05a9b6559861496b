// Texts put together from literals and columns.
import { copy, get32, put32, put8 } from '../access';
import { alloc } from '../arena';
import { kindAt, word } from '../columns-read';
import { RAW } from '../convert';

/** A part: u32 is it a column, then pointer and length of a literal, or starts, ends and kinds of a column of texts. */
const PART_BYTES: usize = 16;

/**
 * Puts the `count` parts together for every row, as a column of kind RAW. A row that lacks a text gets none, or with `lenient` an
 * empty one in its place. Returns how many rows lack one; -1: the arena is full.
 */
export function joinTexts(
  parts: usize, count: u32, rows: usize, n: u32, lenient: u32, starts: usize, ends: usize, kinds: usize,
): i32 {
  const behind = parts + <usize>count * PART_BYTES;
  let lacking = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    let length: usize = 0;
    let whole = true;
    for (let part = parts; part < behind; part += PART_BYTES) {
      if (!get32(part)) length += <usize>get32(part + 8);
      else if (kindAt(<usize>get32(part + 12), row) == RAW) {
        length += word(<usize>get32(part + 8), row) - word(<usize>get32(part + 4), row);
      } else whole = false;
    }
    put8(kinds + row, 0);
    if (!whole) lacking++;
    if (!whole && !lenient) continue;
    let out = alloc(length);
    if (!out) return -1;
    put32(starts + (row << 2), <u32>out);
    for (let part = parts; part < behind; part += PART_BYTES) {
      let p = <usize>get32(part + 4);
      let bytes = <usize>get32(part + 8);
      if (get32(part)) {
        if (kindAt(<usize>get32(part + 12), row) != RAW) continue;
        bytes = word(bytes, row) - word(p, row);
        p = word(p, row);
      }
      copy(out, p, bytes);
      out += bytes;
    }
    put32(ends + (row << 2), <u32>out);
    put8(kinds + row, RAW);
  }
  return lacking;
}
