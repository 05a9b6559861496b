/** A bulk on its way: what has become of each of its rows, over as many connections as it takes. */
import type { Bulk, RefusedRow, Undelivered } from '../../spec/bulk-sink.ts';
import type { Heads } from './message-heads.ts';
import type { Message } from './publish-writer.ts';

export const RowState = {
  /** To be sent. */
  waiting: 0,
  /** Sent, to be acknowledged. */
  sent: 1,
  /** QoS 2: the server has it, and is to hear that it may go on. */
  received: 2,
  /** Sent over a connection that is gone: to be sent again under its number. */
  unsure: 3,
  /** QoS 2: `received` over a connection that is gone. */
  unreleased: 4,
  done: 5,
} as const;

export interface ShipmentOptions extends Heads {
  /** Bytes that end each row, which are no part of a message. */
  readonly rowEnd: number;
}

export class Shipment {
  readonly bulk: Bulk;
  readonly states: Uint8Array;
  /** Numbers of packets, by row. */
  readonly ids: Uint16Array;
  readonly #topics: readonly Uint8Array[];
  readonly #properties: readonly Uint8Array[];
  readonly #rowEnd: number;
  readonly #refused: RefusedRow[];
  readonly #again: number[] = [];
  #againReason = '';
  /** Rows before it need nothing more to be written. */
  next = 0;
  /** Rows whose fate is open. */
  open: number;
  readonly finished: Promise<Undelivered | undefined>;
  #finish!: (undelivered: Undelivered | undefined) => void;

  constructor(bulk: Bulk, { topics, properties, refused, rowEnd }: ShipmentOptions) {
    this.#rowEnd = rowEnd;
    this.bulk = bulk;
    this.states = new Uint8Array(bulk.rows);
    this.ids = new Uint16Array(bulk.rows);
    this.#topics = topics;
    this.#properties = properties;
    this.#refused = [...refused];
    for (const { row } of refused) this.states[row] = RowState.done;
    this.open = bulk.rows - refused.length;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  message(row: number): Message {
    const { bytes, offsets } = this.bulk;
    const payload = bytes.subarray(offsets[row]!, offsets[row + 1]! - this.#rowEnd);
    return { topic: this.#topics[row]!, payload, properties: this.#properties[row] ?? NOTHING };
  }

  taken(row: number): void {
    this.#done(row);
  }

  refuse(row: number, reason: string): void {
    this.#refused.push({ row, reason });
    this.#done(row);
  }

  later(row: number, reason: string): void {
    this.#again.push(row);
    this.#againReason = reason;
    this.#done(row);
  }

  /** The connection is gone, and whoever sends is to decide whether it is tried again: what is open is not delivered. */
  giveUp(reason: string): void {
    for (let row = 0; row < this.bulk.rows; row++) if (this.states[row] !== RowState.done) this.later(row, reason);
  }

  /** The connection is gone. With its session the numbers of packets go on to mean what they meant. */
  lost(sessionPresent: boolean): void {
    this.next = 0;
    for (let row = 0; row < this.bulk.rows; row++) {
      const state = this.states[row];
      if (state === RowState.sent || state === RowState.unsure)
        this.states[row] = sessionPresent ? RowState.unsure : RowState.waiting;
      else if (state === RowState.received || state === RowState.unreleased)
        this.states[row] = sessionPresent ? RowState.unreleased : RowState.waiting;
    }
  }

  /** Nothing can come of a bulk without open rows. */
  settle(): void {
    if (this.open > 0) return;
    if (this.#refused.length === 0 && this.#again.length === 0) this.#finish(undefined);
    else {
      const again = this.#again.sort((one, other) => one - other);
      const refused = this.#refused.sort((one, other) => one.row - other.row);
      this.#finish({ refused, ...(again.length === 0 ? {} : { again, againReason: this.#againReason }) });
    }
  }

  #done(row: number): void {
    if (this.states[row] === RowState.done) return;
    this.states[row] = RowState.done;
    this.open--;
    this.settle();
  }
}

const NOTHING = new Uint8Array(0);
