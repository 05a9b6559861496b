/** Sends datagrams. Nobody says whether they arrive; what cannot be sent for its size is refused. */
import type { Socket } from 'node:dgram';
import { ReefError } from '../../errors.ts';
import { connectionError } from '../../net/client-error.ts';
import { hostAndPort } from '../../net/listener.ts';
import type { RefusedRow, Undelivered } from '../../spec/bulk-sink.ts';
import type { Log } from '../../spec/node.ts';
import type { ConnectSettings } from './connect-settings.ts';

export interface DatagramClientOptions {
  readonly id: string;
  readonly settings: ConnectSettings;
  readonly log: Log;
}

export class DatagramClient {
  readonly #options: DatagramClientOptions;
  #socket: Socket | undefined;
  #warned = false;

  constructor(options: DatagramClientOptions) {
    this.#options = options;
  }

  /** One datagram for each message, in order. */
  async send(messages: readonly Uint8Array[]): Promise<Undelivered | undefined> {
    const { max_datagram_bytes } = this.#options.settings;
    this.#socket ??= await this.#connect();
    const socket = this.#socket;
    const refused: RefusedRow[] = [];
    const refuse = (row: number, length: number, bound: string): void => {
      refused.push({ row, reason: `the datagram would have ${length} bytes, ${bound}` });
    };
    for (const [row, message] of messages.entries()) {
      const { length } = message;
      if (length > max_datagram_bytes) {
        refuse(row, length, `at most ${max_datagram_bytes} are allowed (max_datagram_bytes)`);
        continue;
      }
      const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => socket.send(message, resolve));
      if (error?.code === 'EMSGSIZE') refuse(row, length, 'more than the network takes');
      // Nobody listened when an earlier one came: that says nothing of this one.
      else if (error && error.code !== 'ECONNREFUSED') throw this.#failure(error);
    }
    return refused.length === 0 ? undefined : { refused };
  }

  close(): void {
    this.#socket?.close();
  }

  async #connect(): Promise<Socket> {
    const { host, port = 0 } = this.#options.settings;
    const { address, family } = await process
      .getBuiltinModule('node:dns')
      .promises.lookup(host)
      .catch((error: Error) => {
        throw this.#failure(error);
      });
    const socket = process.getBuiltinModule('node:dgram').createSocket(family === 6 ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => reject(this.#failure(error)));
      socket.connect(port, address, () => resolve());
    });
    socket.removeAllListeners('error');
    socket.on('error', (error) => {
      if (!this.#warned) this.#options.log.warn(this.#failure(error).message);
      this.#warned = true;
    });
    return socket;
  }

  #failure(error: Error): ReefError {
    const { id, settings } = this.#options;
    const where = `${hostAndPort(settings.host, settings.port ?? 0)} (UDP)`;
    const { message } = connectionError(error);
    return new ReefError('io', `Cannot send rows of sink "${id}" to ${where}: ${message}`, { cause: error, retry: true });
  }
}
