/**
 * The queue before one sink: chunks are written one at a time, in the order in which they were released. A failure that may pass
 * is tried again for ever, with back-off; meanwhile the slots stay taken, and that is the back-pressure.
 */
import { ReefError } from '../errors.ts';
import type { Log, Sink, SinkChunk, SinkPosition } from '../spec/node.ts';
import { backoff } from './backoff.ts';

export interface OutboxItem {
  readonly chunk: SinkChunk;
  /** The sink has the chunk; `position` is what it must know to go on from there. */
  readonly delivered: (position: SinkPosition | undefined) => void;
}

export interface OutboxOptions {
  readonly id: string;
  readonly sink: Sink;
  readonly log: Log;
  /** Aborts waiting for another try. */
  readonly signal: AbortSignal;
  /** The sink will never take the chunk. */
  readonly failed: (error: unknown) => void;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #queue: OutboxItem[] = [];
  #writing = false;
  #broken = false;
  retries = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  get sink(): Sink {
    return this.#options.sink;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  push(item: OutboxItem): void {
    this.#queue.push(item);
    if (!this.#writing && !this.#broken) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    try {
      for (let item = this.#queue.shift(); item; item = this.#queue.shift()) item.delivered(await this.#write(item.chunk));
    } catch (error) {
      this.#broken = true;
      this.#options.failed(error);
    } finally {
      this.#writing = false;
    }
  }

  async #write(chunk: SinkChunk): Promise<SinkPosition | undefined> {
    const { id, sink, log, signal } = this.#options;
    for (let attempt = 0; ; attempt++) {
      try {
        const position = await sink.write(chunk);
        if (attempt > 0) log.info(`sink "${id}" takes rows again after ${attempt} failed tries`);
        return position;
      } catch (error) {
        if (!(error instanceof ReefError) || !error.retry) throw error;
        this.retries++;
        // Told once, then at every doubling: a disk that is full for a night must not fill the log too.
        if ((attempt & (attempt + 1)) === 0) log.warn(`${error.message}; trying again until it works (try ${attempt + 1})`);
        await backoff(attempt, signal);
      }
    }
  }
}
