/** The values that a function gives to `Batch.set`, turned into JSON tokens in the arena. */
import type { Arena } from './arena.ts';
import type { ColumnData } from './batch.ts';
import type { Rejection } from './row-batch.ts';
import { type Tokens, takeTokens } from './tokens.ts';

export interface WriteRequest {
  readonly name: string;
  readonly size: number;
  /** Pointer to the numbers of the live rows, and the same as an array. */
  readonly rowsPointer: number;
  readonly rows: Uint32Array;
  /** Pointer to `truefalsenull`. */
  readonly words: number;
}

/** Values of a column as tokens, and the rows whose value JSON cannot hold. */
export function writeTokens(arena: Arena, data: ColumnData, request: WriteRequest): { tokens: Tokens; rejections: Rejection[] } {
  const tokens = takeTokens(arena, request.size);
  const rejections: Rejection[] = [];
  if ('integer' in data) writeIntegers(arena, data, request, tokens);
  else if ('float' in data) writeFloats(arena, data, request, tokens, rejections);
  else if ('boolean' in data) writeBooleans(arena, data, request, tokens);
  else if ('dictionary' in data) writeDictionary(arena, data, request, tokens);
  else if ('strings' in data) writeStrings(arena, data.strings, request, tokens);
  else if ('json' in data) writeJson(arena, data.json, request, tokens);
  else writeConstant(arena, data, request, tokens);
  return { tokens, rejections };
}

/** Fails when a function gave an array of another length than the batch has rows. */
function checkLength(request: WriteRequest, values: { readonly length: number }, what: string): void {
  if (values.length === request.size) return;
  throw new TypeError(
    `Cannot set column ${JSON.stringify(request.name)}: ${what} has ${values.length} entries, expected ${request.size} (batch.size)`,
  );
}

function writeValid(arena: Arena, request: WriteRequest, valid: Uint8Array | undefined): number {
  if (valid === undefined) return 0;
  checkLength(request, valid, 'valid');
  return arena.copyOf(valid);
}

/** Where `null` begins within the words. */
const NULL_WORD = 9;

function writeIntegers(
  arena: Arena,
  { integer, valid }: Extract<ColumnData, { integer: unknown }>,
  request: WriteRequest,
  { starts, ends, kinds }: Tokens,
): void {
  checkLength(request, integer, 'integer');
  const { rowsPointer, rows, words } = request;
  const validity = writeValid(arena, request, valid);
  const values = arena.copyOf(integer);
  const out = arena.takeText(rows.length * 20);
  arena.kernel.fillIntegers(rowsPointer, rows.length, values, validity, words + NULL_WORD, starts, ends, kinds, out);
  arena.keep(arena.kernel.written());
}

function writeFloats(
  arena: Arena,
  { float, valid }: Extract<ColumnData, { float: unknown }>,
  request: WriteRequest,
  tokens: Tokens,
  rejections: Rejection[],
): void {
  checkLength(request, float, 'float');
  const { rowsPointer, rows, words, name } = request;
  const { starts, ends, kinds } = tokens;
  const validity = writeValid(arena, request, valid);
  const values = arena.copyOf(float);
  const out = arena.takeText(rows.length * 32);
  const left = arena.kernel.fillFloats(rowsPointer, rows.length, values, validity, words + NULL_WORD, starts, ends, kinds, out);
  arena.keep(arena.kernel.written());
  if (left > 0) spellFloats(arena, float, { rows, tokens, name }, rejections);
}

/** Spells the doubles that the kernel left (an empty token): with JavaScript's shortest spelling. */
function spellFloats(
  arena: Arena,
  float: Float64Array,
  { rows, tokens, name }: { readonly rows: Uint32Array; readonly tokens: Tokens; readonly name: string },
  rejections: Rejection[],
): void {
  const starts = tokens.starts >>> 2;
  const ends = tokens.ends >>> 2;
  const left: number[] = [];
  let text = '';
  for (const row of rows) {
    if (arena.bytes[tokens.kinds + row] !== 3 || arena.words[starts + row] !== arena.words[ends + row]) continue;
    const value = float[row]!;
    if (Number.isFinite(value)) {
      left.push(row, text.length);
      text += String(value);
    } else {
      arena.bytes[tokens.kinds + row] = 0;
      rejections.push({ row, reason: `column ${JSON.stringify(name)} was set to ${value}, which JSON cannot hold` });
    }
  }
  const { pointer } = arena.text(text);
  for (let i = 0; i < left.length; i += 2) {
    const row = left[i]!;
    arena.words[starts + row] = pointer + left[i + 1]!;
    arena.words[ends + row] = pointer + (left[i + 3] ?? text.length);
    const token = text.slice(left[i + 1], left[i + 3]);
    arena.bytes[tokens.kinds + row] = /[.e]/.test(token) ? 3 : 2;
  }
}

function writeBooleans(
  arena: Arena,
  { boolean, valid }: Extract<ColumnData, { boolean: unknown }>,
  request: WriteRequest,
  { starts, ends, kinds }: Tokens,
): void {
  checkLength(request, boolean, 'boolean');
  const { rowsPointer, rows, words } = request;
  const validity = writeValid(arena, request, valid);
  arena.kernel.fillBooleans(rowsPointer, rows.length, arena.copyOf(boolean), validity, words, starts, ends, kinds);
}

