/** The source that stands for every source of a punchline under test: feeds a file, and goes on where a checkpoint says. */
import { readFile } from 'node:fs/promises';
import type { Feed } from '../../spec/feed.ts';
import { feedBytes } from '../../spec/feed-bytes.ts';
import { flag, integer, text } from '../../spec/fields.ts';
import { type Source, type SourceContext, source } from '../../spec/source.ts';

const PARTITION = 'input';
const NEWLINE = 10;

const settings = {
  path: text('The file that holds the bytes.'),
  batch_rows: integer('Rows that go to a worker at once. 0: as many as fit.', { min: 0 }),
  table: text('The only table that they go to.', { optional: true }),
  paced: flag('The next batch waits until the one before is delivered and in the checkpoint.'),
};

export default source({
  summary: 'Feeds the rows of a test.',
  settings,
  codecs: ['json'],
  delivery: 'At least once: goes on at the byte that the checkpoint names.',
  examples: [],
  open: (context) => new RowsSource(context),
});

class RowsSource implements Source {
  readonly #context: SourceContext<typeof settings>;

  constructor(context: SourceContext<typeof settings>) {
    this.#context = context;
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    const { path, batch_rows, paced, table } = this.#context.settings;
    const bytes = await this.#read(path);
    let at = (feed.resume.get(PARTITION) as number | undefined) ?? 0;
    const partition = feed.partition(PARTITION, { offset: at, ...(table === undefined ? {} : { table }) });
    try {
      while (at < bytes.length && !signal.aborted) {
        const end = endOf(bytes, at, batch_rows);
        await feedBytes(partition, bytes.subarray(at, end), { flush: batch_rows > 0 });
        at = end;
        if (paced && at < bytes.length) await orAborted(partition.delivered(), signal);
      }
      if (!signal.aborted) await partition.end();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async close(): Promise<void> {}

  /** As the source does that it stands for: documents come to the engine as lines. */
  async #read(path: string): Promise<Uint8Array> {
    const { codec } = this.#context;
    const bytes = await readFile(path);
    if (codec.name !== 'json' || codec.form !== 'document') return bytes;
    const { documentLines } = await import('../../codecs/json-document.ts');
    const pieces: Buffer[] = [];
    for await (const piece of documentLines([bytes], 'the input')) pieces.push(Buffer.from(piece));
    return Buffer.concat(pieces);
  }
}

function endOf(bytes: Uint8Array, from: number, rows: number): number {
  if (rows === 0) return bytes.length;
  let at = from;
  for (let left = rows; left > 0; left--) {
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline < 0) return bytes.length;
    at = newline + 1;
  }
  return at;
}

function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    promise.then(resolve, reject);
  });
}
