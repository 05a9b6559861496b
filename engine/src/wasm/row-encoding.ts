/** Rows for the guest: writes the plan that the kernel's `encodeRline` follows, and fills in what only JavaScript reads exactly. */
import type { Arena } from '../batch/arena.ts';
import type { TokenAccess } from '../batch/token-access.ts';
import type { Tokens } from '../batch/tokens.ts';
import type { ColumnDeclaration, ColumnType } from '../spec/column-type.ts';
import type { RlineFormat, RlineKernel } from './rline-kernel.ts';

const PLAN_WORDS = 13;
const COLUMN_WORDS = 8;
/** What the kernel says of integers beyond 32 bits: names, the rows of each, then a mask for each row. */
const WIDE_NAMES = 31;
const WIDE_MARKS = 97;
const Word = { resultEnd: 4, resultWide: 5, fixups: 6, fixupRoom: 7, resultFixups: 8 } as const;

/** Types as the kernel numbers them; `json` becomes a string of its text. */
const typeCodes: Readonly<Record<ColumnType, number>> = {
  any: 0,
  string: 1,
  integer: 2,
  float: 3,
  boolean: 4,
  bytes: 5,
  json: 6,
  list_string: 9,
  list_integer: 10,
  list_float: 11,
};

export interface EncodingOptions {
  readonly format: RlineFormat;
  /** Only these columns are sent; `undefined`: the whole row. */
  readonly columns: readonly string[] | undefined;
  /** Declared types of columns that arrive; others are told by their tokens. */
  readonly types: ReadonlyMap<string, ColumnType>;
}

export function declaredTypes(declared: readonly ColumnDeclaration[]): ReadonlyMap<string, ColumnType> {
  return new Map(declared.map(({ name, type }) => [name, type]));
}

/** Bytes at `wide` of an {@link EncodeTarget} for so many rows. */
export function wideBytes(rows: number): number {
  return (WIDE_MARKS + rows) * 4;
}

/** Where `encode` puts rows; the arrays have room for the chunk's rows. */
export interface EncodeTarget {
  readonly out: number;
  readonly outEnd: number;
  readonly pairs: number;
  readonly wide: number;
}

/** The encoding of one batch. */
export class RowEncoding {
  readonly #arena: Arena;
  readonly #kernel: RlineKernel;
  readonly #plan: number;
  readonly #rows: number;
  readonly #whole: boolean;