function writeDictionary(
  arena: Arena,
  { dictionary, index, valid }: Extract<ColumnData, { dictionary: unknown }>,
  request: WriteRequest,
  tokens: Tokens,
): void {
  checkLength(request, index, 'index');
  const entries = writeEntries(
    arena,
    dictionary.map((text) => ({ json: JSON.stringify(text.toWellFormed()), kind: 1 })),
  );
  const width = index.BYTES_PER_ELEMENT;
  const bad = fillIndexed(arena, request, tokens, {
    entries,
    count: dictionary.length,
    index: arena.copyOf(index),
    width,
    valid,
  });
  if (bad >= 0) {
    throw new RangeError(
      `Cannot set column ${JSON.stringify(request.name)}: index[${bad}] is ${index[bad]}, expected less than ${dictionary.length} (the dictionary's length)`,
    );
  }
}

function writeConstant(
  arena: Arena,
  { constant }: Extract<ColumnData, { constant: unknown }>,
  request: WriteRequest,
  tokens: Tokens,
): void {
  const json = JSON.stringify(constant);
  if (json === undefined || (typeof constant === 'number' && !Number.isFinite(constant))) {
    throw new TypeError(
      `Cannot set column ${JSON.stringify(request.name)}: the constant is ${String(constant)}, expected a JSON value`,
    );
  }
  const entries = writeEntries(arena, [{ json, kind: kindOfJson(json) }]);
  fillIndexed(arena, request, tokens, { entries, count: 1, index: 0, width: 0, valid: undefined });
}

/** Kind of a compact JSON text. */
export function kindOfJson(json: string): number {
  const kind = { '"': 1, t: 4, f: 5, n: 6, '{': 7, '[': 8 }[json[0]!];
  return kind ?? (/[.e]/i.test(json) ? 3 : 2);
}

/** Texts one after the other in the arena, and the list of them that `fillIndexed` takes. */
function writeEntries(arena: Arena, items: readonly { readonly json: string; readonly kind: number }[]): number {
  const entries = arena.take(items.length * 12 + 4);
  let at = entries >>> 2;
  for (const { json, kind } of items) {
    const { pointer, length } = arena.text(json);
    arena.words[at++] = pointer;
    arena.words[at++] = pointer + length;
    arena.words[at++] = kind;
  }
  return entries;
}

interface Indexed {
  readonly entries: number;
  readonly count: number;
  readonly index: number;
  readonly width: number;
  readonly valid: Uint8Array | undefined;
}

function fillIndexed(arena: Arena, request: WriteRequest, tokens: Tokens, indexed: Indexed): number {
  const { rowsPointer, rows, words } = request;
  const { entries, count, index, width, valid } = indexed;
  const validity = writeValid(arena, request, valid);
  const { starts, ends, kinds } = tokens;
  const nullToken = words + NULL_WORD;
  return arena.kernel.fillIndexed(
    rowsPointer,
    rows.length,
    index,
    width,
    entries,
    count,
    validity,
    nullToken,
    starts,
    ends,
    kinds,
  );
}

/** All strings as one JSON list, which costs one call whatever they hold; the kernel cuts it. */
function writeStrings(
  arena: Arena,
  strings: readonly (string | null | undefined)[],
  request: WriteRequest,
  tokens: Tokens,
): void {
  checkLength(request, strings, 'strings');
  const { rowsPointer, rows, name } = request;
  const live = new Array<string | null>(rows.length);
  const absent: number[] = [];
  for (let i = 0; i < rows.length; i++) {
    const value = strings[rows[i]!];
    if (value === undefined) absent.push(rows[i]!);
    else if (value !== null && typeof value !== 'string') {
      throw new TypeError(
        `Cannot set column ${JSON.stringify(name)}: strings[${rows[i]}] is a ${typeof value}, expected a string, null or undefined`,
      );
    }
    live[i] = value ?? null;
  }
  let json = JSON.stringify(live);
  // Lone surrogates come out of stringify as \ud800 escapes, which strict readers refuse.
  if (json.includes('\\ud')) json = JSON.stringify(live.map((value) => value?.toWellFormed() ?? null));
  const { pointer, length } = arena.text(json);
  arena.kernel.fillListed(rowsPointer, rows.length, pointer + 1, pointer + length, tokens.starts, tokens.ends, tokens.kinds);
  for (const row of absent) arena.bytes[tokens.kinds + row] = 0;
}

function writeJson(arena: Arena, json: readonly (string | undefined)[], request: WriteRequest, tokens: Tokens): void {
  checkLength(request, json, 'json');
  const { rowsPointer, rows, name } = request;
  const live = new Array<string>(rows.length + 1).fill('');
  for (let i = 0; i < rows.length; i++) live[i] = json[rows[i]!] ?? '';
  const { pointer, length } = arena.text(live.join('\n'));
  const { starts, ends, kinds } = tokens;
  if (arena.kernel.fillLines(rowsPointer, rows.length, pointer, pointer + length, starts, ends, kinds) !== rows.length) {
    throw new TypeError(`Cannot set column ${JSON.stringify(name)}: a JSON text holds a newline, expected it on one line`);
  }
}
