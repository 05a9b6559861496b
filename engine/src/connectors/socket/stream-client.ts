/**
 * A connection that bytes are written to, made again when it is cut. Nobody says what has arrived: what was written shortly before a
 * cut is written again on the next connection.
 */
import type { Socket } from 'node:net';
import { ReefError } from '../../errors.ts';
import { connectionError } from '../../net/client-error.ts';
import { type ClientTlsContext, openClientTls } from '../../net/client-tls.ts';
import { hostAndPort } from '../../net/listener.ts';
import type { Log } from '../../spec/node.ts';
import type { ConnectSettings } from './connect-settings.ts';

export interface StreamClientOptions {
  readonly id: string;
  readonly settings: ConnectSettings;
  readonly folder: string;
  /** Of a Unix socket. */
  readonly path: string | undefined;
  readonly log: Log;
}

/** At the end the other side has so long to take what it was sent. */
const CLOSE_MS = 2000;
const KEEP_ALIVE_MS = 30_000;

export class StreamClient {
  readonly #options: StreamClientOptions;
  readonly #tls: ClientTlsContext | undefined;
  /** What it is connected to, for messages. */
  readonly where: string;
  #socket: Socket | undefined;
  /** What was written last, and when. */
  #recent: { readonly bytes: Buffer; readonly ms: number }[] = [];
  #recentBytes = 0;
  /** The last connection was cut: the next one begins with what was written last. */
  #cut = false;

  private constructor(options: StreamClientOptions, tls: ClientTlsContext | undefined) {
    this.#options = options;
    this.#tls = tls;
    const { host, port = 0 } = options.settings;
    this.where = options.path ?? hostAndPort(host, port);
  }

  static async open(options: StreamClientOptions): Promise<StreamClient> {
    const { id, settings, folder, log } = options;
    const tls = settings.tls && (await openClientTls(settings.tls, folder, `sink "${id}"`, log));
    return new StreamClient(options, tls);
  }

  /** Resolves when the system has the bytes, whole messages. Rejects with a `ReefError`: then none of them count as sent. */
  async send(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const socket = this.#socket ?? (await this.#connect(signal));
    if (this.#cut) {
      await this.#write(socket, Buffer.concat(this.#recent.map((sent) => sent.bytes)), signal);
      this.#cut = false;
    }
    await this.#write(socket, bytes, signal);
    this.#remember(bytes);
  }

  /** Lets go of the connection once the other side has closed it as well, or has had time enough. */
  async close(): Promise<void> {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = undefined;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.end();
    const timer = setTimeout(() => socket.destroy(), CLOSE_MS);
    await closed;
    clearTimeout(timer);
  }

  async #connect(signal: AbortSignal): Promise<Socket> {
    const { settings, path } = this.#options;
    const { host, port = 0, connect_timeout_secs } = settings;
    const { ALPNProtocols: _, ...secure } = (await this.#tls?.options(host)) ?? {};
    signal.throwIfAborted();
    const socket = this.#tls
      ? process.getBuiltinModule('node:tls').connect({ host, port, ...secure })
      : process.getBuiltinModule('node:net').connect(path === undefined ? { host, port } : { path });
    try {
      await connected(socket, this.#tls !== undefined, connect_timeout_secs * 1000, signal);
    } catch (error) {
      socket.destroy();
      if (signal.aborted) throw signal.reason;
      throw this.#failure(error as Error);
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    // What it answers is of no interest; its end is.
    socket.resume();
    socket.on('error', () => {});
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#forgetOld();
      this.#cut = this.#recent.length > 0;
    });
    this.#socket = socket;
    return socket;
  }

  #write(socket: Socket, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    if (bytes.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        socket.destroy();
        reject(signal.reason);
      };
      const gone = (): void => done(new ReefError('io', 'the connection was cut off', { retry: true }));
      const done = (error?: Error | null): void => {
        signal.removeEventListener('abort', abort);
        socket.off('close', gone);
        if (!error) resolve();
        else {
          socket.destroy();
          reject(this.#failure(error));
        }
      };
      signal.addEventListener('abort', abort, { once: true });
      socket.once('close', gone);
      socket.write(bytes, done);
    });
  }

  #remember(bytes: Uint8Array): void {
    const { resend_bytes } = this.#options.settings;
    if (bytes.length > resend_bytes) {
      this.#recent = [];
      this.#recentBytes = 0;
      if (resend_bytes === 0) return;
    }
    this.#recent.push({ bytes: Buffer.from(bytes), ms: performance.now() });
    this.#recentBytes += bytes.length;
    while (this.#recentBytes > resend_bytes && this.#recent.length > 1) this.#recentBytes -= this.#recent.shift()!.bytes.length;
  }

  /** As of the cut: however long the other side is away, these are what may not have arrived. */
  #forgetOld(): void {
    const since = performance.now() - this.#options.settings.resend_secs * 1000;
    this.#recent = this.#recent.filter(({ ms }) => ms >= since);
    this.#recentBytes = this.#recent.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  #failure(error: Error): ReefError {
    const { message } = connectionError(error);
    return new ReefError('io', `Cannot send rows of sink "${this.#options.id}" to ${this.where}: ${message}`, {
      cause: error,
      retry: true,
    });
  }
}

function connected(socket: Socket, secure: boolean, timeoutMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(new Error(`no connection within ${timeoutMs / 1000} s`)), timeoutMs);
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.off('error', settle);
      if (error) reject(error);
      else resolve();
    };
    const abort = (): void => settle(new Error('all ends'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', settle);
    socket.once(secure ? 'secureConnect' : 'connect', () => settle());
  });
}
