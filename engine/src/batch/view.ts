import type { ColumnDeclaration } from '../spec/column-type.ts';
import { type Codec, type Json, RAW_COLUMN } from '../spec/plan.ts';
import type { Arena } from './arena.ts';
import type { Column, ColumnData } from './batch.ts';
import { writeTokens } from './column-data.ts';
import { ColumnReader } from './column-reader.ts';
import { convertTokens } from './conversion.ts';
import type { DecodedRows } from './decoded-rows.ts';
import { encodedBytes, encodePlan, lineColumn } from './encode-plan.ts';
import { encodeRaw, rowsWithoutBytes } from './encode-raw.ts';
import { Overlay } from './overlay.ts';
import { Routes } from './routes.ts';
import type { Rejection, RowView } from './row-batch.ts';
import type { EncodePiece } from './token-access.ts';
import type { Tokens } from './tokens.ts';

const JSON_LINES: Codec = { name: 'json' };

type Allowed = { readonly reads: readonly string[]; readonly writes: readonly string[] };

/** Live rows: in the arena, where the kernel reads them. */
interface LiveRows {
  readonly pointer: number;
  readonly numbers: Uint32Array;
}

export class View implements RowView {
  readonly size: number;
  readonly arena: Arena;
  readonly #rows: DecodedRows;
  readonly #overlay: Overlay;
  #live: LiveRows;
  /** 1 where a row is not live; made when a row is first rejected or asked about. */
  #gone: Uint8Array | undefined;
  /** True when `#gone` is ahead of `#live`. */
  #stale = false;
  #allowed: Allowed | undefined;
  #readers = new Map<string, ColumnReader>();
  #rejections: Rejection[] = [];
  #filtered = 0;
  #routes: Routes;

  constructor(rows: DecodedRows, live: Uint32Array, overlay = new Overlay(rows)) {
    this.#rows = rows;
    this.arena = rows.arena;
    this.size = rows.size;
    this.#live = { pointer: live.byteOffset, numbers: live };
    this.#overlay = overlay;
    this.#routes = new Routes(rows.size);
  }

  get rows(): Uint32Array {
    this.#refresh();
    return this.#live.numbers;
  }

  /** Pointer to `rows`, for the kernel. */
  get rowsPointer(): number {
    this.#refresh();
    return this.#live.pointer;
  }

