/** One decoded batch: the rows where they were read, and the columns that the scan or a later look has found in them. */
import type { Arena, Text } from './arena.ts';
import { ROW_FIELDS, ROW_NOT_OBJECT, ROW_TABLE_HEADER, rowErrors, rowTableBytes } from './kernel-abi.ts';
import { KIND_RAW } from './kernel-exports.ts';
import { RecordTokens } from './record-tokens.ts';
import type { DecodeRequest, Rejection } from './row-batch.ts';
import { type Tokens, takeTokens } from './tokens.ts';

export interface DecodedRowsOptions {
  readonly arena: Arena;
  /** Pointer to the row table. */
  readonly table: number;
  /** Key columns of the table, in order. */
  readonly keys: readonly string[];
  /** Pointer to the first byte that was decoded. */
  readonly from: number;
  /** Rows behind these are left, to be decoded again. */
  readonly maxRows: number;
  /** All columns of rows that are no objects but have fields; they are keys of the table. */
  readonly fields?: readonly string[];
  /** True: no row is bad. */
  readonly raw: boolean;
  /** Told of names that are no keys of the table and had to be looked for in every row. */
  readonly onLocate?: (name: string) => void;
  readonly records?: NonNullable<DecodeRequest['records']>;
  readonly request: Pick<DecodeRequest, 'lineColumn' | 'offset' | 'idPrefix' | 'timestamp' | 'positions'>;
}

export class DecodedRows {
  readonly arena: Arena;
  readonly size: number;
  readonly consumed: number;
  readonly malformed: number;
  readonly notObject: number;
  readonly starts: number;
  readonly ends: number;
  /** Name of the one column of lines. */
  readonly lineColumn: string | undefined;
  /** Names of all columns, of lines and rows with fields; `undefined`: the rows are JSON objects. */
  readonly fixed: readonly string[] | undefined;
  readonly #errors: number;
  readonly #errorPlaces: number;
  readonly #from: number;
  readonly #raw: boolean;
  readonly #onLocate: ((name: string) => void) | undefined;
  readonly #request: DecodedRowsOptions['request'];
  /** The rows stand in records. */
  readonly #records: RecordTokens | undefined;
  readonly #columns = new Map<string, Tokens | undefined>();
  readonly #texts = new Map<string, Text>();
  #empty: Tokens | undefined;

  constructor({ arena, table, keys, fields, from, maxRows, raw, onLocate, request, records }: DecodedRowsOptions) {
    const header = arena.u32(table, ROW_TABLE_HEADER / 4);
    const cap = header[5]!;
    this.arena = arena;
    this.size = Math.min(header[0]!, maxRows);
    this.starts = table + ROW_TABLE_HEADER;
    this.ends = this.starts + cap * 4;
    this.lineColumn = request.lineColumn;
    this.fixed = request.lineColumn === undefined ? fields : [request.lineColumn];
    this.#errors = this.starts + cap * 8;
    this.#errorPlaces = this.starts + cap * 12;
    this.#from = from;
    this.#raw = raw;
    this.#onLocate = onLocate;
    this.#request = request;
    this.#records = records && new RecordTokens(arena, records, { starts: this.starts, size: this.size });
    const cut = this.size < header[0]!;
    this.consumed = cut ? this.#start(this.size) : header[1]!;
    this.notObject = cut ? this.#count((code) => code === ROW_NOT_OBJECT) : header[3]!;
    this.malformed = raw ? 0 : cut ? this.#count((code) => code > 0 && code < ROW_NOT_OBJECT) : header[2]!;
    if (request.lineColumn === undefined) {
      keys.forEach((key, i) => {
        const at = table + rowTableBytes(cap, i);
        this.#columns.set(key, this.#unlessEmpty({ starts: at, ends: at + cap * 4, kinds: at + cap * 8 }));
      });
    } else {
      const kinds = arena.take(this.size);
      arena.bytes.fill(KIND_RAW, kinds, kinds + this.size);
      this.#columns.set(request.lineColumn, { starts: this.starts, ends: this.ends, kinds });
    }
  }

  /** Error code of a row, 0 when it is good. */
  error(row: number): number {
    return this.#raw ? 0 : this.arena.words[(this.#errors >>> 2) + row]!;
  }

  /** Numbers of the good rows. */
  goodRows(): Uint32Array {
    const rows = this.arena.u32(this.arena.take(this.size * 4), this.size);
    let count = 0;
    for (let row = 0; row < this.size; row++) {
      rows[count] = row;
      if (this.error(row) === 0) count++;
    }
    return rows.subarray(0, count);
  }

