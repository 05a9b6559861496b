/**
 * Encodes deliveries into the out ranges that main lends. When a range is full, what is in it is handed over and more is asked
 * for; so a batch may grow to any size while memory stays bounded.
 */
import type { Encoder, RowView } from '../batch/row-batch.ts';
import type { Codec } from '../spec/plan.ts';
import type { SideColumn } from '../spec/row-texts.ts';
import type { Delivery } from './chain.ts';
import type { OutRange, Part, PlannedSink } from './protocol.ts';

/** Asks main for another range for a sink, handing over the finished parts. `bytes`: what it must hold at least. */
export type AskForMore = (sink: number, parts: readonly Part[], bytes: number) => Promise<OutRange>;

/** Makes what goes to the dead letters in place of a row that no range can hold. */
export type TooLarge = (delivery: Delivery, row: number) => Delivery;

interface Open {
  readonly range: OutRange;
  /** First free byte. */
  at: number;
}

export class Output {
  readonly #encoder: Encoder;
  readonly #sinks: readonly PlannedSink[];
  readonly #ask: AskForMore;
  readonly #open = new Map<number, Open>();
  readonly #left: number[];
  readonly #tooLarge: TooLarge;
  #parts: Part[] = [];

  /** `wanted`: per sink, rows that it still wants of this batch (-1: all). */
  constructor(
    encoder: Encoder,
    sinks: readonly PlannedSink[],
    ranges: readonly OutRange[],
    wanted: readonly number[],
    ask: AskForMore,
    tooLarge: TooLarge,
  ) {
    this.#encoder = encoder;
    this.#sinks = sinks;
    this.#ask = ask;
    this.#tooLarge = tooLarge;
    this.#left = wanted.map((rows) => (rows < 0 ? Number.POSITIVE_INFINITY : rows));
    for (const range of ranges) this.#open.set(range.sink, { range, at: range.start });
  }

  async write(delivery: Delivery): Promise<void> {
    const { sink, view } = delivery;
    const planned = this.#sinks[sink]!;
    if (!planned.payload) return;
    const rows = Math.min(view.rows.length, this.#left[sink]!);
    this.#left[sink]! -= rows;
    const sides = planned.side.map((column) => sideOf(view, column));
    let needed = 0;
    for (let done = 0; done < rows; ) {
      const open = this.#open.get(sink) ?? (await this.#more(sink, needed));
      const asked = planned.rowOffsets ? Math.min(rows - done, rowsWithOffsets(open, planned)) : rows - done;
      const written = asked > 0 ? this.#encode(delivery, sides, { done, asked, open }) : undefined;
      if (written) {
        this.#add(written.part);
        open.at = written.end;
        done += written.part.rows;
        needed = 0;
      }
      if (done < rows && (written?.part.rows ?? 0) < Math.max(asked, 1)) {
        // A range that could not take even one row from its start on is too small for that row: a larger one is asked for.
        const empty = open.at === open.range.start;
        if (empty && open.range.largest) {
          await this.#instead(delivery, view.rows[done++]!);
          needed = 0;
        } else if (empty) needed = open.range.end - open.range.start + 1;
        this.#open.delete(sink);
      }
    }
  }

  /** Writes rows from `done` on, `asked` at most: offsets and origins, the rows, then the side columns. `undefined`: not one fits. */
  #encode(
    { sink, view }: Delivery,
    sides: readonly Side[],
    { done, asked, open }: { readonly done: number; readonly asked: number; readonly open: Open },
  ): { readonly part: Part; readonly end: number } | undefined {
    const { codec, rowOffsets, origins: withOrigins } = this.#sinks[sink]!;
    const { range } = open;
    const offsets = rowOffsets ? align4(open.at) : 0;
    const origins = withOrigins ? offsets + 4 * (asked + 1) : 0;
    const positions = withOrigins && view.rowPositions > 0 ? align8(origins + 8 * asked) : 0;
    const start =
      positions > 0
        ? positions + 8 * asked
        : withOrigins
          ? origins + 8 * asked
          : rowOffsets
            ? offsets + 4 * (asked + 1)
            : open.at;
    const end = start + Math.floor((range.end - start) * payloadShare(sides));
    if (start >= end) return undefined;
    let { rows, bytes } = this.#encoder.encode(view, codec, done, asked, start, end, offsets);
    let next = start + bytes;
    const side: { start: number; offsets: number }[] = [];
    for (const { view: columns, codec: sideCodec } of sides) {
      if (rows === 0) break;
      const sideOffsets = align4(next);
      const sideStart = sideOffsets + 4 * (rows + 1);
      const written =
        sideStart < range.end
          ? this.#encoder.encode(columns, sideCodec, done, rows, sideStart, range.end, sideOffsets)
          : { rows: 0, bytes: 0 };
      // Those before it may then hold more texts than there are rows.
      rows = written.rows;
      next = sideStart + written.bytes;
      side.push({ start: sideStart, offsets: sideOffsets });
    }
    if (rows === 0) return undefined;
    if (side.length > 0) bytes = view.arena.words[(offsets >>> 2) + rows]!;
    if (origins > 0) writeOrigins(view, done, rows, origins);
    if (positions > 0) writePositions(view, done, rows, positions);
    return { part: { sink, slot: range.start, start, bytes, rows, offsets, origins, positions, side }, end: next };
  }

