/** One connection to an HTTP server: one request at a time, its bytes written from where they stand. */
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { ReefError } from '../errors.ts';
import { type Response, ResponseReader } from './client-response.ts';

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: ConnectionOptions | undefined;
  readonly timeoutMs: number;
}

export interface Request {
  /** The whole head, up to the blank line and with it. */
  readonly head: string;
  /** May be views over shared memory: they are read until the response has come, or this has failed. */
  readonly body: readonly Uint8Array[];
  readonly timeoutMs: number;
  readonly mostBodyBytes: number;
}

/** Rejects with a `ReefError` that says in words what is wrong; all of them may pass. */
export function connect({ host, port, tls, timeoutMs }: ConnectOptions, signal: AbortSignal): Promise<Connection> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = tls
      ? process.getBuiltinModule('node:tls').connect({ host, port, ...tls })
      : process.getBuiltinModule('node:net').connect({ host, port });
    const give = (error: unknown): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
      reject(error);
    };
    const abort = (): void => give(signal.reason);
    const timer = setTimeout(
      () => give(new ReefError('io', `no connection within ${timeoutMs / 1000} s`, { retry: true })),
      timeoutMs,
    );
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', (error: NodeJS.ErrnoException) => give(failure(error)));
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.removeAllListeners('error');
      socket.setNoDelay(true);
      resolve(new Connection(socket));
    });
  });
}

interface Waiting {
  readonly reader: ResponseReader;
  readonly resolve: (response: Response) => void;
  readonly reject: (error: unknown) => void;
  written: boolean;
}

export class Connection {
  readonly #socket: Socket;
  #waiting: Waiting | undefined;
  #error: Error | undefined;
  /** Requests that it has answered. */
  answered = 0;
  /** Cannot be used any more. */
  closed = false;

  /** Use {@link connect}. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#onData(bytes));
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => this.#onClose());
    socket.on('end', () => this.#onEnd());
    socket.on('timeout', () => socket.destroy());
  }

  /** Resolves with the response. Rejects with a `ReefError` that may be retried, or with the signal's reason. */
  async send(request: Request, signal: AbortSignal): Promise<Response> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const waiting: Waiting = { reader: new ResponseReader(request.mostBodyBytes), resolve, reject, written: false };
    this.#waiting = waiting;
    const abort = (): void => this.#fail(signal.reason);
    const timer = setTimeout(
      () => this.#fail(new ReefError('io', `no answer within ${request.timeoutMs / 1000} s`, { retry: true })),
      request.timeoutMs,
    );
    signal.addEventListener('abort', abort, { once: true });
    this.#socket.setTimeout(0);
    this.#socket.ref();
    this.#socket.cork();
    this.#socket.write(request.head, 'latin1');
    for (const piece of request.body) this.#socket.write(piece);
    // Last, so that it is called when all is written.
    this.#socket.write('', () => {
      waiting.written = true;
    });
    this.#socket.uncork();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  /** Nothing of a response has come since the last `send`. */
  get silent(): boolean {
    return !this.#waiting?.reader.begun;
  }

  /** Kept for a later request, for so long; it does not keep the process alive meanwhile. */
  rest(idleMs: number): void {
    this.#socket.setTimeout(idleMs);
    this.#socket.unref();
  }

  close(): void {
    this.closed = true;
    this.#socket.destroy();
  }

  #onData(bytes: Buffer): void {
    const waiting = this.#waiting;
    if (!waiting) {
      this.close();
      return;
    }
    try {
      const response = waiting.reader.take(bytes);
      if (response) this.#answer(waiting, response);
    } catch (error) {
      this.#fail(error);
    }
  }

  #onEnd(): void {
    const waiting = this.#waiting;
    const response = waiting?.reader.end();
    if (waiting && response) this.#answer(waiting, response);
  }

  #onClose(): void {
    this.closed = true;
    this.#fail(
      this.#error ? failure(this.#error) : new ReefError('io', 'the connection was closed without an answer', { retry: true }),
    );
  }

  #answer(waiting: Waiting, response: Response): void {
    this.#waiting = undefined;
    this.answered++;
    // An answer that came before the request was out: what is left of that would be taken for the next one.
    if (!response.keepAlive || !waiting.written) this.close();
    waiting.resolve(response);
  }

  #fail(error: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.close();
    waiting?.reject(error);
  }
}

/** What a socket's error means, for people. */
function failure(error: NodeJS.ErrnoException): ReefError {
  return new ReefError('io', reason(error), { cause: error, retry: true });
}

function reason(error: NodeJS.ErrnoException): string {
  const { code, message } = error;
  switch (code) {
    case 'ECONNREFUSED':
      return 'the connection was refused: nothing listens there';
    case 'ENOTFOUND':
      return 'the name of the host is not known';
    case 'EAI_AGAIN':
      return 'the name of the host cannot be looked up now';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection was cut off';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'the host cannot be reached';
    case 'ETIMEDOUT':
      return 'the connection has timed out';
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired';
    case 'CERT_NOT_YET_VALID':
      return 'its certificate is not valid yet';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `its certificate is for another name (${message.replace(/^.*altnames: /s, '').replace(/^Host: /, '')}), expected "tls.server_name" where that is right`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return 'its certificate is signed by itself, expected one of a known authority, or its authority in "tls.ca_file"';
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'its certificate is of an authority that is not known here, expected that in "tls.ca_file"';
    default:
      return message === '' ? (code ?? 'the connection failed') : message;
  }
}
