/**
 * Parcels come in, loads go out: as large as the limits allow, as early as they allow. What fills a load by itself is sent from
 * where it stands; only what has to wait for more rows is copied together. While as many loads as allowed are on their way, large
 * parcels wait where they stand, and that is the back-pressure.
 */
import type { BulkLimits } from '../spec/bulk-sink.ts';
import { Gathering, type Load, loadOf, OpenParcel } from './load.ts';
import type { Parcel } from './parcel.ts';

export interface LaneOptions {
  readonly limits: BulkLimits;
  /** Loads that may be on their way at once. */
  readonly atOnce: number;
  /** Resolves when no row of the load is left to be sent. Never rejects. */
  send(load: Load): Promise<void>;
}

/** A parcel of fewer bytes is copied while it waits: a slot is too large to be held for it. */
const COPIED_BELOW = 64 * 1024;

export class Lane {
  readonly #options: LaneOptions;
  readonly #queue: OpenParcel[] = [];
  readonly #gathering = new Gathering();
  #sending = 0;
  #timer: NodeJS.Timeout | undefined;
  /** What was gathered has waited long enough. */
  #due = false;
  #hurry: boolean;
  #stopped = false;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#hurry = options.limits.timeoutMs === 0;
  }

  /** Nothing is queued, gathered or on its way. */
  get idle(): boolean {
    return this.#sending === 0 && this.#queue.length === 0 && this.#gathering.rows === 0;
  }

  /** Bytes that wait here. */
  get waitingBytes(): number {
    return this.#queue.reduce((sum, of) => sum + of.leftBytes, this.#gathering.bytes);
  }

  push(parcel: Parcel): void {
    this.#queue.push(new OpenParcel(parcel));
    this.#pump();
  }

  /** From now on nothing waits for more rows. */
  hurry(): void {
    this.#hurry = true;
    this.#pump();
  }

  /** Sends nothing more, and gives up what waits here; returns the number of its rows. */
  stop(): number {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const rows = this.#queue.reduce((sum, of) => sum + of.left, this.#gathering.rows);
    for (const of of this.#queue.splice(0)) of.drop();
    this.#gathering.take();
    return rows;
  }

  #pump(): void {
    if (this.#stopped) return;
    while (this.#sending < this.#options.atOnce) {
      const load = this.#next();
      if (!load) return;
      this.#sending++;
      void this.#options.send(load).then(() => {
        this.#sending--;
        this.#pump();
      });
    }
    while ((this.#queue[0]?.leftBytes ?? COPIED_BELOW) < COPIED_BELOW && this.#gather()) {}
  }

  /** The next load, if one is full or need not be. */
  #next(): Load | undefined {
    const { limits } = this.#options;
    const head = this.#queue[0];
    if (this.#gathering.rows === 0 && head) {
      const rows = head.fitting(limits, this.#gathering);
      const whole = rows === head.left;
      if (!whole || rows === limits.rows || (this.#hurry && this.#queue.length === 1)) {
        const load = loadOf(head, rows);
        if (whole) this.#shift(head);
        return load;
      }
    }
    let full = false;
    while (this.#queue.length > 0 && !full) full = !this.#gather();
    if (this.#gathering.rows === 0) return undefined;
    full ||= this.#gathering.rows >= limits.rows || this.#gathering.bytes >= limits.bytes;
    if (full || this.#hurry || this.#due) return this.#take();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#due = true;
      this.#pump();
    }, limits.timeoutMs);
    return undefined;
  }

  /** Copies of the first parcel what fits; false when not all of it does. */
  #gather(): boolean {
    const head = this.#queue[0]!;
    const rows = head.fitting(this.#options.limits, this.#gathering);
    if (rows > 0) this.#gathering.add(head, rows);
    if (head.left > 0) return false;
    this.#shift(head);
    return true;
  }

  #take(): Load {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = false;
    return this.#gathering.take();
  }

  #shift(of: OpenParcel): void {
    this.#queue.shift();
    of.drop();
  }
}
