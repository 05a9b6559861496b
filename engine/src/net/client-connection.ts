/** One connection to an HTTP server, made when it is needed: one request at a time. */
import type { Socket } from 'node:net';
import { ReefError } from '../errors.ts';
import { connectionError, isCut } from './client-error.ts';
import type { Connector, Dispatch, Handler, HttpLibrary, LibraryClient } from './client-library.ts';

const MOST_HEAD_BYTES = 64 * 1024;
/** A server that says how long it keeps a connection is taken at its word less this. */
const SPARE_MS = 1000;

export interface Response {
  readonly status: number;
  /** Of a header that came several times the values are joined by `, `. `name` in lower case. */
  header(name: string): string | undefined;
  /** At most as many bytes as were asked for; the others are read past. */
  readonly body: Buffer;
  /** All that came, also what was read past. */
  readonly bodyBytes: number;
}

export interface ConnectionSettings {
  readonly library: HttpLibrary;
  readonly origin: string;
  readonly connect: Connector;
  readonly responseTimeoutMs: number;
  readonly idleMs: number;
}

export interface Exchange extends Dispatch {
  readonly mostBodyBytes: number;
}

/** A connection that had answered before was cut off before it answered again: that says nothing about the request. */
export class StaleConnectionError extends Error {}

export class Connection {
  readonly #client: LibraryClient;
  readonly #responseTimeoutMs: number;
  #socket: Socket | undefined;
  #answered = 0;
  /** Cannot be used any more. */
  closed = false;

  constructor({ library, origin, connect, responseTimeoutMs, idleMs }: ConnectionSettings) {
    this.#responseTimeoutMs = responseTimeoutMs;
    this.#client = new library.Client(origin, {
      connect: (target, connected) =>
        connect(target, (error, socket) => {
          this.#socket = socket ?? undefined;
          this.#answered = 0;
          connected(error, socket);
        }),
      pipelining: 1,
      // The time is for all of an answer.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
      keepAliveTimeoutThreshold: SPARE_MS,
      maxHeaderSize: MOST_HEAD_BYTES,
    });
  }

  /**
   * Resolves with the response. Rejects with a `ReefError` that may be retried, a {@link StaleConnectionError}, or with the signal's
   * reason; the connection is closed then.
   */
  send(exchange: Exchange, signal: AbortSignal): Promise<Response> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      };
      const fail = (error: unknown): void => {
        end();
        this.close();
        reject(error);
      };
      const abort = (): void => fail(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      const answer = new Answer(exchange.mostBodyBytes, {
        started: () => {
          timer = setTimeout(
            () => fail(new ReefError('io', `no answer within ${this.#responseTimeoutMs / 1000} s`, { retry: true })),
            this.#responseTimeoutMs,
          );
        },
        ended: () => {
          end();
          this.#answered++;
          // An answer that came before the request was out: what is left of that would be taken for the next one.
          if (this.#socket && this.#socket.writableLength > 0) this.close();
          resolve(answer);
        },
        failed: (error) => {
          const stale = this.#answered > 0 && !answer.begun && isCut(error);
          fail(stale ? new StaleConnectionError('', { cause: error }) : connectionError(error));
        },
      });
      this.#client.dispatch(exchange, answer);
    });
  }

  close(): void {
    this.closed = true;
    this.#client.destroy(null, () => {});
  }
}

interface Outcome {
  started(): void;
  ended(): void;
  failed(error: Error): void;
}

class Answer implements Handler, Response {
  status = 0;
  bodyBytes = 0;
  /** Anything of a response was seen. */
  begun = false;
  readonly #mostBodyBytes: number;
  readonly #outcome: Outcome;
  #headers: Readonly<Record<string, string | string[] | undefined>> = {};
  #parts: Buffer[] = [];
  #keptBytes = 0;

  constructor(mostBodyBytes: number, outcome: Outcome) {
    this.#mostBodyBytes = mostBodyBytes;
    this.#outcome = outcome;
  }

  get body(): Buffer {
    const [first] = this.#parts;
    return this.#parts.length === 1 ? first! : Buffer.concat(this.#parts);
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  onRequestStart(): void {
    this.#outcome.started();
  }

  onResponseStarted(): void {
    this.begun = true;
  }

  onResponseStart(_controller: unknown, status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void {
    this.status = status;
    this.#headers = headers;
  }

  onResponseData(_controller: unknown, bytes: Buffer): void {
    this.bodyBytes += bytes.length;
    const kept = bytes.subarray(0, this.#mostBodyBytes - this.#keptBytes);
    if (kept.length === 0) return;
    this.#parts.push(kept);
    this.#keptBytes += kept.length;
  }

  onResponseEnd(): void {
    this.#outcome.ended();
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#outcome.failed(error);
  }
}
