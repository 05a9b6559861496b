/**
 * Puts the rows of many requests into shared memory, one behind the other, and learns what became of each request's. A message to
 * a worker and back costs more than a small request does, so rows wait for others: until nothing is on its way (then at once),
 * until there are enough, or for some milliseconds.
 */
import type { Feed, PartitionFeed, SettledStretch } from '../../../spec/feed.ts';
import type { Collector, CollectorOptions } from './collector.ts';
import { Departure } from './departure.ts';
import type { Sender } from './sender.ts';
import { Senders } from './senders.ts';

interface Waiting {
  readonly sender: Sender;
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  /** How far it is written. */
  part: number;
  at: number;
}

export class Gatherer implements Collector {
  readonly #options: CollectorOptions;
  #partition: PartitionFeed | undefined;
  #room: Uint8Array | undefined;
  #filled = 0;
  /** Offset, within the partition, of the room's first byte. */
  #offset = 0;
  /** Offset behind all that was delivered. */
  #settled = 0;
  /** Ends of the senders' rows in the room. */
  #marks: number[] = [];
  readonly #senders = new Senders();
  #waiting: Waiting[] = [];
  #pumping = false;
  readonly #departure: Departure;
  #stopped = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#departure = new Departure({
      gatherMs: options.gatherMs,
      depart: () => {
        if (this.#room && this.#filled > 0) this.#advance(true);
      },
    });
  }

  get gathering(): boolean {
    return this.#filled > 0 || this.#waiting.length > 0;
  }

  get underway(): boolean {
    return this.#settled !== this.#offset;
  }

  open(feed: Feed): void {
    const { name, table, codec } = this.#options;
    // No two runs number their rows alike, unless there was more than a gigabyte a second.
    this.#offset = Date.now() * 1000;
    this.#settled = this.#offset;
    this.#partition = feed.partition(name, {
      offset: this.#offset,
      replayable: false,
      ...(table === undefined ? {} : { table }),
      ...(codec === undefined ? {} : { codec }),
      settled: (stretch) => this.#onSettled(stretch),
    });
    void this.#pump();
  }

  add(sender: Sender, parts: readonly Uint8Array[], bytes: number): void {
    if (this.#stopped) {
      sender.dropped(bytes, false);
      return;
    }
    if (this.#room && this.#waiting.length === 0 && bytes <= this.#room.length - this.#filled) {
      for (const part of parts) {
        this.#room.set(part, this.#filled);
        this.#filled += part.length;
      }
      this.#mark(sender, bytes);
      this.schedule();
      return;
    }
    this.#waiting.push({ sender, parts, bytes, part: 0, at: 0 });
    if (!this.#pumping) void this.#pump();
  }

  schedule(): void {
    this.#departure.schedule(this.#filled, this.#options.traffic.idle);
  }

  stop(): void {
    this.#stopped = true;
    this.#departure.now();
    for (const { sender, bytes, part, at } of this.#waiting.splice(0)) sender.dropped(bytes, part > 0 || at > 0);
  }

  async #pump(): Promise<void> {
    if (!this.#partition) return;
    this.#pumping = true;
    try {
      while (this.#waiting.length > 0) {
        this.#room ??= await this.#partition.room();
        if (this.#stopped) this.#advance(true);
        else this.#fill(this.#room);
        this.schedule();
      }
    } catch {
      // The engine stops; it says so by its signal as well.
    } finally {
      this.#pumping = false;
    }
  }

  #fill(room: Uint8Array): void {
    let done = 0;
    for (const waiting of this.#waiting) {
      this.#filled = copyInto(room, this.#filled, waiting);
      if (waiting.part < waiting.parts.length) break;
      done++;
      this.#mark(waiting.sender, waiting.bytes);
    }
    this.#waiting.splice(0, done);
    if (this.#filled === room.length) this.#advance(false);
  }

  #mark(sender: Sender, bytes: number): void {
    this.#marks.push(this.#offset + this.#filled);
    this.#senders.add(sender);
    sender.written(bytes);
  }

  #advance(flush: boolean): void {
    const marks = this.#marks;
    const filled = this.#filled;
    this.#marks = [];
    this.#room = undefined;
    this.#filled = 0;
    this.#offset += filled;
    this.#partition!.advance(filled, { flush, marks });
  }

  #onSettled(stretch: SettledStretch): void {
    this.#settled = stretch.end;
    this.#senders.settled(stretch);
    this.#options.traffic.settled();
  }
}

/** Copies what is left to copy, or as much as there is room for. Returns how far the room is filled then. */
function copyInto(room: Uint8Array, filled: number, waiting: Waiting): number {
  let to = filled;
  for (; waiting.part < waiting.parts.length; waiting.part++, waiting.at = 0) {
    const part = waiting.parts[waiting.part]!;
    const piece = part.subarray(waiting.at, waiting.at + room.length - to);
    room.set(piece, to);
    to += piece.length;
    waiting.at += piece.length;
    if (waiting.at < part.length) break;
  }
  return to;
}
