// What is looked for in rows or values only when somebody asks.
import { get32, get8, put32, put8 } from './access';
import { kindAt, word } from './columns-read';
import { NULL, STRING } from './convert';
import { QUOTE, equalsBytes, findBackslash, holdsNewline, skipSpace, skipString, skipValue, tokenKind } from './text';

/** Mark of a kind: the name stands in the row more than once. */
const DUPLICATE: u32 = 0x80;

/** 1 where the text of a column holds a line feed, so that it cannot be one line; returns for how many rows. */
export function findNewlines(starts: usize, ends: usize, kinds: usize, rows: usize, n: u32, out: usize): u32 {
  let count: u32 = 0;
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = word(rows, i);
    const kind = kindAt(kinds, row);
    let found = false;
    if (kind == STRING) found = holdsNewline(word(starts, row) + 1, word(ends, row) - 1, true);
    else if (kind && kind != NULL) found = holdsNewline(word(starts, row), word(ends, row), false);
    put8(out + row, found ? 1 : 0);
    if (found) count++;
  }
  return count;
}

/**
 * Finds the member `name` (unescaped) of rows that were scanned without it, by walking their members: for names that are known
 * only when a function runs. Same columns as the scan makes.
 */
export function locate(
  rowStarts: usize, rowEnds: usize, errors: usize, size: u32, name: usize, length: usize, starts: usize, ends: usize, kinds: usize,
): void {
  for (let row: usize = 0; row < <usize>size; row++) {
    let kind: u32 = 0;
    if (get32(errors + (row << 2)) == 0) {
      const end = word(rowEnds, row);
      let p = skipSpace(word(rowStarts, row) + 1);
      while (get8(p) == QUOTE) {
        const keyEnd = skipString(p, end);
        const value = skipSpace(skipSpace(keyEnd) + 1);
        const valueEnd = skipValue(value, end);
        const escaped = findBackslash(p, keyEnd) != keyEnd;
        if (equalsBytes(p + 1, keyEnd - 1, escaped, name, length)) {
          kind = tokenKind(value, valueEnd) | (kind ? DUPLICATE : 0);
          put32(starts + (row << 2), <u32>value);
          put32(ends + (row << 2), <u32>valueEnd);
        }
        p = skipSpace(valueEnd);
        if (get8(p) != 0x2c) break;
        p = skipSpace(p + 1);
      }
    }
    put8(kinds + row, kind);
  }
}