  constructor(view: TokenAccess & { readonly rows: Uint32Array }, options: EncodingOptions, fixupRoom: number) {
    const { arena } = view;
    this.#arena = arena;
    this.#kernel = arena.kernel as unknown as RlineKernel;
    this.#rows = view.rowsPointer;
    const names = options.columns ?? view.names();
    this.#whole = names === undefined;
    const format = options.format === 'json' ? 1 : 0;
    const fixups = arena.take(fixupRoom * 12);
    const text = names === undefined && view.edited ? encodedText(view) : undefined;
    const columns = names === undefined ? [] : columnWords(view, names, options.types);
    const list = arena.take(columns.length * 4 + 4);
    arena.words.set(columns, list >>> 2);
    this.#plan = arena.take(PLAN_WORDS * 4);
    const words = [format, columns.length / COLUMN_WORDS, list, names === undefined ? 1 : 0, 0, 0, fixups, fixupRoom, 0];
    words.push(view.rowStarts, view.rowEnds, text?.offsets ?? 0, text?.out ?? 0);
    arena.words.set(words, this.#plan >>> 2);
  }

  /** Encodes rows[from..to), as many as there is room for. */
  encode(from: number, to: number, target: EncodeTarget): number {
    const { out, outEnd, pairs, wide } = target;
    const rows = this.#kernel.encodeRline(this.#plan, this.#rows, from, to, out, outEnd, pairs, wide);
    this.#fixUp();
    return rows;
  }

  /** Bytes of room that row number rows[index] wants at most, and how many of its numbers may be left to JavaScript. */
  room(index: number): number {
    return this.#kernel.rlineRoom(this.#plan, this.#rows, index);
  }

  useFixups(pointer: number, room: number): void {
    const at = this.#plan >>> 2;
    this.#arena.words[at + Word.fixups] = pointer;
    this.#arena.words[at + Word.fixupRoom] = room;
  }

  /** Rows of the last `encode` that hold an integer beyond 32 bits. */
  get wideRows(): number {
    return this.#arena.words[(this.#plan >>> 2) + Word.resultWide]!;
  }

  /** Columns with integers beyond 32 bits in the rows of the last `encode`, and in how many; `undefined` stands for more columns. */
  wideColumns(wide: number): readonly (readonly [column: string | undefined, rows: number])[] {
    const { words } = this.#arena;
    const at = wide >>> 2;
    const columns = Array.from({ length: words[at]! }, (_, i) => [this.#wideName(at, i), words[at + 3 + 3 * i]!] as const);
    return [...columns, [undefined, words[at + 3 + 3 * WIDE_NAMES]!] as const].filter(([, rows]) => rows > 0);
  }

  /** The same for one of these rows: names, as far as they are kept. */
  wideOf(wide: number, index: number): readonly string[] {
    const at = wide >>> 2;
    const mask = this.#arena.words[at + WIDE_MARKS + index]!;
    const names: string[] = [];
    for (let i = 0; i < WIDE_NAMES; i++) if ((mask >>> i) & 1) names.push(this.#wideName(at, i));
    return names;
  }

  isWide(wide: number, index: number): boolean {
    return this.#arena.words[(wide >>> 2) + WIDE_MARKS + index] !== 0;
  }

  /** In whole rows names stand as they came in. */
  #wideName(at: number, i: number): string {
    const { words, bytes } = this.#arena;
    const start = words[at + 1 + 3 * i]!;
    const name = bytes.toString('utf8', start, start + words[at + 2 + 3 * i]!);
    return this.#whole ? (JSON.parse(`"${name}"`) as string) : name;
  }

  #fixUp(): void {
    const { words, bytes } = this.#arena;
    const at = this.#plan >>> 2;
    const first = words[at + Word.fixups]! >>> 2;
    const last = first + 3 * words[at + Word.resultFixups]!;
    for (let i = first; i < last; i += 3)
      bytes.writeDoubleLE(Number(bytes.toString('latin1', words[i]!, words[i + 1]!)), words[i + 2]!);
  }
}

/** The rows' text where it is no longer what came in. */
function encodedText(view: TokenAccess & { readonly rows: Uint32Array }): { out: number; offsets: number } {
  const { arena } = view;
  const count = view.rows.length;
  const offsets = arena.take((count + 1) * 4);
  let bytes = 64;
  for (const row of view.rows) bytes += arena.words[(view.rowEnds >>> 2) + row]! - arena.words[(view.rowStarts >>> 2) + row]!;
  for (let room = bytes * 2 + count * 64; ; room *= 2) {
    const out = arena.takeText(room);
    const done = view.encodeJson({ from: 0, limit: count, out, outEnd: out + room, offsets });
    if (done.rows === count) {
      arena.keep(out + done.bytes);
      return { out, offsets };
    }
    arena.release(out);
  }
}

function columnWords(view: TokenAccess, names: readonly string[], types: ReadonlyMap<string, ColumnType>): number[] {
  const { arena } = view;
  const present = names.flatMap((name): [string, Tokens][] => {
    const tokens = view.tokens(name);
    return tokens === undefined ? [] : [[name, tokens]];
  });
  return present.flatMap(([name, { starts, ends, kinds }]) => {
    const plain = arena.text(name);
    const key = arena.text(`${JSON.stringify(name.toWellFormed())}:{"`);
    return [plain.pointer, plain.length, key.pointer, key.length, starts, ends, kinds, typeCodes[types.get(name) ?? 'any']];
  });
}
