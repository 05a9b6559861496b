/** Writes the bytes of one column, which stand in JSON as base64, one row behind the other with nothing between them. */
import { RAW_COLUMN } from '../spec/plan.ts';
import { lineColumn } from './encode-plan.ts';
import type { Overlay } from './overlay.ts';
import type { RowView } from './row-batch.ts';
import type { EncodePiece } from './token-access.ts';
import { stringAt, type Tokens } from './tokens.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

type Rows = Pick<RowView, 'arena' | 'rows'>;

/** The rows' only column, else `content`. */
function rawTokens(overlay: Overlay): Tokens | undefined {
  return (lineColumn(overlay) ?? { tokens: overlay.get(RAW_COLUMN) }).tokens;
}

/** Rows that have no bytes there. */
export function rowsWithoutBytes(overlay: Overlay, { arena, rows }: Rows): number[] {
  const tokens = rawTokens(overlay);
  return Array.from(rows).filter((row) => !BASE64.test((tokens && stringAt(arena, tokens, row)) ?? '-'));
}

export function encodeRaw(overlay: Overlay, { arena, rows }: Rows, piece: EncodePiece): { rows: number; bytes: number } {
  const tokens = rawTokens(overlay)!;
  const { from, out, outEnd, offsets } = piece;
  const to = Math.min(rows.length, from + piece.limit);
  let at = out;
  let row = from;
  for (; row < to; row++) {
    const text = stringAt(arena, tokens, rows[row]!)!;
    if (Buffer.byteLength(text, 'base64') > outEnd - at) break;
    if (offsets > 0) arena.words[(offsets >>> 2) + row - from] = at - out;
    at += arena.bytes.write(text, at, 'base64');
  }
  if (offsets > 0) arena.words[(offsets >>> 2) + row - from] = at - out;
  return { rows: row - from, bytes: at - out };
}
