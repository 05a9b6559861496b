/**
 * Converts a column to its declared type: the kernel decides by the tokens (engine/kernel/assembly/convert.ts), here the columns
 * that need nothing are told apart, room is found, and refusals are put into words. docs/conversions.md is the matrix.
 */
import type { ColumnType } from '../spec/column-type.ts';
import type { Arena } from './arena.ts';
import { KIND_RAW, Verdict } from './kernel-exports.ts';
import type { Rejection } from './row-batch.ts';
import { copyTokens, kindOf, type Tokens, tokenText } from './tokens.ts';

/** Types as the kernel numbers them. */
const columnTypeCodes: Readonly<Record<ColumnType, number>> = {
  any: 0,
  json: 0,
  string: 1,
  integer: 2,
  float: 3,
  boolean: 4,
  bytes: 5,
  list_string: 9,
  list_integer: 10,
  list_float: 11,
};

const typeWords: Readonly<Record<ColumnType, string>> = {
  any: 'anything',
  json: 'anything',
  string: 'string',
  integer: 'integer',
  float: 'float',
  boolean: 'boolean',
  bytes: 'bytes (base64 text, or a list of integers from 0 to 255)',
  list_string: 'list of strings',
  list_integer: 'list of integers',
  list_float: 'list of floats',
};

const kindWords = ['absent', 'string', 'integer', 'float', 'boolean', 'boolean', 'null', 'object', 'list', 'string'];

/** Longest part of a value that a reason shows. */
const SHOWN_CHARACTERS = 60;

export interface ConvertOptions {
  readonly name: string;
  readonly type: ColumnType;
  /** Length of the column's arrays. */
  readonly size: number;
  readonly rows: number;
  readonly rowCount: number;
}

/** The column with every token right for the type, and the rows where that cannot be. The same column when nothing changes. */
export function convertTokens(
  arena: Arena,
  tokens: Tokens,
  { name, type, size, rows, rowCount }: ConvertOptions,
): { tokens: Tokens; rejections: Rejection[] } {
  const { kernel } = arena;
  const code = columnTypeCodes[type];
  const rejections: Rejection[] = [];
  if (code === 0) return { tokens, rejections };
  const { starts, ends, kinds } = tokens;
  const doubtful = kernel.countDoubtful(starts, ends, kinds, rows, rowCount, code);
  if (doubtful === 0) return { tokens, rejections };

  const copy = copyTokens(arena, tokens, size);
  const status = arena.take(size);
  let done = 0;
  let room = Math.min(doubtful * 64 + 1024, 65_536);
  for (;;) {
    const out = arena.takeText(room);
    done = kernel.convertColumn(copy.starts, copy.ends, copy.kinds, rows, done, rowCount, code, status, out, out + room);
    arena.keep(kernel.written());
    if (done === rowCount) break;
    room = Math.max(65_536, kernel.roomToConvert(copy.starts, copy.ends, rows, done));
  }
  const verdicts = arena.u8(status, size);
  for (const row of arena.u32(rows, rowCount)) {
    const verdict = verdicts[row]!;
    if (verdict !== 0) rejections.push({ row, reason: refusal(arena, tokens, row, { name, type, verdict }) });
  }
  return { tokens: copy, rejections };
}

/** Why a value cannot be read as `type`, in one sentence. */
export function refusal(
  arena: Arena,
  tokens: Tokens,
  row: number,
  { name, type, verdict }: { readonly name: string; readonly type: ColumnType; readonly verdict: number },
): string {
  const kind = kindOf(arena, tokens, row);
  const expected = `expected ${typeWords[type]}${verdict === Verdict.range ? rangeWords(type) : ''}`;
  if (kind === 0) return `column ${JSON.stringify(name)} is missing, ${expected}`;
  if (kind === 6) return `column ${JSON.stringify(name)} is null, ${expected}`;
  return `column ${JSON.stringify(name)} is ${shown(arena, tokens, row)} (${kindWords[kind]}), ${expected}`;
}

function rangeWords(type: ColumnType): string {
  if (type === 'integer' || type === 'list_integer') return ' within 64 bits';
  return type === 'float' || type === 'list_float' ? ' within the range of a double' : '';
}

/** The token, cut. Only its beginning is looked at. */
function shown(arena: Arena, tokens: Tokens, row: number): string {
  const start = arena.words[(tokens.starts >>> 2) + row]!;
  const end = arena.words[(tokens.ends >>> 2) + row]!;
  const cut = Math.min(end, start + SHOWN_CHARACTERS * 4);
  const text = cut === end ? tokenText(arena, tokens, row) : arena.bytes.toString('utf8', start, cut);
  const json = kindOf(arena, tokens, row) === KIND_RAW ? JSON.stringify(text) : text;
  const characters = Array.from(json.slice(0, SHOWN_CHARACTERS * 2));
  return characters.length > SHOWN_CHARACTERS ? `${characters.slice(0, SHOWN_CHARACTERS).join('')}…` : json;
}
