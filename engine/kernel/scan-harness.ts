/** A kernel of its own for the tests and the fuzzer: puts bytes where an overread is caught, scans, reads the row table. */
import assert from 'node:assert/strict';
import {
  KIND_DUPLICATE,
  KIND_MASK,
  ROW_FIELDS,
  ROW_TABLE_HEADER,
  recordModes,
  rowTableBytes,
  type ScanExports,
} from '../src/batch/kernel-abi.ts';
import type { KernelExports } from '../src/batch/kernel-exports.ts';
import { instantiateKernel, type KernelVariant, loadKernelModule } from '../src/batch/kernel-module.ts';

export interface ScanOptions {
  readonly keys?: readonly string[];
  readonly last?: boolean;
  readonly cap?: number;
  /** Bytes between the input and a 64-byte boundary. */
  readonly align?: number;
  readonly lines?: boolean;
  /** The columns are called by their numbers. */
  readonly csv?: { readonly separator: string; readonly fields: number };
}

export interface ScannedValue {
  readonly kind: number;
  readonly duplicate: boolean;
  readonly text: string;
}

/** Offsets count from the input's first byte. */
export interface ScannedRow {
  readonly start: number;
  readonly end: number;
  readonly error: number;
  readonly errorAt: number;
  /** By key; keys that are absent are missing. */
  readonly values: Readonly<Record<string, ScannedValue>>;
}

export interface Scanned {
  readonly consumed: number;
  readonly malformed: number;
  readonly notObject: number;
  readonly blank: number;
  readonly rows: readonly ScannedRow[];
}

/** A record as the kernel gets it; the payload ends with a newline. */
export interface KernelRecord {
  readonly position: number;
  readonly values: readonly string[];
  readonly payload: Buffer;
}

export type ScannedRecords = readonly (ScannedRow & { readonly value: string; readonly position: number })[];

const ARENA = 0x10000;

/** Written down once more from the layout in src/spec/records.ts, to test who writes it. */
function frameRecord({ position, values, payload }: KernelRecord): Buffer {
  const tokens = values.map((value) => {
    const token = Buffer.alloc(5 + value.length);
    token[0] = 9;
    token.writeUInt32LE(value.length, 1);
    token.write(value, 5, 'latin1');
    return token;
  });
  const beside = Buffer.concat(tokens);
  const header = Buffer.alloc(16);
  header.writeUInt32LE(12 + beside.length + payload.length, 0);
  header.writeUInt32LE(beside.length, 4);
  header.writeDoubleLE(position, 8);
  return Buffer.concat([header, beside, payload]);
}

export class ScanHarness {
  readonly kernel: ScanExports & Pick<KernelExports, 'splitJson' | 'findRecords' | 'recordColumn' | 'recordPositions'>;
  readonly #memory: WebAssembly.Memory;
  readonly #arenaEnd: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(variant: KernelVariant, arenaBytes = 1 << 19, inputBytes = 1 << 18) {
    const pages = (ARENA + arenaBytes + inputBytes) >>> 16;
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
    this.kernel = instantiateKernel(loadKernelModule(variant), this.#memory);
    this.#arenaEnd = ARENA + arenaBytes;
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#view = new DataView(this.#memory.buffer);
  }

