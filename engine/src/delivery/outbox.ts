/**
 * The queue before a sink that writes a stream: chunks are written one at a time, in the order in which they were released. A failure
 * that may pass is tried again, for ever unless the settings bound it, with back-off; meanwhile the slots stay taken, and that is the
 * back-pressure.
 */
import { ReefError } from '../errors.ts';
import type { Log } from '../spec/node.ts';
import type { RetryPolicy } from '../spec/plan.ts';
import type { Sink, SinkChunk, SinkPosition } from '../spec/sink.ts';
import { backoff, defaultRetry } from './backoff.ts';
import { Troubles } from './troubles.ts';

export interface OutboxItem {
  readonly chunk: SinkChunk;
  /** The sink has the chunk; `position` is what it must know to go on from there. */
  readonly delivered: (position: SinkPosition | undefined) => void;
  /** Nobody waits for the sink, and it has no room for the chunk. */
  readonly dropped?: () => void;
}

export interface OutboxOptions {
  readonly id: string;
  readonly sink: Sink;
  readonly log: Log;
  readonly retry?: RetryPolicy;
  /** Aborts waiting for another try. */
  readonly signal: AbortSignal;
  /** Nobody waits for it: chunks beyond so many that wait are dropped. Default: everybody does. */
  readonly mostWaiting?: number;
  /** The sink will never take the chunk. */
  readonly failed: (error: unknown) => void;
}

/** Chunks that wait are written together up to this size. */
const TOGETHER_BYTES = 256 * 1024;

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #queue: OutboxItem[] = [];
  readonly #troubles: Troubles;
  #writing = false;
  #broken = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#troubles = new Troubles(options.id, options.log);
  }

  get sink(): Sink {
    return this.#options.sink;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  get retries(): number {
    return this.#troubles.retries;
  }

  /** It has failed since it last took something. */
  get failing(): string | undefined {
    return this.#troubles.failing;
  }

  /** Nothing is queued or being written. */
  get idle(): boolean {
    return !this.#writing && this.#queue.length === 0;
  }

  push(item: OutboxItem): void {
    const { mostWaiting } = this.#options;
    if (item.dropped && mostWaiting !== undefined && (this.#broken || this.#queue.length >= mostWaiting)) {
      item.dropped();
      return;
    }
    this.#queue.push(item);
    if (!this.#writing && !this.#broken) void this.#drain();
  }

  /** Writes nothing more; what nobody waits for is dropped. */
  stop(): void {
    this.#broken = true;
    if (this.#options.mostWaiting !== undefined) for (const item of this.#queue.splice(0)) item.dropped?.();
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    try {
      for (let items = this.#take(); items.length > 0; items = this.#take()) await this.#deliver(items);
    } catch (error) {
      this.stop();
      this.#options.failed(error);
    } finally {
      this.#writing = false;
    }
  }

  /** The next one, and where the sink takes several at once those behind it that are small enough. */
  #take(): readonly OutboxItem[] {
    if (!this.sink.writeAll) return this.#queue.splice(0, 1);
    let bytes = 0;
    const end = this.#queue.findIndex(({ chunk }, index) => {
      bytes += chunk.bytes.length;
      return index > 0 && bytes > TOGETHER_BYTES;
    });
    return this.#queue.splice(0, end < 0 ? this.#queue.length : end);
  }

  async #deliver(items: readonly OutboxItem[]): Promise<void> {
    let positions: readonly (SinkPosition | undefined)[];
    try {
      positions = await this.#write(items.map(({ chunk }) => chunk));
    } catch (error) {
      if (this.#options.mostWaiting !== undefined) for (const item of items) item.dropped?.();
      throw error;
    }
    for (const [index, item] of items.entries()) item.delivered(positions[index]);
  }

  async #write(chunks: readonly SinkChunk[]): Promise<readonly (SinkPosition | undefined)[]> {
    const { sink, signal, retry = defaultRetry } = this.#options;
    for (let attempt = 0; ; attempt++) {
      try {
        const positions = chunks.length > 1 ? await sink.writeAll!(chunks) : [await sink.write(chunks[0]!)];
        this.#troubles.worked();
        return positions;
      } catch (error) {
        if (!(error instanceof ReefError) || !error.retry) throw error;
        // Rows of a stream cannot be refused one by one.
        if (attempt + 1 === retry.maxAttempts) throw givenUp(error, attempt + 1);
        this.#troubles.failed(error.message);
        await backoff(attempt, signal, { policy: retry, askedMs: error.retryAfterMs });
      }
    }
  }
}

function givenUp(error: ReefError, tries: number): ReefError {
  return new ReefError(error.code, `${error.message}; given up after ${tries} tries, as retry.max_attempts says`, {
    cause: error,
  });
}
