import { ReefError } from '../../errors.ts';
import type { Feed, PartitionFeed } from '../../spec/feed.ts';
import { choice, type Field } from '../../spec/fields.ts';
import { RecordWriter } from '../../spec/record-writer.ts';
import { type Source, type SourceSpec, source } from '../../spec/source.ts';
import { type CompressionWord, compressionByContent, compressionWords } from '../file/compression.ts';
import { type Passage, passageWord, passThrough } from '../file/read-through.ts';
import { feedWhole } from '../file/whole-row.ts';
import { type Input, openInput, readMark } from './input.ts';

/** Rows wait for a fuller batch until nothing has come for so long, */
const IDLE_MS = 2;
/** and never longer than this. */
const GATHER_MS = 20;

const settings = {
  compression: choice(
    compressionWords,
    'How the input is compressed. `auto`: with gzip or zstd where its first bytes say so, else not. Parts one behind the other are read as one, and what stands before the place where the input is cut off or damaged is delivered before the run fails.',
    { default: 'auto' },
  ),
} satisfies { readonly compression: Field<CompressionWord> };

const spec: SourceSpec<typeof settings> = source({
  summary: 'Reads rows from standard input.',
  settings,
  codecs: ['json', 'line', 'csv', 'raw'],
  documents: true,
  delivery: 'Cannot be replayed: rows that are read but not yet delivered when the process is killed are lost with it.',
  security:
    'It trusts whoever writes to it: rows are checked as those of any source, their length is bounded; how much comes out of compressed input is not.',
  examples: [
    { title: 'From another program', yaml: 'id: in\nkind: source\ntype: stdin\nout:\n  - id: next\n' },
    {
      title: 'A JSON array, compressed or not',
      yaml: 'id: in\nkind: source\ntype: stdin\nsettings:\n  encoding: {codec: json, form: document}\nout:\n  - id: next\n',
    },
  ],
  open: ({ codec, settings: { compression } }) =>
    new StandardInput(0, {
      compression,
      document: codec.name === 'json' && codec.form === 'document',
      raw: codec.name === 'raw',
    }),
});
export default spec;

interface StandardInputOptions {
  readonly compression: CompressionWord;
  readonly document: boolean;
  /** All of it is one row, once it has ended. */
  readonly raw: boolean;
}

export class StandardInput implements Source {
  readonly #fd: number;
  readonly #options: StandardInputOptions;

  constructor(fd: number, options: StandardInputOptions) {
    this.#fd = fd;
    this.#options = options;
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    const options = { replayable: false };
    const writer = this.#options.raw
      ? new RecordWriter(feed, 'stdin', { ...options, records: { columns: [], rows: 'one' }, raw: true })
      : undefined;
    const partition = writer?.partition ?? feed.partition('stdin', options);
    let input: Input | undefined;
    const stop = (): void => input?.close();
    try {
      input = openInput(this.#fd);
      signal.addEventListener('abort', stop);
      if (writer) await this.#readWhole(input, writer, signal);
      else await this.#read(input, partition, signal);
    } catch (error) {
      if (signal.aborted) return;
      await deliverWhole(partition);
      if (error instanceof ReefError) throw error;
      throw new ReefError('io', `Cannot read standard input: ${(error as Error).message}`, { cause: error });
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
    }
    if (!signal.aborted) await partition.end();
  }

  async close(): Promise<void> {}

  async #readWhole(input: Input, writer: RecordWriter, signal: AbortSignal): Promise<void> {
    const mark = await readMark(input);
    const passage: Passage = { ...this.#options, compression: this.#compressionOf(mark) };
    await feedWhole(writer, untilStopped(passThrough(of(mark, input), 'standard input', passage), signal));
  }

  #compressionOf(mark: Uint8Array): Passage['compression'] {
    const { compression: word } = this.#options;
    return word === 'auto' ? compressionByContent(mark) : word === 'none' ? undefined : word;
  }

  async #read(input: Input, partition: PartitionFeed, signal: AbortSignal): Promise<void> {
    const { document } = this.#options;
    const mark = await readMark(input);
    const passage: Passage = { compression: this.#compressionOf(mark), document };
    const { readInto } = input;
    if (passageWord(passage) === undefined && readInto) {
      await pump(passThrough(of(mark), 'standard input', passage), partition);
      await fill(readInto, partition, signal);
      return;
    }
    await pump(passThrough(of(mark, input), 'standard input', passage), partition);
  }
}

/** The first bytes, and what follows. */
async function* of(mark: Uint8Array, input?: Input): AsyncGenerator<Uint8Array> {
  if (mark.length > 0) yield mark;
  if (!input) return;
  for (let piece = await input.next(); piece !== undefined; piece = await input.next()) yield piece;
}

/** What ends because all is to stop is no whole. */
async function* untilStopped(pieces: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* pieces;
  signal.throwIfAborted();
}

/** Straight into shared memory. */
async function fill(readInto: NonNullable<Input['readInto']>, partition: PartitionFeed, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const length = await readInto(await partition.room());
    if (length === 0) return;
    partition.advance(length);
  }
}

async function pump(pieces: AsyncIterable<Uint8Array>, partition: PartitionFeed): Promise<void> {
  const iterator = pieces[Symbol.asyncIterator]();
  /** When the first of the rows that wait came. */
  let since: number | undefined;
  for (;;) {
    const next = iterator.next();
    if (since !== undefined && !(await settlesWithin(next, IDLE_MS))) {
      await partition.room();
      partition.advance(0, { flush: true });
      since = undefined;
    }
    const { done: ended, value: bytes } = await next;
    if (ended) return;
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

/** What came as whole rows before the input failed stays. */
async function deliverWhole(partition: PartitionFeed): Promise<void> {
  try {
    await partition.room();
    partition.advance(0, { flush: true });
    await partition.delivered();
  } catch {
    // What cannot be delivered is no news: the run fails for what the input has.
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
