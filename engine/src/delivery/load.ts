/**
 * What goes into one bulk: a stretch of one parcel, sent from where the worker wrote it, or rows of several parcels, gathered by
 * copying. Copied rows take their origins with them, so that what waits for more rows never holds shared memory.
 */
import type { Bulk, BulkLimits } from '../spec/bulk-sink.ts';
import { type Origins, type Parcel, type RowOrigin, rowOrigin, type SinkPositions } from './parcel.ts';
import { cutTexts, GatheredTexts, pickTexts } from './texts.ts';

/** A parcel that is being handed out: it is released and settled once, when its last piece is. */
export class OpenParcel {
  readonly parcel: Parcel;
  /** Rows that were handed out. */
  taken = 0;
  #holds = 1;
  #unsettled: number;
  #positions: Map<string, NonNullable<ReturnType<SinkPositions['get']>>> | undefined;

  constructor(parcel: Parcel) {
    this.parcel = parcel;
    this.#unsettled = parcel.rows;
  }

  get left(): number {
    return this.parcel.rows - this.taken;
  }

  /** Bytes of the rows that are left. */
  get leftBytes(): number {
    const { offsets, rows } = this.parcel;
    return offsets[rows]! - offsets[this.taken]!;
  }

  /** How many of the rows that are left fit beside what there is already; `first`: one row always does. */
  fitting(limits: BulkLimits, already: { readonly rows: number; readonly bytes: number }): number {
    const { offsets } = this.parcel;
    const base = offsets[this.taken]!;
    const most = Math.min(this.left, limits.rows - already.rows);
    const room = limits.bytes - already.bytes;
    let low = already.rows === 0 ? Math.min(1, most) : 0;
    for (let high = most; low < high; ) {
      const middle = (low + high + 1) >>> 1;
      if (offsets[this.taken + middle]! - base <= room) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  hold(): void {
    this.#holds++;
  }

  drop(): void {
    if (--this.#holds === 0) this.parcel.release();
  }

  settle(rows: number, positions: SinkPositions | undefined): void {
    if (positions) {
      this.#positions ??= new Map();
      for (const [id, position] of positions) {
        if (position.write > (this.#positions.get(id)?.write ?? -1)) this.#positions.set(id, position);
      }
    }
    this.#unsettled -= rows;
    if (this.#unsettled === 0) this.parcel.settled(this.#positions);
  }
}

export interface Load extends Bulk {
  /** The parcels that its rows are of, in order. */
  readonly shares: readonly Share[];
  origin(row: number): RowOrigin;
  /** Nobody reads its bytes and origins any more. */
  release(): void;
}

export interface Share {
  readonly of: OpenParcel;
  readonly rows: number;
}

/** The next rows of a parcel, as they stand in the shared memory. */
export function loadOf(of: OpenParcel, rows: number): Load {
  const { origins } = of.parcel;
  const first = of.taken;
  of.taken += rows;
  of.hold();
  return {
    ...cut(of.parcel, first, rows),
    shares: [{ of, rows }],
    origin: (row) => rowOrigin(origins, first + row),
    release: () => of.drop(),
  };
}

/** Rows `first` to `first + rows`, without a copy of their bytes. */
function cut(bulk: Bulk, first: number, rows: number): Bulk {
  return { ...cutTexts(bulk, first, rows), rows, side: bulk.side.map((texts) => cutTexts(texts, first, rows)) };
}

/** These rows of a bulk: without a copy where they stand side by side. */
export function pick(bulk: Bulk, rows: Uint32Array): Bulk {
  const first = rows[0]!;
  if (rows.length === bulk.rows) return bulk;
  if (rows.at(-1)! - first + 1 === rows.length) return cut(bulk, first, rows.length);
  return { ...pickTexts(bulk, rows), rows: rows.length, side: bulk.side.map((texts) => pickTexts(texts, rows)) };
}

/** Rows copied together, until they are a bulk. */
export class Gathering {
  #rows = 0;
  readonly #texts = new GatheredTexts();
  readonly #side: GatheredTexts[] = [];
  #origins: GatheredOrigins[] = [];
  #shares: Share[] = [];

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#texts.bytes;
  }

  /** Takes a copy of the next rows of a parcel. */
  add(of: OpenParcel, rows: number): void {
    const { side, origins } = of.parcel;
    const first = of.taken;
    this.#texts.add(of.parcel, first, rows);
    side.forEach((texts, index) => {
      this.#side[index] ??= new GatheredTexts();
      this.#side[index].add(texts, first, rows);
    });
    this.#origins.push({ first: this.#rows, origins: copyOrigins(origins, first, rows) });
    this.#rows += rows;
    of.taken += rows;
    this.#shares.push({ of, rows });
  }

  take(): Load {
    const gathered = this.#origins;
    const load = {
      ...this.#texts.take(),
      side: this.#side.map((texts) => texts.take()),
      rows: this.#rows,
      shares: this.#shares,
      origin(row: number): RowOrigin {
        const { first, origins } = gathered.findLast((candidate) => candidate.first <= row)!;
        return rowOrigin(origins, row - first);
      },
      release() {},
    };
    this.#rows = 0;
    this.#origins = [];
    this.#shares = [];
    return load;
  }
}

interface GatheredOrigins {
  /** Number, in the bulk, of the row that they begin with. */
  readonly first: number;
  readonly origins: Origins;
}

/** Bytes between rows (those of rows that went elsewhere) that are copied along, for each byte of a row, rather than looked at. */
const MOST_BETWEEN = 3;

/** The origins of some rows with their bytes, on the heap. */
function copyOrigins(all: Origins, first: number, rows: number): Origins {
  const origins = all.positions ? { ...all, positions: all.positions.slice(first, first + rows) } : all;
  const { from, to, memory } = origins;
  const pointers = origins.pointers.slice(2 * first, 2 * (first + rows));
  let lowest = to;
  let highest = from;
  let total = 0;
  for (let at = 0; at < pointers.length; at += 2) {
    const start = pointers[at]!;
    const end = pointers[at + 1]!;
    if (start < from || end > to) continue;
    if (start < lowest) lowest = start;
    if (end > highest) highest = end;
    total += end - start;
  }
  if (total === 0 || highest - lowest > total * (1 + MOST_BETWEEN)) return { ...origins, ...copyRows(origins, pointers, total) };
  const copy = copyOf(memory, lowest, highest);
  for (let at = 0; at < pointers.length; at++) {
    const pointer = pointers[at]!;
    pointers[at] = pointer >= lowest && pointer <= highest ? pointer - lowest : OUTSIDE;
  }
  // `from` moves, and the offset of the byte there with it.
  return { ...origins, offset: origins.offset + (lowest - from), from: 0, to: copy.length, memory: copy, pointers };
}

/** A pointer that lies in no copy. */
const OUTSIDE = 0xffff_ffff;

/** Rows that lie far apart, side by side: then each has an offset of its own. */
function copyRows(origins: Origins, pointers: Uint32Array, total: number): Partial<Origins> {
  const { offset, from, to, memory } = origins;
  const copy = new Uint8Array(total);
  const offsets = new Float64Array(pointers.length / 2).fill(offset);
  let next = 0;
  for (let at = 0; at < pointers.length; at += 2) {
    const start = pointers[at]!;
    const end = pointers[at + 1]!;
    if (start < from || end > to) {
      pointers[at] = OUTSIDE;
      continue;
    }
    copy.set(memory.subarray(start, end), next);
    offsets[at / 2] = offset + (start - from);
    pointers[at] = next;
    next += end - start;
    pointers[at + 1] = next;
  }
  return { from: 0, to: total, memory: copy, pointers, offsets };
}

/** Not `slice`, of which a Buffer makes a view. */
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.subarray(from, to));
}
