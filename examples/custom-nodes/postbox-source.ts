/** Takes rows out of a postbox, which throws a row away when it hears ACK: so that is said when every required sink has the row. */
import { type Feed, feedBytes, ReefError, type Source, source } from '@reef/engine';
import { Postbox, type PostboxAddress, postboxSettings } from './postbox.ts';

export default source({
  summary: 'Takes rows out of a postbox.',
  settings: postboxSettings,
  codecs: ['json'],
  delivery:
    'At least once: the postbox keeps a row until every required sink has it, and gives it again after a lost connection.',
  security: 'It shows the password to whoever answers at the port, so use TLS (`ca_file`) where others can.',
  examples: [],
  open: ({ id, settings, folder }) => new PostboxSource({ settings, folder, subject: `source "${id}"` }),
  async probe({ id, settings, folder, signal }) {
    (await Postbox.open('READ', { settings, folder, subject: `source "${id}"`, signal })).close();
    return [`may read the postbox at ${settings.host}:${settings.port}`];
  },
});

class PostboxSource implements Source {
  readonly #address: Omit<PostboxAddress, 'signal'>;
  /** Rows that were fed and not yet acknowledged: where they end in the partition, and how the postbox calls them. */
  readonly #open: { readonly end: number; readonly name: string }[] = [];
  #fed = 0;
  #box: Postbox | undefined;

  constructor(address: Omit<PostboxAddress, 'signal'>) {
    this.#address = address;
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    try {
      await this.#take(feed, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ReefError) throw error;
      const reason = `Cannot read the postbox of ${this.#address.subject}: ${(error as Error).message}`;
      throw new ReefError('io', reason, { cause: error, retry: true });
    } finally {
      // What is still on its way is acknowledged in `close`, or given again.
      if (!signal.aborted) this.#box?.close();
    }
  }

  async #take(feed: Feed, signal: AbortSignal): Promise<void> {
    this.#box?.close();
    const box = await Postbox.open('READ', { ...this.#address, signal: new AbortController().signal });
    this.#box = box;
    // Rows cannot be read again by position: the postbox itself remembers which are open.
    const partition = feed.partition('postbox', {
      replayable: false,
      offset: this.#fed,
      settled: ({ end }) => this.#settled(end),
    });
    const stopped = new Promise<undefined>((resolve) =>
      signal.addEventListener('abort', () => resolve(undefined), { once: true }),
    );
    while (!signal.aborted) {
      const next = await Promise.race([box.lines.next(), stopped]);
      if (next === undefined) return;
      if (next.done) throw new Error('it has closed the connection');
      const space = next.value.indexOf(' ');
      const row = Buffer.concat([next.value.subarray(space + 1), Buffer.from('\n')]);
      this.#fed += row.length;
      this.#open.push({ end: this.#fed, name: next.value.toString('latin1', 0, space) });
      await feedBytes(partition, row, { flush: true });
    }
  }

  #settled(end: number): void {
    let count = 0;
    while (count < this.#open.length && this.#open[count]!.end <= end) count++;
    for (const { name } of this.#open.splice(0, count)) this.#box?.send(`ACK ${name}\n`);
  }

  async close(): Promise<void> {
    this.#box?.close();
  }
}
