/**
 * Cuts a partition's bytes into batches of whole rows. The source writes straight into an input slot; when that is full (or
 * flushed), it is cut behind its last whole row, the front goes to a worker and the unfinished row is copied to the next slot.
 *
 * A row that does not fit a slot moves to the one large slot. A row beyond `maxRowBytes` is read past, hashed, and only its head
 * goes on, to be rejected; of one with several lines (CSV) the first line is rejected, and what follows is read as rows again: a
 * quote that nobody closes must not hold up everything behind it.
 */
import type { Hash } from 'node:crypto';
import type { AdvanceOptions, PartitionFeed } from '../spec/feed.ts';
import { OVERSIZE_HEAD_BYTES, tooLong } from '../spec/oversize.ts';
import type { RejectRange } from '../worker/protocol.ts';
import type { RowCutter } from './row-cutter.ts';
import type { SharedMemory, Slot, SlotPool } from './slots.ts';

const NEWLINE = 10;

/** A cut of a partition, ready to be computed. */
export interface Cut {
  readonly slot: Slot;
  /** Where the slot goes back to. */
  readonly pool: SlotPool;
  readonly from: number;
  readonly to: number;
  readonly last: boolean;
  /** Offsets, within the partition, of the byte at `from` and of the one behind the cut. */
  readonly offset: number;
  readonly end: number;
  readonly reject?: RejectRange;
  /** Marks of the source, up to `end`. */
  readonly marks: readonly number[];
}

export interface FramerHost {
  readonly memory: Pick<SharedMemory, 'bytes' | 'input' | 'largeInput'>;
  readonly maxRowBytes: number;
  readonly cutter: RowCutter;
  readonly signal: AbortSignal;
  /** Takes a cut. Throws when it can take none. */
  submit(cut: Cut): void;
  delivered(): Promise<void>;
  /** Rows of the partition are on their way. */
  busy(): boolean;
  forget(): void;
  /** It was told that no more bytes come, and holds nothing any more. */
  ended(framer: Framer): void;
}

interface Oversize {
  readonly hash: Hash;
  readonly head: Uint8Array;
  readonly offset: number;
  bytes: number;
  done: boolean;
}

export class Framer implements PartitionFeed {
  readonly #host: FramerHost;
  /** Offset, within the partition, of the first byte of `#pending`. */
  #offset: number;
  /** Unfinished bytes that the next slot begins with. */
  #carry: Uint8Array = new Uint8Array();
  #slot: Slot | undefined;
  #large = false;
  /** Bytes in the slot. */
  #filled = 0;
  /** Leading bytes of the slot in which no row ends. */
  #searched = 0;
  /** The source may be writing to the slot. */
  #lent = false;
  #oversize: Oversize | undefined;
  /** Marks of the source that no cut has taken yet. */
  #marks: number[] = [];
  /** A row beyond the bound that is going on its way. */
  #passing: Promise<void> | undefined;
  #ended = false;

  constructor(host: FramerHost, offset: number) {
    this.#host = host;
    this.#offset = offset;
  }

  /** Offset, within the partition, behind all that was submitted. */
  get offset(): number {
    return this.#oversize?.offset ?? this.#offset;
  }

