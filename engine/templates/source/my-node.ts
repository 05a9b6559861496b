import { type Feed, feedBytes, integer, type PartitionFeed, type Source, type SourceContext, source } from '@reef/engine';

const settings = {
  count: integer('How many rows it makes.', { default: 3, min: 0, unit: 'rows' }),
};

export default source({
  summary: 'Counts.',
  settings,
  codecs: ['json'],
  delivery: 'At least once: goes on behind the last row that was delivered.',
  security: 'It reads nothing.',
  examples: [],
  columns: () => [{ name: 'n', type: 'integer' }],
  open: (context) => new Counter(context),
});

const PARTITION = 'numbers';

interface Place {
  readonly offset: number;
  readonly n: number;
}

class Counter implements Source {
  readonly #context: SourceContext<typeof settings>;
  /** Where each row ends that is not delivered yet: the engine asks for positions by the number of bytes. */
  #places: Place[] = [];

  constructor(context: SourceContext<typeof settings>) {
    this.#context = context;
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    const start = (feed.resume.get(PARTITION) as unknown as Place | undefined) ?? { offset: 0, n: 0 };
    this.#places = [start];
    const partition = feed.partition(PARTITION, { offset: start.offset, position: (offset) => ({ ...this.#placeAt(offset) }) });
    try {
      await this.#count(start, partition, signal);
      if (!signal.aborted) await partition.end();
    } catch (error) {
      // Waiting for memory ends with an error when the engine stops.
      if (!signal.aborted) throw error;
    }
  }

  /** All up to here is delivered. */
  committed(_partition: string, position: unknown): void {
    this.#places = this.#places.filter(({ offset }) => offset >= (position as Place).offset);
  }

  async close(): Promise<void> {}

  async #count(start: Place, partition: PartitionFeed, signal: AbortSignal): Promise<void> {
    let { offset, n } = start;
    while (n < this.#context.settings.count && !signal.aborted) {
      const line = Buffer.from(`{"n":${++n}}\n`);
      offset += line.length;
      this.#places.push({ offset, n });
      await feedBytes(partition, line);
    }
  }

  #placeAt(offset: number): Place {
    return this.#places.findLast((place) => place.offset <= offset)!;
  }
}
