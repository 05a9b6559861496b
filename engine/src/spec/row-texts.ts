/**
 * A column's text in each row, as the codec `line` writes it: row i's is `[offsets[i], offsets[i+1] - 1)` of `bytes`, a string without
 * quotes and escapes, empty where the row has none. Behind each stands a newline. Of several columns together it is a line of CSV, in which what is
 * missing or null is nothing at all, and an empty text is `""`.
 */
export interface RowTexts {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
}

/** A column, or several as one line of CSV: at least two, since a lone one that is missing would be no line. */
export type SideColumn = string | readonly [string, string, ...string[]];
