import { type Codec, DEFAULT_LINE_COLUMN } from '../spec/plan.ts';
import type { RecordLayout } from '../spec/records.ts';
import { Arena } from './arena.ts';
import { DecodedRows } from './decoded-rows.ts';
import { recordModes, rowTableBytes } from './kernel-abi.ts';
import type { KernelExports } from './kernel-exports.ts';
import { instantiateKernel } from './kernel-module.ts';
import {
  ArenaFullError,
  type Decoded,
  type DecodeRequest,
  type Decoder,
  type DecoderOptions,
  type Encoder,
  type RowView,
} from './row-batch.ts';
import { View } from './view.ts';

const SCRATCH_BYTES = 1024 + 64;
/** Key columns that a scan finds by itself; the names behind them are looked for when they are asked for. */
const MAX_KEYS = 256;
/** Names are learned while there are fewer: rows and functions may come up with any. */
const MAX_LEARNED_KEYS = 64;

/** Makes a kernel instance over the shared memory, with an arena of its own. */
export function createDecoder(options: DecoderOptions): Decoder & Encoder {
  return new KernelDecoder(options);
}

interface Scan {
  readonly from: number;
  readonly to: number;
  readonly last: boolean;
  readonly maxRows: number;
  readonly codec: DecodeRequest['codec'];
}

type ScanFor = Pick<DecodeRequest, 'offset' | 'idPrefix' | 'timestamp' | 'lineColumn' | 'positions' | 'records'>;

class KernelDecoder implements Decoder, Encoder {
  readonly #kernel: KernelExports;
  readonly #arena: Arena;
  readonly #options: DecoderOptions;
  #keys: readonly string[] = [];
  /** Names that were asked for though nobody announced them: from the next batch on the scan finds them, which is far cheaper. */
  readonly #learned = new Set<string>();
  /** Where the keys begin in the arena, and where its part for one batch does; what stands before it stays. */
  readonly #keysAt: number;
  #base: number;

  constructor(options: DecoderOptions) {
    const { memory, kernel, arena } = options;
    this.#options = options;
    this.#kernel = instantiateKernel<KernelExports>(kernel, memory);
    this.#kernel.reset(arena.start, arena.end);
    this.#arena = new Arena(memory, this.#kernel, arena);
    this.#kernel.useScratch(this.#arena.take(SCRATCH_BYTES));
    this.#keysAt = this.#arena.mark();
    this.#base = this.#keysAt;
    this.setColumns([]);
  }

  setColumns(names: readonly string[]): void {
    const arena = this.#arena;
    arena.release(this.#keysAt);
    this.#keys = Array.from(new Set(names)).slice(0, MAX_KEYS);
    const table = arena.take(this.#keys.length * 8 + 8);
    this.#keys.forEach((name, i) => {
      const { pointer, length } = arena.text(name);
      arena.words[(table >>> 2) + i * 2] = pointer;
      arena.words[(table >>> 2) + i * 2 + 1] = length;
    });
    if (this.#kernel.setKeys(table, this.#keys.length) < 0)
      throw new ArenaFullError('Cannot take column names: the arena is full');
    this.#base = arena.mark();
  }

  decode(request: DecodeRequest): Decoded {
    if (this.#learned.size > 0) this.#announceLearned();
    this.#arena.release(this.#base);
    const { from, to, last, codec } = request;
    const maxRows = Math.min(request.maxRows ?? Infinity, this.#options.maxRows);
    return this.#scan({ from, to, last, maxRows, codec }, request);
  }

  #announceLearned(): void {
    const room = Math.max(0, MAX_LEARNED_KEYS - this.#keys.length);
    const names = Array.from(this.#learned).slice(0, room);
    this.#learned.clear();
    if (names.length > 0) this.setColumns([...this.#keys, ...names]);
  }

  decodeText(ndjson: string, request: Pick<DecodeRequest, 'offset' | 'idPrefix' | 'timestamp' | 'positions'>): Decoded {
    const { pointer, length } = this.#arena.text(ndjson);
    let maxRows = 1;
    for (let at = ndjson.indexOf('\n'); at >= 0; at = ndjson.indexOf('\n', at + 1)) maxRows++;
    return this.#scan({ from: pointer, to: pointer + length, last: true, maxRows, codec: { name: 'json' } }, request);
  }

  #scan(
    { from, to, last, maxRows, codec }: Scan,
    { offset, idPrefix, timestamp, lineColumn, positions, records }: ScanFor,
  ): Decoded {
    const arena = this.#arena;
    const json = codec.name === 'json';
    // The row table's layout wants a multiple of 16.
    const cap = (maxRows + 15) & ~15;
    const csv = codec.name === 'csv' ? codec : undefined;
    const keys = json ? this.#keys : (csv?.columns ?? []);
    const table = arena.take(rowTableBytes(cap, keys.length));
    arena.words[(table >>> 2) + 5] = cap;
    const kernel = this.#kernel;
    const scan = json ? kernel.scanJson : kernel.scanLines;
    const by = csv?.separator.charCodeAt(0) ?? 0;
    const count = records
      ? csv
        ? kernel.scanCsvRecords(records.begin, from, to, table, by, keys.length)
        : kernel.scanRecords(records.begin, from, to, table, json ? recordModes.json : recordModes[lineMode(records)])
      : csv
        ? kernel.scanCsv(from, to, table, by, keys.length)
        : scan(from, to, table, last ? 1 : 0);
    if (count < 0) throw new ArenaFullError('Cannot decode rows: the arena is full');
    const column = json || csv ? {} : { lineColumn: lineColumn ?? DEFAULT_LINE_COLUMN };
    const rows = new DecodedRows({
      arena,
      table,
      keys,
      from,
      maxRows,
      raw: codec.name === 'rejected',
      ...(csv ? { fields: keys } : {}),
      onLocate: (name) => this.#learned.add(name),
      request: { offset, idPrefix, timestamp, positions, ...column },
      ...(records ? { records } : {}),
    });
    return {
      consumed: rows.consumed,
      rows: rows.size,
      rejected: rows.rejections(),
      malformed: rows.malformed,
      notObject: rows.notObject,
      view: new View(rows, rows.goodRows()),
      recordColumns: rows.recordColumns,
      raw: (row) => rows.raw(row),
      offset: (row) => rows.offset(row),
      position: (row) => rows.position(row),
    };
  }

  encode(
    view: RowView,
    codec: Codec,
    from: number,
    limit: number,
    out: number,
    outEnd: number,
    offsets: number,
  ): { rows: number; bytes: number } {
    return (view as View).encode(codec, { from, limit, out, outEnd, offsets });
  }
}

/** A text may hold newlines where its bounds are known otherwise. */
function lineMode({ rows }: RecordLayout): 'lines' | 'whole' | 'counted' {
  return rows === 'one' ? 'whole' : rows;
}
