/**
 * The client side of a small made-up protocol, shared by postbox-source.ts and postbox-sink.ts: lines over TCP or TLS. A client says
 * READ or WRITE and the password, and is answered OK or DENIED.
 */
import { readFileSync } from 'node:fs';
import { connect as connectPlain, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { integer, number, ReefError, type Settings, secret, text } from '@reef/engine';

export const postboxSettings = {
  host: text('Where the postbox is.', { default: '127.0.0.1' }),
  port: integer('Its port.', { min: 1, max: 65_535 }),
  password: secret('What it wants to hear.', { default: '' }),
  ca_file: text('Speaks TLS, and trusts this authority (PEM).', { optional: true }),
  timeout_secs: number('An answer must be there within this time.', { default: 10, min: 0.1, unit: 'seconds' }),
};

export interface PostboxAddress {
  readonly settings: Settings<typeof postboxSettings>;
  readonly folder: string;
  /** For messages: `source "in"`. */
  readonly subject: string;
  readonly signal: AbortSignal;
}

export class Postbox {
  readonly lines: AsyncGenerator<Buffer, undefined>;
  readonly #socket: Socket;
  readonly #address: PostboxAddress;

  private constructor(socket: Socket, address: PostboxAddress) {
    this.#socket = socket;
    this.#address = address;
    this.lines = linesOf(socket);
    const stop = () => socket.destroy(new Error('it is being stopped'));
    address.signal.addEventListener('abort', stop, { once: true });
    socket.once('close', () => address.signal.removeEventListener('abort', stop));
    socket.on('error', () => {});
  }

  static async open(word: 'READ' | 'WRITE', address: PostboxAddress): Promise<Postbox> {
    const { host, port, password, ca_file } = address.settings;
    const tls = ca_file === undefined ? undefined : { ca: readFileSync(resolve(address.folder, ca_file)), servername: host };
    const box = new Postbox(tls ? connectTls({ host, port, ...tls }) : connectPlain({ host, port }), address);
    const answer = await box.ask(`${word} ${password}\n`);
    if (answer === 'OK') return box;
    box.close();
    throw new ReefError('config', `Cannot open ${address.subject}: the postbox answers ${answer}, expected the right password`);
  }

  /** Sends a question and resolves with the line that answers it. Every failure is one that may pass. */
  async ask(question: string, bytes?: Uint8Array): Promise<string> {
    const { subject, settings } = this.#address;
    const late = () => this.#socket.destroy(new Error(`there is no answer within ${settings.timeout_secs} s`));
    this.#socket.setTimeout(settings.timeout_secs * 1000, late);
    try {
      this.send(question);
      if (bytes) this.#socket.write(bytes);
      const { value } = await this.lines.next();
      if (value === undefined) throw new Error('it has closed the connection');
      return String(value);
    } catch (error) {
      this.close();
      throw new ReefError('io', `Cannot reach the postbox of ${subject}: ${(error as Error).message}`, {
        cause: error,
        retry: true,
      });
    } finally {
      this.#socket.setTimeout(0);
    }
  }

  send(text: string): void {
    this.#socket.write(text);
  }

  close(): void {
    this.#socket.destroy();
  }
}

export async function* linesOf(socket: Socket): AsyncGenerator<Buffer, undefined> {
  let begun: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...begun, chunk.subarray(from, end)]);
      begun = [];
      from = end + 1;
    }
    if (from < chunk.length) begun.push(chunk.subarray(from));
  }
}