  /** The parts that have not been handed over yet. */
  finish(): readonly Part[] {
    return this.#parts;
  }

  async #instead(delivery: Delivery, row: number): Promise<void> {
    await this.write(this.#tooLarge(delivery, row));
  }

  async #more(sink: number, bytes: number): Promise<Open> {
    const parts = this.#parts;
    this.#parts = [];
    // Main takes these back while we wait: there is only one.
    for (const [other, { range }] of this.#open) if (range.largest) this.#open.delete(other);
    const range = await this.#ask(sink, parts, bytes);
    const open = { range, at: range.start };
    this.#open.set(sink, open);
    return open;
  }

  #add(part: Part): void {
    const before = this.#parts.at(-1);
    if (before && before.slot === part.slot && part.offsets === 0 && before.start + before.bytes === part.start) {
      this.#parts[this.#parts.length - 1] = { ...before, bytes: before.bytes + part.bytes, rows: before.rows + part.rows };
    } else this.#parts.push(part);
  }
}

/** What stands beside the rows: a view of some of their columns, and how it is written. */
interface Side {
  readonly view: RowView;
  readonly codec: Codec;
}

function sideOf(view: RowView, column: SideColumn): Side {
  const columns = typeof column === 'string' ? [column] : column;
  const side = view.clone();
  side.select([...new Set(columns)]);
  return { view: side, codec: columns.length === 1 ? { name: 'line' } : { name: 'csv', separator: ',', header: false, columns } };
}

/** How much of a range the rows themselves may take: a line of CSV is about as long as its row. */
function payloadShare(sides: readonly Side[]): number {
  if (sides.length === 0) return 1;
  return sides.some(({ codec }) => codec.name === 'csv') ? 1 / 2 : 3 / 4;
}

/** Rows whose offsets and origins take at most a quarter of what is left of a range; at least one, where anything is left. */
function rowsWithOffsets({ at, range }: Open, { side }: PlannedSink): number {
  const left = range.end - at;
  return left < 96 ? 0 : Math.max(1, Math.floor(left / (80 + 16 * side.length)) - 1);
}

/** Notes the bounds of rows `view.rows[first..first + count]` as they were read. */
function writeOrigins({ arena, rows, rowStarts, rowEnds }: RowView, first: number, count: number, origins: number): void {
  const { words } = arena;
  const starts = rowStarts >>> 2;
  const ends = rowEnds >>> 2;
  let at = origins >>> 2;
  for (let index = first; index < first + count; index++) {
    const row = rows[index]!;
    words[at++] = words[starts + row]!;
    words[at++] = words[ends + row]!;
  }
}

/** The same of what they are known by. */
function writePositions({ arena, rows, rowPositions }: RowView, first: number, count: number, positions: number): void {
  for (let index = 0; index < count; index++) {
    const from = rowPositions + 8 * rows[first + index]!;
    arena.bytes.copyWithin(positions + 8 * index, from, from + 8);
  }
}

function align8(pointer: number): number {
  return (pointer + 7) & ~7;
}

function align4(pointer: number): number {
  return (pointer + 3) & ~3;
}