  column(name: string): Column {
    if (this.#allowed !== undefined && !this.#allowed.reads.includes(name) && !this.#allowed.writes.includes(name)) {
      throw new TypeError(`Cannot read column ${JSON.stringify(name)}: it is not declared, expected it in reads or writes`);
    }
    let reader = this.#readers.get(name);
    if (reader === undefined) {
      reader = new ColumnReader(this, name, this.#overlay.get(name) ?? this.#rows.emptyColumn());
      this.#readers.set(name, reader);
    }
    return reader;
  }

  set(name: string, data: ColumnData): void {
    if (this.#allowed !== undefined && !this.#allowed.writes.includes(name)) {
      throw new TypeError(`Cannot set column ${JSON.stringify(name)}: it is not declared, expected it in writes`);
    }
    const { tokens, rejections } = writeTokens(this.arena, data, {
      name,
      size: this.size,
      rowsPointer: this.rowsPointer,
      rows: this.rows,
      words: this.#rows.text('truefalsenull').pointer,
    });
    for (const { row, reason } of rejections) this.reject(row, reason);
    this.setTokens(name, tokens);
  }

  tokens(name: string): Tokens | undefined {
    return this.#overlay.get(name);
  }

  setTokens(name: string, tokens: Tokens): void {
    this.#overlay.set(name, tokens);
    this.#readers.delete(name);
  }

  names(): readonly string[] | undefined {
    return this.#overlay.names();
  }

  get edited(): boolean {
    return this.#overlay.edited;
  }

  get rowStarts(): number {
    return this.#rows.starts;
  }

  get rowEnds(): number {
    return this.#rows.ends;
  }

  get rowPositions(): number {
    return this.#rows.recordPositions;
  }

  get timestamp(): number {
    return this.#rows.timestamp;
  }

  drop(name: string): void {
    this.#overlay.drop(name);
    this.#readers.delete(name);
  }

  rename(from: string, to: string): void {
    this.#overlay.rename(from, to);
    this.#readers.delete(from);
    this.#readers.delete(to);
  }

  select(names: readonly string[]): void {
    this.#overlay.project(new Map(names.map((name) => [name, this.#overlay.get(name)])));
    this.#readers.clear();
  }

  filter(keep: Uint8Array): void {
    if (keep.length < this.size) {
      throw new TypeError(`Cannot filter rows: keep has ${keep.length} entries, expected ${this.size} (batch.size)`);
    }
    const before = this.rows.length;
    this.#keep((row) => keep[row] !== 0);
    this.#filtered += before - this.rows.length;
  }

  reject(row: number, reason: string): void {
    if (!(row >= 0 && row < this.size)) {
      throw new RangeError(`Cannot reject row ${row}: expected a number from 0 to ${this.size - 1}`);
    }
    const gone = this.#marks();
    if (gone[row] === 1) return;
    gone[row] = 1;
    this.#stale = true;
    this.#rejections.push({ row, reason });
  }

  route(where: Uint8Array, table: string): void {
    this.#routes.add(this.rows, where, table);
  }

  routed(): { tables: ReadonlyMap<string, Uint32Array>; unrouted: Uint32Array } {
    return this.#routes.of(this.rows);
  }

  clearRoutes(): void {
    this.#routes = new Routes(this.size);
  }

  clone(): View {
    const clone = new View(this.#rows, this.rows, this.#overlay.clone());
    clone.#allowed = this.#allowed;
    clone.#routes = this.#routes.clone();
    return clone;
  }

  allow(names: Allowed | undefined): void {
    this.#allowed = names;
  }

  project(columns: readonly ColumnDeclaration[]): void {
    const projected = new Map<string, Tokens | undefined>();
    for (const { name, type } of columns) {
      const tokens = this.#overlay.get(name);
      if (tokens === undefined) {
        projected.set(name, undefined);
        continue;
      }
      const rows = this.rowsPointer;
      const converted = convertTokens(this.arena, tokens, { name, type, size: this.size, rows, rowCount: this.rows.length });
      projected.set(name, converted.tokens);
      for (const { row, reason } of converted.rejections) this.reject(row, reason);
    }
    this.#overlay.project(projected);
    this.#readers.clear();
  }

  retain(rows: Uint32Array): void {
    const keep = new Uint8Array(this.size);
    for (const row of rows) keep[row] = 1;
    this.#keep((row) => keep[row] === 1);
  }

  takeRejections(): readonly Rejection[] {
    const taken = this.#rejections;
    this.#rejections = [];
    return taken;
  }

  takeFiltered(): number {
    const taken = this.#filtered;
    this.#filtered = 0;
    return taken;
  }

  object(row: number): Record<string, Json> {
    return JSON.parse(Buffer.from(this.encodeRow(row)).toString()) as Record<string, Json>;
  }

  encodeRow(row: number): Uint8Array {
    if (this.#rows.error(row) !== 0) return this.#rows.raw(row);
    const { arena } = this;
    const plan = encodePlan(this.#overlay, JSON_LINES);
    const mark = arena.mark();
    const rows = arena.copyOf(Uint32Array.of(row));
    const guess = 256 + 2 * this.#rows.raw(row).length;
    for (let room = guess; ; room *= 4) {
      const out = arena.take(room);
      if (arena.kernel.encodeRows(plan, rows, 0, 1, out, out + room, 0) === 1) {
        const bytes = new Uint8Array(arena.bytes.subarray(out, out + encodedBytes(this.#overlay, plan) - 1));
        arena.release(mark);
        return bytes;
      }
      arena.release(out);
    }
  }

  /** Rejects rows that would not be one row in `codec`: a line whose text holds a line feed. */
  prepare(codec: Codec): void {
    if (codec.name === 'raw') {
      for (const row of rowsWithoutBytes(this.#overlay, this))
        this.reject(row, `the row has no bytes to write, expected base64 in its only column or in "${RAW_COLUMN}"`);
      return;
    }
    if (codec.name !== 'line') return;
    const tokens = lineColumn(this.#overlay)?.tokens;
    if (tokens === undefined || tokens === this.#rows.ownLines) return;
    const { arena, size, rows, rowsPointer } = this;
    const mark = arena.mark();
    const found = arena.take(size);
    const count = arena.kernel.findNewlines(tokens.starts, tokens.ends, tokens.kinds, rowsPointer, rows.length, found);
    const where = count === 0 ? undefined : Uint8Array.from(arena.u8(found, size));
    arena.release(mark);
    if (where === undefined) return;
    for (const row of rows) if (where[row] === 1) this.reject(row, 'the text holds a newline, expected one line');
  }

  encodeJson(piece: EncodePiece): { rows: number; bytes: number } {
    return this.encode(JSON_LINES, piece);
  }

  /** Writes rows from number `from` in `rows`, see `Encoder`. */
  encode(codec: Codec, piece: EncodePiece): { rows: number; bytes: number } {
    if (codec.name === 'raw') return encodeRaw(this.#overlay, this, piece);
    const { from, limit, out, outEnd, offsets } = piece;
    const plan = encodePlan(this.#overlay, codec);
    const to = Math.min(this.rows.length, from + limit);
    const { encodeCsv, encodeRows } = this.arena.kernel;
    const rows = (codec.name === 'csv' ? encodeCsv : encodeRows)(plan, this.rowsPointer, from, to, out, outEnd, offsets);
    return { rows, bytes: encodedBytes(this.#overlay, plan) };
  }

  #marks(): Uint8Array {
    if (this.#gone === undefined) {
      this.#gone = new Uint8Array(this.size).fill(1);
      for (const row of this.#live.numbers) this.#gone[row] = 0;
    }
    return this.#gone;
  }

  #refresh(): void {
    if (!this.#stale) return;
    this.#stale = false;
    const gone = this.#gone!;
    this.#keep((row) => gone[row] === 0);
  }

  #keep(wanted: (row: number) => boolean): void {
    const { numbers } = this.#stale ? { numbers: this.rows } : this.#live;
    const pointer = this.arena.take(numbers.length * 4);
    const kept = this.arena.u32(pointer, numbers.length);
    let count = 0;
    for (const row of numbers) if (wanted(row)) kept[count++] = row;
    if (count === numbers.length) {
      this.arena.release(pointer);
      return;
    }
    this.arena.release(pointer + ((count * 4 + 15) & ~15));
    this.#live = { pointer, numbers: kept.subarray(0, count) };
    if (this.#gone !== undefined) {
      for (const row of numbers) if (!wanted(row)) this.#gone[row] = 1;
    }
  }
}
