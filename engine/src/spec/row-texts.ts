/**
 * A column's text in each row, as the codec `line` writes it: row i's is `[offsets[i], offsets[i+1] - 1)` of `bytes`, a string without
 * quotes and escapes, empty where the row has none. Behind each stands a newline.
 */
export interface RowTexts {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
}