  /** The rows that could not be decoded. */
  rejections(): Rejection[] {
    const rejections: Rejection[] = [];
    if (this.malformed + this.notObject === 0) return rejections;
    for (let row = 0; row < this.size; row++) {
      const code = this.error(row);
      if (code === 0) continue;
      if (code === ROW_FIELDS) {
        const fields = this.arena.words[(this.#errorPlaces >>> 2) + row]!;
        rejections.push({ row, reason: `the row has ${fields} fields, expected ${this.fixed!.length}` });
        continue;
      }
      const place = this.arena.words[(this.#errorPlaces >>> 2) + row]! - this.#start(row) + 1;
      const subject = this.lineColumn === undefined ? 'the row' : 'the line';
      rejections.push({ row, reason: `${subject} ${rowErrors[code]}${code < ROW_NOT_OBJECT ? `, at byte ${place}` : ''}` });
    }
    return rejections;
  }

  get timestamp(): number {
    return this.#request.timestamp;
  }

  /** The bytes of a row (a copy). */
  raw(row: number): Uint8Array {
    return new Uint8Array(this.arena.bytes.subarray(this.#start(row), this.arena.words[(this.ends >>> 2) + row]!));
  }

  /** Byte offset of a row within its partition. */
  offset(row: number): number {
    return this.#request.positions?.[row] ?? this.#request.offset + this.#start(row) - this.#from;
  }

  /** What the row is known by: its position where it stands in a record. */
  position(row: number): number {
    return this.#request.positions?.[row] ?? this.#records?.position(row) ?? this.offset(row);
  }

  /** Pointer to an f64 for each row, see {@link position}; 0: its offset. */
  get recordPositions(): number {
    return this.#records?.positions ?? 0;
  }

  /** Columns of records that stand in the rows for everybody, in place of the rows' own. */
  get recordColumns(): readonly string[] {
    return this.#records?.ownColumns ?? [];
  }

  /** The column of lines as they came, where none of them can hold a newline. */
  get ownLines(): Tokens | undefined {
    return this.lineColumn === undefined || this.#records?.mayHoldNewlines ? undefined : this.column(this.lineColumn);
  }

  /** The column as it stands in the rows; `undefined` where no row has it. */
  column(name: string): Tokens | undefined {
    if (this.#columns.has(name) || this.fixed !== undefined) return this.#columns.get(name);
    this.#onLocate?.(name);
    const tokens = this.#locate(name);
    this.#columns.set(name, tokens);
    return tokens;
  }

  /** What is known of every row without its standing there: `_ppf_id`, `_ppf_timestamp`, columns of records; a row's own value wins. */
  sideColumn(name: string): Tokens | undefined {
    if (name !== '_ppf_id' && name !== '_ppf_timestamp' && !this.#records?.has(name)) return undefined;
    const key = `side ${name}`;
    if (!this.#columns.has(key)) this.#columns.set(key, this.#makeSide(name));
    return this.#columns.get(key);
  }

  /** A column that no row has. */
  emptyColumn(): Tokens {
    if (this.#empty === undefined) {
      this.#empty = takeTokens(this.arena, this.size);
      this.arena.bytes.fill(0, this.#empty.kinds, this.#empty.kinds + this.size);
    }
    return this.#empty;
  }

  /** A text in the arena, once per batch. */
  text(value: string): Text {
    let text = this.#texts.get(value);
    if (text === undefined) {
      text = this.arena.text(value);
      this.#texts.set(value, text);
    }
    return text;
  }

  #count(wanted: (code: number) => boolean): number {
    let count = 0;
    for (let row = 0; row < this.size; row++) if (wanted(this.error(row))) count++;
    return count;
  }

  #start(row: number): number {
    return this.arena.words[(this.starts >>> 2) + row]!;
  }

  #unlessEmpty(tokens: Tokens): Tokens | undefined {
    return this.arena.kernel.anyKind(tokens.kinds, this.size) ? tokens : undefined;
  }

  /** For a name that was not announced: walks the members of every row. */
  #locate(name: string): Tokens | undefined {
    const { pointer, length } = this.text(name);
    const { starts, ends, kinds } = takeTokens(this.arena, this.size);
    this.arena.kernel.locate(this.starts, this.ends, this.#errors, this.size, pointer, length, starts, ends, kinds);
    return this.#unlessEmpty({ starts, ends, kinds });
  }

  #makeSide(name: string): Tokens {
    const { arena, size } = this;
    const side = this.#records?.column(name) ?? this.#made(name);
    const own = this.column(name);
    if (own === undefined) return side;
    return this.recordColumns.includes(name) ? mergeTokens(arena, side, own, size) : mergeTokens(arena, own, side, size);
  }

  /** What the engine itself knows of every row. */
  #made(name: string): Tokens {
    const { arena, size } = this;
    const side = takeTokens(arena, size);
    if (name === '_ppf_id' && this.#request.positions) this.#spellIds(side, this.#request.positions);
    else if (name === '_ppf_id') {
      // Before the texts: what is taken behind these is given back with what they leave.
      const positions = this.recordPositions;
      const prefix = this.text(JSON.stringify(this.#request.idPrefix.toWellFormed()).slice(1, -1));
      const out = arena.takeText(size * (prefix.length + 22));
      const { pointer, length } = prefix;
      const { starts, ends, kinds } = side;
      if (positions > 0) arena.kernel.fillPositionIds(positions, size, pointer, length, starts, ends, kinds, out);
      else arena.kernel.fillIds(this.starts, size, this.#from, this.#request.offset, pointer, length, starts, ends, kinds, out);
      arena.keep(arena.kernel.written());
    } else {
      const { pointer, length } = this.text(String(this.#request.timestamp));
      arena.u32(side.starts, size).fill(pointer);
      arena.u32(side.ends, size).fill(pointer + length);
      arena.bytes.fill(2, side.kinds, side.kinds + size);
    }
    return side;
  }

  #spellIds({ starts, ends, kinds }: Tokens, positions: readonly number[]): void {
    const { arena, size } = this;
    const ids = Array.from({ length: size }, (_, row) =>
      JSON.stringify(`${this.#request.idPrefix}${positions[row]}`.toWellFormed()),
    );
    let { pointer } = arena.text(ids.join(''));
    ids.forEach((id, row) => {
      arena.words[(starts >>> 2) + row] = pointer;
      pointer += Buffer.byteLength(id);
      arena.words[(ends >>> 2) + row] = pointer;
    });
    arena.bytes.fill(1, kinds, kinds + size);
  }
}

/** `first`, and where a row has none, `second`. */
export function mergeTokens(arena: Arena, first: Tokens, second: Tokens, size: number): Tokens {
  const merged = takeTokens(arena, size);
  // biome-ignore format: one argument list
  arena.kernel.mergeColumns(
    size, first.starts, first.ends, first.kinds, second.starts, second.ends, second.kinds, merged.starts, merged.ends, merged.kinds,
  );
  return merged;
}
