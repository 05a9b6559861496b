/**
 * Standard input, whatever it is. A regular file is read straight into shared memory on the thread pool. A pipe, a socket or a
 * terminal goes through the event loop: a blocking read on the thread pool could not be interrupted, and would keep the
 * process from ending (tried).
 */
import { fstatSync, read as readCallback } from 'node:fs';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';
import { ReefError } from '../../errors.ts';
import { type Feed, type PartitionFeed, type Source, type SourceSpec, source } from '../../spec/node.ts';
import { openStreamReader, type StreamReader } from './stream-reader.ts';

/** Rows wait for a fuller batch until nothing has come for so long, */
const IDLE_MS = 2;
/** and never longer than this. */
const GATHER_MS = 20;

const spec: SourceSpec<Record<string, never>> = source({
  summary: 'Reads rows from standard input.',
  settings: {},
  codecs: ['json', 'line', 'csv'],
  delivery: 'Cannot be replayed: rows that are read but not yet delivered when the process is killed are lost with it.',
  security: 'It trusts whoever writes to it: rows are checked as those of any source, their length is bounded.',
  examples: [{ title: 'From another program', yaml: 'id: in\nkind: source\ntype: stdin\nout:\n  - id: next\n' }],
  open: () => new StandardInput(0),
});
export default spec;

export class StandardInput implements Source {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    const partition = feed.partition('stdin', { replayable: false });
    try {
      const kind = fstatSync(this.#fd);
      if (kind.isFIFO() || kind.isSocket() || isatty(this.#fd)) await this.#readStream(partition, signal);
      else await this.#readFile(partition, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ReefError) throw error;
      throw new ReefError('io', `Cannot read standard input: ${(error as Error).message}`, { cause: error });
    }
    if (!signal.aborted) await partition.end();
  }

  async close(): Promise<void> {}

  async #readFile(partition: PartitionFeed, signal: AbortSignal): Promise<void> {
    const read = promisify(readCallback) as (
      fd: number,
      room: Uint8Array,
      offset: number,
      length: number,
      position: null,
    ) => Promise<{ bytesRead: number }>;
    while (!signal.aborted) {
      const room = await partition.room();
      const { bytesRead } = await read(this.#fd, room, 0, room.length, null);
      if (bytesRead === 0) return;
      partition.advance(bytesRead);
    }
  }

  async #readStream(partition: PartitionFeed, signal: AbortSignal): Promise<void> {
    const reader = openStreamReader(this.#fd);
    const stop = (): void => reader.close();
    signal.addEventListener('abort', stop);
    try {
      await this.#pump(reader, partition);
    } finally {
      signal.removeEventListener('abort', stop);
      reader.close();
    }
  }

  async #pump(reader: StreamReader, partition: PartitionFeed): Promise<void> {
    /** When the first of the rows that wait came. */
    let since: number | undefined;
    for (;;) {
      const next = reader.next();
      if (since !== undefined && !(await settlesWithin(next, IDLE_MS))) {
        await partition.room();
        partition.advance(0, { flush: true });
        since = undefined;
      }
      const bytes = await next;
      if (bytes === undefined) return;
      const now = performance.now();
      since ??= now;
      const flush = now - since > GATHER_MS;
      for (let done = 0; done < bytes.length; ) {
        const room = await partition.room();
        const part = bytes.subarray(done, done + room.length);
        room.set(part);
        done += part.length;
        partition.advance(part.length, { flush: flush && done === bytes.length });
      }
      if (flush) since = undefined;
    }
  }
}

function settlesWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(false), milliseconds);
    promise.then(
      () => {
        clearTimeout(timer);
        resolve(true);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
