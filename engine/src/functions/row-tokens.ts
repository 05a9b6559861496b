/** Columns that a function has made itself. */
import { mergeTokens } from '../batch/decoded-rows.ts';
import type { TokenBatch } from '../batch/function-kernel.ts';
import { KIND_MASK } from '../batch/kernel-abi.ts';
import { type Tokens, takeTokens } from '../batch/tokens.ts';

/** A column that no row has. */
export function noTokens({ arena, size }: TokenBatch): Tokens {
  const tokens = takeTokens(arena, size);
  arena.bytes.fill(0, tokens.kinds, tokens.kinds + size);
  return tokens;
}

/** Writes the token [start, end). */
export function setToken(
  { arena }: TokenBatch,
  tokens: Tokens,
  row: number,
  [start, end, kind]: readonly [number, number, number],
): void {
  arena.words[(tokens.starts >>> 2) + row] = start;
  arena.words[(tokens.ends >>> 2) + row] = end;
  arena.bytes[tokens.kinds + row] = kind;
}

/** Writes null; its text stands at `pointer`. */
export function setNull(view: TokenBatch, tokens: Tokens, row: number, pointer: number): void {
  setToken(view, tokens, row, [pointer, pointer + 4, 6]);
}

/** Gives a row what another column has there. */
export function copyToken(view: TokenBatch, from: Tokens, to: Tokens, row: number): void {
  const { words, bytes } = view.arena;
  const [start, end] = [words[(from.starts >>> 2) + row]!, words[(from.ends >>> 2) + row]!];
  setToken(view, to, row, [start, end, bytes[from.kinds + row]! & KIND_MASK]);
}

/** Sets a column; a row that has no value in it keeps its own. */
export function layOver(view: TokenBatch, name: string, tokens: Tokens): void {
  const { arena, size } = view;
  if (!arena.kernel.anyKind(tokens.kinds, size)) return;
  const own = view.tokens(name);
  view.setTokens(name, own === undefined ? tokens : mergeTokens(arena, tokens, own, size));
}
