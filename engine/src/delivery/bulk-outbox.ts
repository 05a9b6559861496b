/** The way to one sink that takes bulks: lanes, sending, and what becomes of refused rows. */
import type { BulkSink, RefusedRow } from '../spec/bulk-sink.ts';
import type { Log } from '../spec/node.ts';
import type { RetryPolicy } from '../spec/plan.ts';
import { Lane } from './lane.ts';
import type { Load } from './load.ts';
import type { Parcel, RowOrigin, SinkPositions } from './parcel.ts';
import { sendLoad } from './send-load.ts';
import { Troubles } from './troubles.ts';

/** A row that a sink refuses for good. */
export interface Refusal {
  readonly reason: string;
  readonly origin: RowOrigin;
  /** As it entered the sink, without its delimiter. */
  readonly entered: Uint8Array;
}

export interface BulkOutboxOptions {
  readonly id: string;
  readonly sink: BulkSink;
  readonly retry: RetryPolicy;
  readonly log: Log;
  /** Of what the sink is given: bytes that end each row. */
  readonly rowEndBytes: 0 | 1;
  /** Aborts what is on its way, and waiting for another try. */
  readonly signal: AbortSignal;
  /** Nobody waits for it: parcels beyond so many waiting bytes are dropped. */
  readonly mostWaitingBytes: number;
  /** Rows that the sink has taken. */
  delivered(rows: number): void;
  /** Rows that were given up. */
  dropped(rows: number): void;
  /** Sends refused rows to the error table. */
  document(rows: readonly Refusal[]): Documented;
  /** The sink cannot go on. */
  failed(error: unknown): void;
}

export interface Documented {
  /** The memory behind the rows is not read any more. */
  readonly composed: Promise<void>;
  /** The error table has them. */
  readonly delivered: Promise<SinkPositions>;
}

export class BulkOutbox {
  readonly #options: BulkOutboxOptions;
  readonly #lanes: readonly Lane[];
  readonly #troubles: Troubles;
  #broken = false;

  constructor(options: BulkOutboxOptions) {
    this.#options = options;
    this.#troubles = new Troubles(options.id, options.log);
    const { limits } = options.sink;
    // In order means: a partition always takes the same lane, and a lane has one load on its way.
    const count = limits.ordered ? limits.concurrency : 1;
    const atOnce = limits.ordered ? 1 : limits.concurrency;
    this.#lanes = Array.from({ length: count }, () => new Lane({ limits, atOnce, send: (load) => this.#send(load) }));
  }

  get retries(): number {
    return this.#troubles.retries;
  }

  /** It has failed since it last took something. */
  get failing(): string | undefined {
    return this.#troubles.failing;
  }

  get idle(): boolean {
    return this.#lanes.every((lane) => lane.idle);
  }

  push(parcel: Parcel): void {
    const waiting = this.#lanes.reduce((sum, lane) => sum + lane.waitingBytes, 0);
    if (this.#broken || waiting >= this.#options.mostWaitingBytes) parcel.dropped();
    else this.#lanes[this.#lanes.length === 1 ? 0 : hash(parcel.label) % this.#lanes.length]!.push(parcel);
  }

  hurry(): void {
    for (const lane of this.#lanes) lane.hurry();
  }

  /** Sends nothing more; returns the number of rows that waited. */
  stop(): number {
    this.#broken = true;
    return this.#lanes.reduce((sum, lane) => sum + lane.stop(), 0);
  }

  async #send(load: Load): Promise<void> {
    const { signal, failed, delivered } = this.#options;
    const documents: Documented[] = [];
    let refused = 0;
    const refuse = (rows: readonly RefusedRow[]): void => {
      refused += rows.length;
      documents.push(this.#refuse(load, rows));
    };
    try {
      await sendLoad(load, { ...this.#options, troubles: this.#troubles, refuse });
    } catch (error) {
      // Documents of rows that were refused before may still be being written.
      void Promise.allSettled(documents.map(({ composed }) => composed)).then(() => load.release());
      this.#options.dropped(load.rows - refused + this.stop());
      failed(error);
      return;
    }
    delivered(load.rows - refused);
    if (documents.length === 0) {
      load.release();
      for (const { of, rows } of load.shares) of.settle(rows, undefined);
      return;
    }
    // Not waited for here: the next load may go.
    void this.#settle(load, documents).catch((error: unknown) => {
      if (!signal.aborted) failed(error);
    });
  }

  async #settle(load: Load, documents: readonly Documented[]): Promise<void> {
    await Promise.all(documents.map(({ composed }) => composed));
    load.release();
    const positions = await Promise.all(documents.map((each) => each.delivered));
    const last = new Map(positions.flatMap((each) => [...each]).sort(([, one], [, other]) => one.write - other.write));
    for (const { of, rows } of load.shares) of.settle(rows, last);
  }

  #refuse(load: Load, rows: readonly RefusedRow[]): Documented {
    return this.#options.document(
      rows.map(({ row, reason }) => {
        const origin = load.origin(row);
        const entered = load.bytes.subarray(load.offsets[row]!, load.offsets[row + 1]! - this.#options.rowEndBytes);
        this.#parcelOf(load, row).refused(origin.offset);
        return { reason, origin, entered };
      }),
    );
  }

  #parcelOf(load: Load, row: number): Parcel {
    let first = 0;
    for (const { of, rows } of load.shares) {
      first += rows;
      if (row < first) return of.parcel;
    }
    throw new RangeError(`Cannot find row ${row} of a load: it has ${load.rows}`);
  }
}

function hash(text: string): number {
  let sum = 0;
  for (let at = 0; at < text.length; at++) sum = (Math.imul(sum, 31) + text.charCodeAt(at)) >>> 0;
  return sum;
}
