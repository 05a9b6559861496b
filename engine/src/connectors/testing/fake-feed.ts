/**
 * A feed for tests of sources: rooms are views over shared memory, small on request, and everything fed is kept. `until` waits
 * for a condition without polling: it is looked at after each call of the source.
 */
import type { AdvanceOptions, Feed, PartitionFeed, PartitionOptions, Position } from '../../spec/feed.ts';
import type { Codec } from '../../spec/plan.ts';
import { type ReadRecord, readRecords } from '../../spec/records.ts';

export interface FakeFeedOptions {
  readonly roomBytes?: number;
  readonly maxRowBytes?: number;
  readonly resume?: Readonly<Record<string, Position>>;
  readonly signal?: AbortSignal;
  /** What is fed counts as delivered soon after, for sources that wait for it. Default: when a test calls `settle`. */
  readonly settles?: boolean;
}

export class FakeFeed implements Feed {
  readonly resume: ReadonlyMap<string, Position>;
  readonly maxRowBytes: number;
  readonly partitions = new Map<string, FakePartition>();
  /** Every call in order, for tests about order. */
  readonly calls: string[] = [];
  readonly roomBytes: number;
  readonly signal: AbortSignal | undefined;
  readonly settles: boolean;
  /** Memory is taken: whoever asks for room waits until it is false again. */
  full = false;
  #waiting: { readonly condition: () => boolean; readonly resolve: () => void }[] = [];

  constructor(options: FakeFeedOptions = {}) {
    this.resume = new Map(Object.entries(options.resume ?? {}));
    this.roomBytes = options.roomBytes ?? 65536;
    this.maxRowBytes = options.maxRowBytes ?? 16 * 1024 * 1024;
    this.signal = options.signal;
    this.settles = options.settles ?? false;
    this.signal?.addEventListener('abort', () => this.note('abort'));
  }

  partition(name: string, options: PartitionOptions = {}): FakePartition {
    const partition = this.partitions.get(name) ?? new FakePartition(this, name);
    partition.opened(options);
    this.partitions.set(name, partition);
    this.note(`partition ${name}`);
    return partition;
  }

  note(call: string): void {
    this.calls.push(call);
    this.#waiting = this.#waiting.filter(({ condition, resolve }) => {
      if (!condition()) return true;
      resolve();
      return false;
    });
  }

  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ condition, resolve }));
  }

  /** Memory is free again. */
  drain(): void {
    this.full = false;
    this.note('drain');
  }

  /** All that was fed counts as delivered; lines that are no JSON objects as rejected. */
  settle(): void {
    for (const partition of this.partitions.values()) partition.settle();
  }

  /** All that was fed, in the order of the partitions. */
  get text(): string {
    return [...this.partitions.values()].map((partition) => partition.text).join('');
  }

  /** Positions as a checkpoint would hold them when all that was fed has been delivered; those of the last run stay. */
  positions(): Record<string, Position> {
    const positions = new Map(this.resume);
    for (const partition of this.partitions.values()) {
      if (partition.forgotten) positions.delete(partition.name);
      else positions.set(partition.name, partition.positionAt(partition.offset));
    }
    return Object.fromEntries(positions);
  }
}

export class FakePartition implements PartitionFeed {
  readonly name: string;
  offset = 0;
  ended = false;
  forgotten = false;
  flushes = 0;
  replayable = true;
  readonly #feed: FakeFeed;
  readonly #chunks: Buffer[] = [];
  #start = 0;
  #settled = 0;
  #marks: number[] = [];
  #options: PartitionOptions = {};
  #room: Uint8Array | undefined;
  #position: (offset: number) => Position = (offset) => offset;

  constructor(feed: FakeFeed, name: string) {
    this.#feed = feed;
    this.name = name;
  }

  opened(options: PartitionOptions): void {
    this.offset = options.offset ?? 0;
    this.#start = this.offset;
    this.#settled = this.offset;
    this.#options = options;
    this.#position = options.position ?? this.#position;
    this.replayable = options.replayable ?? true;
    this.ended = false;
    this.forgotten = false;
  }

  async room(): Promise<Uint8Array> {
    // Another turn of the event loop, as when memory is scarce.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#feed.until(() => !this.#feed.full || this.#feed.signal?.aborted === true);
    if (this.#feed.signal?.aborted) throw new DOMException('The engine stops', 'AbortError');
    if (this.ended) throw new Error('room after end');
    const { roomBytes } = this.#feed;
    this.#room = new Uint8Array(new SharedArrayBuffer(roomBytes));
    return this.#room;
  }

  advance(length: number, options: AdvanceOptions = {}): void {
    if (this.#room === undefined || length > this.#room.length) throw new Error('advance beyond the room');
    this.#chunks.push(Buffer.from(this.#room.slice(0, length)));
    this.#room = undefined;
    this.offset += length;
    this.#marks.push(...(options.marks ?? []));
    if (options.flush) this.flushes++;
    if (this.#feed.settles) setImmediate(() => this.settle());
    this.#feed.note(`advance ${this.name} ${length}${options.flush ? ' flush' : ''}`);
  }

  get table(): string | undefined {
    return this.#options.table;
  }

  get codec(): Codec | undefined {
    return this.#options.codec;
  }

  settle(): void {
    const bytes = Buffer.concat(this.#chunks);
    if (this.#options.records) {
      this.#settleRecords(bytes);
      return;
    }
    // An unfinished row is no row yet.
    const end = this.#start + bytes.lastIndexOf(10) + 1;
    if (end <= this.#settled) return;
    const later = this.#marks.findIndex((mark) => mark > end);
    const marks = this.#marks.splice(0, later < 0 ? this.#marks.length : later);
    const bounds = [this.#settled, ...marks, end];
    const stretches = bounds.slice(1).map((to, index) => bytes.toString('utf8', bounds[index]! - this.#start, to - this.#start));
    const rows = stretches.map((text) => linesOf(text).length);
    const rejected = stretches.map((text) => linesOf(text).filter((line) => !isObject(line)).length);
    this.#settled = end;
    this.#options.settled?.({ end, marks, rows, rejected });
    this.#feed.note(`settle ${this.name}`);
  }

  flush(): void {
    this.flushes++;
    this.#feed.note(`flush ${this.name}`);
  }

  /** A record counts as one row, rejected where it is no JSON object. */
  #settleRecords(bytes: Buffer): void {
    const end = this.#start + bytes.length;
    if (end <= this.#settled) return;
    const marks = this.#marks.splice(0);
    const bounds = [this.#settled, ...marks, end];
    const stretches = bounds
      .slice(1)
      .map((to, index) => readRecords(bytes.subarray(bounds[index]! - this.#start, to - this.#start)));
    const rows = stretches.map((records) => records.length);
    const rejected = stretches.map((records) => records.filter(({ payload }) => !isObject(payload.toString())).length);
    this.#settled = end;
    this.#options.settled?.({ end, marks, rows, rejected });
    this.#feed.note(`settle ${this.name}`);
  }

  async end(): Promise<void> {
    this.ended = true;
    this.#feed.note(`end ${this.name}`);
  }

  async delivered(): Promise<void> {}

  forget(): void {
    this.forgotten = true;
    this.#feed.note(`forget ${this.name}`);
  }

  positionAt(offset: number): Position {
    return this.#position(offset);
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  /** What was fed where the partition has records. */
  get records(): readonly ReadRecord[] {
    return readRecords(Buffer.concat(this.#chunks));
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function isObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
