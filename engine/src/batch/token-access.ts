import type { Arena } from './arena.ts';
import type { Tokens } from './tokens.ts';

/** For parts of the engine that work on a view's tokens in the arena, without JavaScript per row (the wasm host). */
export interface TokenAccess {
  /** With `.kernel`, the instance that everything of this view belongs to. */
  readonly arena: Arena;
  /** Pointer to the u32 numbers of the live rows (`rows`). */
  readonly rowsPointer: number;
  /** The column as it stands now, declared or not; `undefined`: no row has it. Not to be written to. */
  tokens(name: string): Tokens | undefined;
  /** Sets a column to tokens in the arena, without a copy; kind 0 leaves it out of a row, `KIND_RAW` is a string as raw UTF-8. */
  setTokens(name: string, tokens: Tokens): void;
  /** The explicit list of columns, after a projection and for lines; `undefined` while the raw rows are the base. */
  names(): readonly string[] | undefined;
  /** True when a row is more than its raw text, `[rowStarts[row], rowEnds[row])`. */
  readonly edited: boolean;
  /** Pointers to u32 arrays. */
  readonly rowStarts: number;
  readonly rowEnds: number;
  /** Pointer to an f64 for each row, what it is known by; 0: its byte offset. */
  readonly rowPositions: number;
  /** Milliseconds since 1970 that `_ppf_timestamp` gives. */
  readonly timestamp: number;
  /** Writes live rows as NDJSON, as a sink of codec json gets them; see `Encoder.encode`. */
  encodeJson(piece: EncodePiece): { readonly rows: number; readonly bytes: number };
}

export interface EncodePiece {
  /** Index of the first row in `rows`, and how many to write at most. */
  readonly from: number;
  readonly limit: number;
  /** Pointers to the room for the bytes. */
  readonly out: number;
  readonly outEnd: number;
  /** Pointer to room for (rows + 1) u32, or 0. */
  readonly offsets: number;
}
