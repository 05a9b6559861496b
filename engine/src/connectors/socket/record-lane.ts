/**
 * One partition that all connections of a source feed. Who cannot be served for lack of memory waits, in turn; what was fed goes to a
 * worker when the batch is full, or a short time after its first row.
 */
import type { Feed } from '../../spec/feed.ts';
import { RecordWriter } from '../../spec/record-writer.ts';
import type { RecordLayout, RecordValue } from '../../spec/records.ts';

export interface RecordLaneOptions {
  readonly name: string;
  readonly rows: RecordLayout['rows'];
  readonly json: boolean;
  readonly raw: boolean;
  /** Rows wait so long for others. */
  readonly gatherMs: number;
}

/** What is known of where a message came from. */
export const peerColumns = ['_ppf_remote_host', '_ppf_remote_port', '_ppf_local_host', '_ppf_local_port'] as const;

/** Room is given for so long after a stop: what has arrived is still read. */
export const LINGER_MS = 1000;
/** Numbers of rows must not come again in a later run; a message has at least one byte, and none come faster than this. */
const POSITIONS_PER_MS = 1000;
const MOST_DELAYS = 3;

export class RecordLane {
  readonly #writer: RecordWriter;
  readonly #gatherMs: number;
  readonly #rows: RecordLayout['rows'];
  #position = Date.now() * POSITIONS_PER_MS;
  #busy: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Rows have come since the timer was last set; so often it was set again for that. */
  #more = false;
  #delays = 0;

  constructor(feed: Feed, { name, rows, json, raw, gatherMs }: RecordLaneOptions) {
    this.#gatherMs = gatherMs;
    this.#rows = rows;
    this.#writer = new RecordWriter(feed, name, {
      records: { columns: peerColumns, rows },
      json,
      raw,
      replayable: false,
      lingerMs: LINGER_MS,
    });
  }

  /** Copies the bytes into shared memory. Where it returns a promise, the caller waits before it adds more. */
  add(values: readonly RecordValue[], bytes: Uint8Array): Promise<void> | undefined {
    return this.#busy ? this.#addInTurn(values, bytes) : this.#put(values, bytes);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#delays = 0;
    if (!this.#busy) this.#writer.flush();
  }

  /** Where more keeps coming a full batch is likely near. */
  #wait(): void {
    this.#more = false;
    this.#timer = setTimeout(() => {
      if (this.#more && this.#delays++ < MOST_DELAYS) this.#wait();
      else this.flush();
    }, this.#gatherMs);
  }

  async end(): Promise<void> {
    await this.#busy?.catch(() => {});
    this.flush();
  }

  async #addInTurn(values: readonly RecordValue[], bytes: Uint8Array): Promise<void> {
    while (this.#busy) await this.#busy;
    await this.#put(values, bytes);
  }

  #put(values: readonly RecordValue[], bytes: Uint8Array): Promise<void> | undefined {
    const position = this.#position;
    this.#position += this.#rows === 'one' ? 1 : bytes.length + 1;
    const wait = this.#writer.add(position, values, bytes);
    if (this.#timer === undefined) this.#wait();
    else this.#more = true;
    if (!wait) return undefined;
    const busy = wait.finally(() => {
      if (this.#busy === busy) this.#busy = undefined;
    });
    this.#busy = busy;
    return busy;
  }
}