  async room(): Promise<Uint8Array> {
    if (this.#ended) throw new TypeError('Cannot feed a partition: end() was called before, expected it to be opened again');
    this.#host.signal.throwIfAborted();
    await this.#passing;
    if (this.#oversize?.done) await this.#submitOversize(this.#oversize);
    const slot = this.#slot ?? (await this.#open(this.#carry.length));
    const from = slot.start + (this.#oversize ? 0 : this.#filled);
    this.#lent = true;
    return this.#host.memory.bytes.subarray(from, slot.end);
  }

  advance(length: number, options?: AdvanceOptions): void {
    const slot = this.#slot;
    if (!slot) throw new TypeError('Cannot advance a partition: room() was not awaited before');
    this.#lent = false;
    if (options?.marks) this.#marks.push(...options.marks);
    if (this.#oversize) {
      this.#skip(this.#oversize, slot, length);
      if (options?.flush) this.#submitFinished();
      return;
    }
    this.#filled += length;
    if (slot.start + this.#filled > slot.end) throw new RangeError('Cannot advance a partition: more bytes than the room had');
    const room = slot.end - slot.start - this.#filled;
    // A rest of under an eighth is not worth a read of its own.
    if (options?.refused) {
      const { reason, ...truncated } = options.refused;
      this.#submit(slot, this.#filled, { last: true, reject: { reason, truncated } });
      return;
    }
    if (options?.flush || room < (slot.end - slot.start) >> 3) this.#cut(slot, room === 0);
    if (options?.flush) this.#submitFinished();
    // Nothing is known to follow soon: a thousand calm partitions must not hold a thousand slots.
    if (options?.flush && this.#slot && !this.#oversize) this.#carryOver(this.#slot, 0);
    else if (this.#slot && this.#pool.waiting > 0) this.yield();
  }

  busy(): boolean {
    return this.#host.busy();
  }

  flush(): void {
    this.#submitFinished();
    this.yield();
  }

  /** Somebody waits for memory: a slot that the source is not writing to goes on as it is. */
  yield(): void {
    if (this.#slot && !this.#lent && !this.#oversize) this.#cut(this.#slot, false);
    if (this.#slot && !this.#lent) this.#carryOver(this.#slot, 0);
  }

  /** The source has failed and writes no more for now. */
  rest(): void {
    this.#lent = false;
    if (this.#oversize && this.#slot) this.#release(this.#slot);
    this.yield();
  }

  /** No more bytes come, and it holds none. */
  get ended(): boolean {
    return this.#ended;
  }

  async end(): Promise<void> {
    await this.#end();
    this.#ended = true;
    this.#host.ended(this);
  }

  async #end(): Promise<void> {
    await this.#passing;
    if (this.#oversize) {
      this.#oversize.done = true;
      await this.#submitOversize(this.#oversize);
    }
    if (this.#carry.length > 0) await this.#open(this.#carry.length);
    const slot = this.#slot;
    if (!slot) return;
    const tooLong = this.#tooLongRow(slot);
    if (this.#filled === 0) this.#release(slot);
    else if (tooLong === undefined) this.#submit(slot, this.#filled, { last: true });
    else {
      if (tooLong === 0) this.#passOver(slot);
      else this.#submit(slot, tooLong);
      return this.#end();
    }
  }

  async delivered(): Promise<void> {
    this.flush();
    await this.#passing;
    return this.#host.delivered();
  }

  forget(): void {
    this.#host.forget();
  }

  /** Gives back what it holds; unfinished bytes are forgotten (they were never committed). */
  discard(): void {
    if (this.#slot) this.#release(this.#slot);
    this.#carry = new Uint8Array();
  }

  async #open(atLeast: number): Promise<Slot> {
    const { memory, signal } = this.#host;
    const { input, largeInput } = memory;
    let slot = await input.take(signal);
    this.#large = false;
    if (atLeast >= slot.end - slot.start) {
      input.release(slot);
      slot = await largeInput.take(signal);
      this.#large = true;
    }
    this.#slot = slot;
    // Until whoever waits for this promise goes on, others run: they must not take it for idle.
    this.#lent = true;
    memory.bytes.set(this.#carry, slot.start);
    this.#filled = this.#carry.length;
    this.#searched = 0;
    this.#carry = new Uint8Array();
    return slot;
  }

  /** Cuts behind the last whole row. `full`: nothing more fits the slot. */
  #cut(slot: Slot, full: boolean): void {
    if (this.#filled === 0) return;
    const { start } = slot;
    const end = this.#host.cutter.lastEnd(start, start + this.#filled, start + this.#searched);
    if (end !== undefined) {
      const tooLong = this.#tooLongRow(slot);
      if (tooLong === 0) this.#passOver(slot);
      else this.#submit(slot, tooLong ?? end - start);
      return;
    }
    this.#searched = this.#filled;
    if (this.#filled > this.#host.maxRowBytes) this.#passOver(slot);
    else if (full) this.#carryOver(slot, 0);
  }

  /** Where, from the slot's start, the first row begins that is longer than allowed. */
  #tooLongRow(slot: Slot): number | undefined {
    const { cutter, maxRowBytes } = this.#host;
    if (this.#filled <= maxRowBytes) return undefined;
    const end = slot.start + this.#filled;
    for (let from = slot.start; from < end; ) {
      const behind = cutter.firstEnd(from, end);
      // Its newline does not count.
      if ((behind === undefined ? end : behind - 1) - from > maxRowBytes) return from - slot.start;
      if (behind === undefined) break;
      from = behind;
    }
    return undefined;
  }

  #submit(slot: Slot, length: number, { last = false, reject }: Partial<Pick<Cut, 'last' | 'reject'>> = {}): void {
    const offset = this.#offset;
    const end = offset + length;
    const pool = this.#pool;
    this.#carry = this.#copy(slot.start + length, slot.start + this.#filled);
    this.#forget(length);
    const cut = { slot, pool, from: slot.start, to: slot.start + length, last, offset, end, marks: this.#takeMarks(end) };
    this.#host.submit(reject ? { ...cut, reject } : cut);
  }

  /** The slot begins with a row that is too long. */
  #passOver(slot: Slot): void {
    const { memory, maxRowBytes } = this.#host;
    const line = memory.bytes.subarray(slot.start, slot.start + this.#filled).indexOf(NEWLINE);
    if (line < 0 || line > maxRowBytes) this.#beginOversize(slot, this.#filled);
    else {
      const reason = `the row goes on for more than ${maxRowBytes} bytes, which is what is allowed: this is its first line`;
      this.#submit(slot, line + 1, { reject: { reason } });
    }
  }

  #takeMarks(end: number): readonly number[] {
    if (this.#marks.length === 0) return [];
    const later = this.#marks.findIndex((mark) => mark > end);
    return this.#marks.splice(0, later < 0 ? this.#marks.length : later);
  }

  #forget(length: number): void {
    this.#offset += length;
    this.#slot = undefined;
    this.#filled = 0;
    this.#searched = 0;
    this.#lent = false;
  }

  #carryOver(slot: Slot, from: number): void {
    this.#carry = this.#copy(slot.start + from, slot.start + this.#filled);
    this.#release(slot);
  }

  /** Where the slot comes from. */
  get #pool(): SlotPool {
    return this.#large ? this.#host.memory.largeInput : this.#host.memory.input;
  }

  #copy(from: number, to: number): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#host.memory.bytes, from, to);
  }

  #release(slot: Slot): void {
    const pool = this.#pool;
    this.#slot = undefined;
    this.#filled = 0;
    this.#searched = 0;
    this.#lent = false;
    pool.release(slot);
  }

  #beginOversize(slot: Slot, length: number): void {
    const start = this.#copy(slot.start, slot.start + Math.min(length, OVERSIZE_HEAD_BYTES));
    const newline = start.indexOf(NEWLINE);
    const head = newline < 0 ? start : start.subarray(0, newline);
    // Loaded when it is needed: it costs 10 ms of every start.
    const { createHash } = process.getBuiltinModule('node:crypto');
    this.#oversize = { hash: createHash('sha256'), head, offset: this.#offset, bytes: 0, done: false };
    this.#skip(this.#oversize, slot, length);
  }

  /** Reads `length` bytes at the slot's start past, up to the row's newline. */
  #skip(oversize: Oversize, slot: Slot, length: number): void {
    const found = this.#host.memory.bytes.subarray(slot.start, slot.start + length).indexOf(NEWLINE);
    const taken = found < 0 ? length : found;
    oversize.hash.update(this.#host.memory.bytes.subarray(slot.start, slot.start + taken));
    oversize.bytes += taken;
    this.#filled = 0;
    this.#searched = 0;
    if (found < 0) {
      // What follows needs no large slot, and may be long in coming.
      this.#release(slot);
      return;
    }
    oversize.done = true;
    this.#filled = length;
    this.#carryOver(slot, found + 1);
    this.#offset = oversize.offset + oversize.bytes + 1;
  }

  /** A row beyond the bound that has ended goes on its way: nothing may follow that would bring it there. */
  #submitFinished(): void {
    if (!this.#oversize?.done) return;
    this.#passing = this.#submitOversize(this.#oversize);
    // Seen by the next call; it only fails when all ends.
    this.#passing.catch(() => {});
  }

  async #submitOversize(oversize: Oversize): Promise<void> {
    if (this.#slot) this.#release(this.#slot);
    const { memory, signal, maxRowBytes } = this.#host;
    const { input } = memory;
    const slot = await input.take(signal);
    const kept = Math.min(oversize.head.length, slot.end - slot.start);
    memory.bytes.set(oversize.head.subarray(0, kept), slot.start);
    this.#oversize = undefined;
    const end = Math.max(this.#offset, oversize.offset + oversize.bytes);
    this.#offset = end;
    this.#host.submit({
      slot,
      pool: input,
      from: slot.start,
      to: slot.start + kept,
      last: true,
      offset: oversize.offset,
      end,
      marks: this.#takeMarks(end),
      reject: {
        reason: tooLong(oversize.bytes, maxRowBytes),
        truncated: { bytes: oversize.bytes, sha256: oversize.hash.digest('hex') },
      },
    });
  }
}
