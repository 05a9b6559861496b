/** Puts rows into a postbox, many at once; they are delivered when it says TAKEN. */
import { type Bulk, type BulkSink, bulkSink, ReefError } from '@reef/engine';
import { Postbox, type PostboxAddress, postboxSettings } from './postbox.ts';

export default bulkSink({
  summary: 'Puts rows into a postbox.',
  settings: postboxSettings,
  codecs: ['json'],
  delivery: 'At least once, in order: rows whose answer is lost are put in again.',
  security: 'It shows the password to whoever answers at the port, so use TLS (`ca_file`) where others can.',
  examples: [],
  open: ({ id, settings, folder }) => new PostboxSink({ settings, folder, subject: `sink "${id}"` }),
  async probe({ id, settings, folder, signal }) {
    (await Postbox.open('WRITE', { settings, folder, subject: `sink "${id}"`, signal })).close();
    return [`may write to the postbox at ${settings.host}:${settings.port}`];
  },
});

class PostboxSink implements BulkSink {
  readonly limits = { rows: 500, bytes: 1 << 20, timeoutMs: 5, concurrency: 1, ordered: true };
  readonly #address: Omit<PostboxAddress, 'signal'>;
  readonly #stop = new AbortController();
  #box: Postbox | undefined;

  constructor(address: Omit<PostboxAddress, 'signal'>) {
    this.#address = address;
  }

  async send({ bytes, rows }: Bulk, signal: AbortSignal): Promise<undefined> {
    const stop = (): void => this.#stop.abort();
    signal.addEventListener('abort', stop, { once: true });
    try {
      this.#box ??= await Postbox.open('WRITE', { ...this.#address, signal: this.#stop.signal });
      const answer = await this.#box.ask(`PUT ${rows}\n`, bytes);
      if (answer === `TAKEN ${rows}`) return undefined;
      throw new ReefError('io', `Cannot put rows into the postbox of ${this.#address.subject}: it answers ${answer}`, {
        retry: true,
      });
    } catch (error) {
      // Whatever is half said on this connection, the next try begins with a new one.
      this.#box?.close();
      this.#box = undefined;
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async close(): Promise<void> {
    this.#box?.close();
  }
}