  /** Scans bytes that end 64 bytes before the memory's end (nearly: see `align`); behind them stands what would be misread. */
  scan(input: Uint8Array, options: ScanOptions = {}): Scanned {
    const behind = this.#memory.buffer.byteLength - 64;
    const from = options.align === undefined ? behind - input.length : ((behind - input.length - 64) & ~63) + options.align;
    if (from < this.#arenaEnd + 64) throw new RangeError(`${input.length} bytes of input do not fit`);
    this.#bytes.fill(0x22, from - 64, from);
    this.#bytes.set(input, from);
    // A closed object, a newline and more: a scan that reads on would find rows.
    this.#bytes.fill(0x7d, from + input.length);
    for (let p = from + input.length + 1; p < this.#bytes.length; p += 2) this.#bytes[p] = 0x0a;
    return this.#scanRange(from, from + input.length, from, options);
  }

  /** Scans bytes up to `split`, then the rest, each in as many calls as the table's room asks for, and joins what they found. */
  scanSplit(input: Uint8Array, split: number, options: ScanOptions = {}): Scanned {
    const from = this.#memory.buffer.byteLength - 64 - input.length;
    this.#bytes.set(input, from);
    const { cap = 1024, last = true } = options;
    const pieces: Scanned[] = [];
    let at = from;
    for (const [to, isLast] of [
      [from + split, false],
      [from + input.length, last],
    ] as const) {
      let piece: Scanned;
      do {
        piece = this.#scanRange(at, to, from, { ...options, last: isLast });
        pieces.push(piece);
        at = from + piece.consumed;
      } while (piece.rows.length === cap);
    }
    const sum = (count: 'malformed' | 'notObject' | 'blank'): number => pieces.reduce((all, piece) => all + piece[count], 0);
    return {
      consumed: pieces.at(-1)!.consumed,
      malformed: sum('malformed'),
      notObject: sum('notObject'),
      blank: sum('blank'),
      rows: pieces.flatMap(({ rows }) => rows),
    };
  }

  /** Splits a document that comes in pieces of these lengths, over and over. Offsets of errors count from the input's first byte. */
  splitJson(input: Uint8Array, pieces: readonly number[]): { text: string; at: number; state: readonly number[] } {
    this.kernel.reset(ARENA, this.#arenaEnd);
    const state = this.#alloc(32);
    this.#bytes.fill(0, state, state + 32);
    const room = 2 * input.length + 64;
    const out = this.#alloc(room);
    const behind = this.#memory.buffer.byteLength - 64;
    let text = '';
    let at = 0;
    for (let turn = 0; at < input.length; turn++) {
      const piece = input.subarray(at, at + pieces[turn % pieces.length]!);
      this.#bytes.set(piece, behind - piece.length);
      const taken = this.kernel.splitJson(state, behind - piece.length, behind, out, out + room) - (behind - piece.length);
      at += taken;
      text += Buffer.from(this.#bytes.slice(out, this.#view.getUint32(state + 20, true))).toString('latin1');
      if (this.#view.getUint32(state + 24, true) !== 0) break;
      if (taken === 0) throw new Error('it goes round in circles');
    }
    const words = [0, 4, 8, 12, 16, 24].map((word) => this.#view.getUint32(state + word, true));
    return { text, at, state: words };
  }

  /**
   * Scans records in as many calls as the table's room asks for. Offsets are those in the payloads, joined; beside the rows stand the
   * last of their values and their position.
   */
  scanRecords(records: readonly KernelRecord[], mode: number, options: ScanOptions = {}): ScannedRecords {
    const { cap = 1024, csv } = options;
    const keys = csv ? csvKeys(csv.fields) : (options.keys ?? []);
    const framed = Buffer.concat(records.map(frameRecord));
    const behind = this.#memory.buffer.byteLength - 64;
    const from = behind - framed.length;
    this.#bytes.set(framed, from);
    this.#bytes.fill(0x7d, behind);
    const rows: (ScannedRow & { readonly value: string; readonly position: number })[] = [];
    for (let at = from; at < behind; ) {
      this.kernel.reset(ARENA, this.#arenaEnd);
      if (!csv) this.#setKeys(keys);
      const table = this.#alloc(rowTableBytes(cap, keys.length));
      this.#view.setUint32(table + 20, cap, true);
      const count = csv
        ? this.kernel.scanCsvRecords(from, at, behind, table, csv.separator.charCodeAt(0), csv.fields)
        : this.kernel.scanRecords(from, at, behind, table, mode);
      if (count < 0) throw new RangeError('the arena is full');
      const piece = this.#read(table, count, from, { cap, keys: csv || mode === recordModes.json ? keys : [] });
      const values = this.#beside(from, table, count, records[0]!.values.length - 1);
      for (const [index, row] of piece.rows.entries()) rows.push({ ...row, ...values[index]! });
      at = from + piece.consumed;
    }
    // Bytes before a payload that are none: all headers up to it.
    const unframe = (offset: number): number => {
      let headers = 0;
      let end = 0;
      for (const record of records) {
        const header = frameRecord(record).length - record.payload.length;
        headers += header;
        end += header + record.payload.length;
        if (offset < end) return offset - headers;
      }
      return offset - headers;
    };
    return rows.map((row) => ({
      ...row,
      start: unframe(row.start),
      end: unframe(row.end),
      errorAt: row.error === ROW_FIELDS ? row.errorAt : unframe(row.errorAt),
    }));
  }

  #beside(from: number, table: number, size: number, column: number): { value: string; position: number }[] {
    const starts = table + ROW_TABLE_HEADER;
    const heads = this.#alloc(size * 4 + 4);
    const tokens = this.#alloc(size * 9 + 9);
    const positions = this.#alloc(size * 8 + 8);
    this.kernel.findRecords(from, starts, size, heads);
    this.kernel.recordColumn(heads, size, column, tokens, tokens + size * 4, tokens + size * 8);
    this.kernel.recordPositions(heads, starts, size, 1, positions);
    return Array.from({ length: size }, (_, row) => ({
      value: Buffer.from(
        this.#bytes.slice(this.#view.getUint32(tokens + 4 * row, true), this.#view.getUint32(tokens + 4 * (size + row), true)),
      ).toString('latin1'),
      position: this.#view.getFloat64(positions + 8 * row, true),
    }));
  }

  /** How much of the input is whole rows, and how much the first row is. */
  cutCsv(input: Uint8Array, separator: string): { cut: number; first: number } {
    const from = this.#memory.buffer.byteLength - 64 - input.length;
    this.#bytes.set(input, from);
    this.#bytes.fill(0x22, from + input.length);
    this.kernel.reset(ARENA, this.#arenaEnd);
    const by = separator.charCodeAt(0);
    const first = this.kernel.firstCsvRow(from, from + input.length, by);
    return { cut: this.kernel.cutCsv(from, from + input.length, by) - from, first: first === 0 ? 0 : first - from };
  }

  #scanRange(from: number, to: number, origin: number, options: ScanOptions): Scanned {
    const { last = true, cap = 1024, lines = false, csv } = options;
    const keys = csv ? csvKeys(csv.fields) : (options.keys ?? []);
    this.kernel.reset(ARENA, this.#arenaEnd);
    if (!csv) this.#setKeys(keys);
    const table = this.#alloc(rowTableBytes(cap, keys.length));
    this.#bytes.fill(0xaa, table, table + rowTableBytes(cap, keys.length));
    this.#view.setUint32(table + 20, cap, true);
    const scan = lines ? this.kernel.scanLines : this.kernel.scanJson;
    const count = csv
      ? this.kernel.scanCsv(from, to, table, csv.separator.charCodeAt(0), csv.fields)
      : scan(from, to, table, last ? 1 : 0);
    if (count < 0) throw new RangeError('the arena is full');
    return this.#read(table, count, origin, { cap, keys: lines ? [] : keys });
  }

  #alloc(bytes: number): number {
    const piece = this.kernel.alloc(bytes);
    if (piece === 0) throw new RangeError('the arena is full');
    return piece;
  }

  #setKeys(keys: readonly string[]): void {
    const table = this.#alloc(keys.length * 8);
    for (const [index, key] of keys.entries()) {
      const name = Buffer.from(key);
      const piece = this.#alloc(name.length);
      this.#bytes.set(name, piece);
      this.#view.setUint32(table + index * 8, piece, true);
      this.#view.setUint32(table + index * 8 + 4, name.length, true);
    }
    if (this.kernel.setKeys(table, keys.length) !== 0) throw new RangeError('the arena is full');
  }

  #read(table: number, count: number, origin: number, { cap, keys }: { cap: number; keys: readonly string[] }): Scanned {
    const header = (offset: number): number => this.#view.getUint32(table + offset, true);
    const word = (array: number, row: number): number => this.#view.getUint32(array + row * 4, true);
    const starts = table + ROW_TABLE_HEADER;
    const rows: ScannedRow[] = [];
    for (let row = 0; row < count; row++) {
      const values: Record<string, ScannedValue> = {};
      for (const [index, key] of keys.entries()) {
        const column = starts + cap * 16 + index * cap * 9;
        const kind = this.#bytes[column + cap * 8 + row]!;
        if (kind === 0) continue;
        const text = Buffer.from(this.#bytes.slice(word(column, row), word(column + cap * 4, row))).toString();
        values[key] = { kind: kind & KIND_MASK, duplicate: (kind & KIND_DUPLICATE) !== 0, text };
      }
      rows.push({
        start: word(starts, row) - origin,
        end: word(starts + cap * 4, row) - origin,
        error: word(starts + cap * 8, row),
        // Of a row with a wrong number of fields it is that number.
        errorAt: word(starts + cap * 12, row) - (word(starts + cap * 8, row) === ROW_FIELDS ? 0 : origin),
        values,
      });
    }
    if (header(0) !== count) throw new Error(`the table says ${header(0)} rows, the scan returned ${count}`);
    return {
      consumed: header(4) - origin,
      malformed: header(8),
      notObject: header(12),
      blank: header(16),
      rows,
    };
  }
}

let all: Record<KernelVariant, ScanHarness> | undefined;

/** Scans with all builds, which must agree. */
export function scanWithAll(text: string | Uint8Array, options: ScanOptions = {}): Scanned {
  all ??= { simd: new ScanHarness('simd'), scalar: new ScanHarness('scalar'), debug: new ScanHarness('debug') };
  const input = Buffer.from(text as string);
  const scanned = all.simd.scan(input, options);
  assert.deepEqual(all.scalar.scan(input, options), scanned);
  assert.deepEqual(all.debug.scan(input, options), scanned);
  return scanned;
}

/** Fields have no names here. */
function csvKeys(fields: number): string[] {
  return Array.from({ length: fields }, (_, column) => String(column));
}
