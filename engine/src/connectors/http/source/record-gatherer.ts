/**
 * The gatherer for rows that have something beside them: each request's stand in records. It costs a copy more than the other one,
 * so it is used only where the punchline refers to what is beside.
 */
import { endOfCsvRows } from '../../../codecs/csv-body.ts';
import type { Feed, SettledStretch } from '../../../spec/feed.ts';
import { RecordWriter } from '../../../spec/record-writer.ts';
import type { RecordLayout } from '../../../spec/records.ts';
import type { Collector, CollectorOptions } from './collector.ts';
import { Departure } from './departure.ts';
import type { Sender } from './sender.ts';
import { Senders } from './senders.ts';

/** Lines stand together in records of about this size: none may be larger than a slot. */
const RECORD_BYTES = 64 * 1024;
const NEWLINE = 10;

interface Waiting {
  readonly sender: Sender;
  readonly body: Uint8Array;
  readonly bytes: number;
  /** Some of it is fed. */
  begun: boolean;
}

export interface RecordGathererOptions extends CollectorOptions {
  readonly columns: readonly string[];
  /** `one`: all of an `add` is one row, of bytes of any kind. */
  readonly rows: RecordLayout['rows'];
}

export class RecordGatherer implements Collector {
  readonly #options: RecordGathererOptions;
  readonly #senders = new Senders();
  #writer: RecordWriter | undefined;
  #waiting: Waiting[] = [];
  #pumping = false;
  /** Offsets behind all that went on its way, and behind all that was delivered. */
  #sent = 0;
  #settled = 0;
  readonly #departure: Departure;
  #stopped = false;

  constructor(options: RecordGathererOptions) {
    this.#options = options;
    this.#departure = new Departure({ gatherMs: options.gatherMs, depart: () => this.#send() });
  }

  get gathering(): boolean {
    return this.#waiting.length > 0 || this.#gathered > 0;
  }

  get underway(): boolean {
    return this.#settled < this.#sent;
  }

  open(feed: Feed): void {
    const { name, table, codec, columns, rows } = this.#options;
    // No two runs number their rows alike, unless there was more than a gigabyte a second.
    const offset = Date.now() * 1000;
    this.#sent = offset;
    this.#settled = offset;
    this.#writer = new RecordWriter(feed, name, {
      offset,
      replayable: false,
      records: { columns, rows },
      raw: rows === 'one',
      ...(table === undefined ? {} : { table }),
      ...(codec === undefined ? {} : { codec }),
      settled: (stretch) => this.#onSettled(stretch),
    });
    if (this.#waiting.length > 0) void this.#pump(this.#writer);
  }

  add(sender: Sender, parts: readonly Uint8Array[], bytes: number): void {
    if (this.#stopped) {
      sender.dropped(bytes, false);
      return;
    }
    const body = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    this.#waiting.push({ sender, body, bytes, begun: false });
    if (this.#writer && !this.#pumping) void this.#pump(this.#writer);
  }

  schedule(): void {
    this.#departure.schedule(this.#gathered, this.#options.traffic.idle);
  }

  stop(): void {
    this.#stopped = true;
    this.#departure.now();
    for (const { sender, bytes, begun } of this.#waiting.splice(0)) sender.dropped(bytes, begun);
  }

  #endOfRecord(body: Uint8Array, from: number): number {
    const { rows, codec } = this.#options;
    if (rows === 'one') return body.length;
    // A line end may stand within a field.
    return codec?.name === 'csv' ? endOfCsvRows(body, from, RECORD_BYTES, codec.separator) : endOfLines(body, from);
  }

  async #pump(writer: RecordWriter): Promise<void> {
    this.#pumping = true;
    try {
      for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
        const { sender, body, bytes } = next;
        for (let from = 0; from < body.length; ) {
          const end = this.#endOfRecord(body, from);
          next.begun = true;
          if (end === body.length) {
            writer.markNext();
            this.#senders.add(sender);
          }
          // The record brings the last newline itself.
          const wait = writer.add(writer.offset, sender.peer, body.subarray(from, end - 1));
          if (wait) await wait;
          if (this.#stopped) {
            this.#departure.now();
            return;
          }
          from = end;
        }
        this.#waiting.shift();
        sender.written(bytes);
        this.schedule();
      }
    } catch {
      // The engine stops; it says so by its signal as well.
    } finally {
      this.#pumping = false;
    }
  }

  get #gathered(): number {
    return this.#writer ? this.#writer.offset - this.#sent : 0;
  }

  #send(): void {
    if (!this.#writer) return;
    this.#sent = this.#writer.offset;
    this.#writer.flush();
  }

  #onSettled(stretch: SettledStretch): void {
    this.#settled = stretch.end;
    this.#senders.settled(stretch);
    this.#options.traffic.settled();
  }
}

/** Behind the last line that ends within a record's usual size, or behind the first where that is longer. */
function endOfLines(body: Uint8Array, from: number): number {
  if (body.length - from <= RECORD_BYTES) return body.length;
  const last = body.lastIndexOf(NEWLINE, from + RECORD_BYTES - 1);
  return (last >= from ? last : body.indexOf(NEWLINE, from)) + 1;
}
