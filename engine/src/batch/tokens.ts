import type { Arena } from './arena.ts';
import { KIND_MASK } from './kernel-abi.ts';
import { KIND_RAW } from './kernel-exports.ts';

/**
 * A column inside the engine, whatever it came from: for every row the place of its JSON token and its kind (0: none).
 * Three pointers to arrays indexed by row: u32 starts, u32 ends, u8 kinds.
 */
export interface Tokens {
  readonly starts: number;
  readonly ends: number;
  readonly kinds: number;
}

/** Takes room for a column of `size` rows; nothing is in it yet. */
export function takeTokens(arena: Arena, size: number): Tokens {
  const starts = arena.take(size * 9);
  return { starts, ends: starts + size * 4, kinds: starts + size * 8 };
}

/** A copy whose entries can be changed; the tokens themselves stay where they are. */
export function copyTokens(arena: Arena, tokens: Tokens, size: number): Tokens {
  const copy = takeTokens(arena, size);
  arena.bytes.copyWithin(copy.starts, tokens.starts, tokens.starts + size * 4);
  arena.bytes.copyWithin(copy.ends, tokens.ends, tokens.ends + size * 4);
  arena.bytes.copyWithin(copy.kinds, tokens.kinds, tokens.kinds + size);
  return copy;
}

export function kindOf(arena: Arena, tokens: Tokens, row: number): number {
  return arena.bytes[tokens.kinds + row]! & KIND_MASK;
}

/** The token's own text: JSON, or of a raw string the text itself. */
export function tokenText(arena: Arena, tokens: Tokens, row: number): string {
  return arena.bytes.toString('utf8', arena.words[(tokens.starts >>> 2) + row]!, arena.words[(tokens.ends >>> 2) + row]!);
}

/** The string at a row; `undefined` when it holds no string. Lone surrogates become U+FFFD. */
export function stringAt(arena: Arena, tokens: Tokens, row: number): string | undefined {
  const kind = kindOf(arena, tokens, row);
  if (kind === KIND_RAW) return tokenText(arena, tokens, row);
  if (kind !== 1) return undefined;
  const start = arena.words[(tokens.starts >>> 2) + row]!;
  const end = arena.words[(tokens.ends >>> 2) + row]!;
  const text = arena.bytes.toString('utf8', start + 1, end - 1);
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string).toWellFormed() : text;
}
