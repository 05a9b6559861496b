/**
 * An HTTP/1.1 client for sinks: connections that are kept, bodies written straight from shared memory, and errors that say in words
 * what is wrong. Of our own because Node's costs three times as much CPU for a request (170 against 50 µs where this was measured),
 * which is most of what a row costs on its way through.
 */
import { ReefError } from '../errors.ts';
import { type Connection, connect } from './client-connection.ts';
import type { Response } from './client-response.ts';
import type { ClientTlsContext } from './client-tls.ts';

export interface HttpClientOptions {
  readonly url: string;
  /** What asks, for messages: `send to HTTP sink "out"`. */
  readonly action: string;
  /** Must be there when the URL is https. */
  readonly tls: ClientTlsContext | undefined;
  readonly connectTimeoutMs: number;
  readonly responseTimeoutMs: number;
  /** Connections without work are closed after this time, or sooner where the server says so. */
  readonly idleMs?: number;
}

export interface HttpRequest {
  readonly method: string;
  /** Names and values; length, host and the like are added. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: readonly Uint8Array[];
  /** Bytes of the answer's body that are kept. */
  readonly mostBodyBytes: number;
}

/** Most servers close a connection after 5 seconds or more: sooner, so that a request does not meet that. */
const IDLE_MS = 4000;

export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #url: URL;
  /** What every head begins with, behind the method. */
  readonly #target: string;
  readonly #free: Connection[] = [];
  readonly #busy = new Set<Connection>();
  #closed = false;

  /** The URL must be one of http or https, see `urlIssue`. */
  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    // `host` has the port where it is not the usual one, and brackets around an IPv6 address.
    this.#target = `${this.#url.pathname}${this.#url.search} HTTP/1.1\r\nHost: ${this.#url.host}\r\n`;
  }

  /** Rejects with a `ReefError`, always one that may be retried, or with the signal's reason. */
  async request(request: HttpRequest, signal: AbortSignal): Promise<Response> {
    try {
      const { connection, response } = await this.#send(request, signal);
      this.#rest(connection, response);
      return response;
    } catch (error) {
      if (!(error instanceof ReefError)) throw error;
      const { action } = this.#options;
      throw new ReefError('io', `Cannot ${action}: ${this.#url.origin}: ${error.message}`, { cause: error, retry: true });
    }
  }

  close(): void {
    this.#closed = true;
    for (const connection of [...this.#free, ...this.#busy]) connection.close();
  }

  async #send(request: HttpRequest, signal: AbortSignal): Promise<{ connection: Connection; response: Response }> {
    const whole = {
      head: this.#head(request),
      body: request.body,
      timeoutMs: this.#options.responseTimeoutMs,
      mostBodyBytes: request.mostBodyBytes,
    };
    for (;;) {
      const kept = this.#takeFree();
      const connection = kept ?? (await this.#connect(signal));
      this.#busy.add(connection);
      try {
        return { connection, response: await connection.send(whole, signal) };
      } catch (error) {
        // A connection that was kept may have been closed by the server just now: that says nothing about this request.
        if (kept && isCut(error) && !this.#closed && !signal.aborted) continue;
        throw error;
      } finally {
        this.#busy.delete(connection);
      }
    }
  }

  #takeFree(): Connection | undefined {
    for (let connection = this.#free.pop(); connection; connection = this.#free.pop()) if (!connection.closed) return connection;
    return undefined;
  }

  async #connect(signal: AbortSignal): Promise<Connection> {
    const { tls, connectTimeoutMs } = this.#options;
    const secure = this.#url.protocol === 'https:';
    const host = this.#url.hostname.replace(/^\[(.*)\]$/, '$1');
    const port = Number(this.#url.port) || (secure ? 443 : 80);
    return connect({ host, port, tls: secure ? await tls!.options(host) : undefined, timeoutMs: connectTimeoutMs }, signal);
  }

  #rest(connection: Connection, { headers }: Response): void {
    if (connection.closed) return;
    if (this.#closed) {
      connection.close();
      return;
    }
    const asked = /timeout=(\d+)/.exec(headers.get('keep-alive') ?? '')?.[1];
    const idleMs = Math.min(
      this.#options.idleMs ?? IDLE_MS,
      asked === undefined ? Number.POSITIVE_INFINITY : Number(asked) * 1000 - 1000,
    );
    if (idleMs <= 0) {
      connection.close();
      return;
    }
    connection.rest(idleMs);
    this.#free.push(connection);
  }

  #head({ method, headers, body }: HttpRequest): string {
    let length = 0;
    for (const piece of body) length += piece.length;
    let head = `${method} ${this.#target}`;
    for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
    return `${head}Content-Length: ${length}\r\n\r\n`;
  }
}

/** Closed or cut off, as opposed to slow, or answered with nonsense. */
function isCut(error: unknown): boolean {
  return error instanceof ReefError && /^the connection was (closed|cut off)/.test(error.message);
}

/** What is wrong with the URL of a server, to be read after the name of the setting; `undefined`: nothing. */
export function urlIssue(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return `is "${text}", expected a URL such as https://host:8080/path`;
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `is "${text}", expected http:// or https://`;
  if (url.username !== '' || url.password !== '') return 'holds a user name or password, expected them in "auth"';
  if (url.hash !== '') return `is "${text}": what follows "#" is never sent, expected a URL without it`;
  return undefined;
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What is wrong with a header that is to be sent, to be read after its name; `undefined`: nothing. */
export function headerIssue(name: string, value: string): string | undefined {
  if (!token.test(name)) return 'is no name of a header, expected letters, digits and "-"';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be sent.
  if (/[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/.test(value))
    return 'holds characters that a header cannot, expected Latin-1 in one line';
  if (/^(content-length|transfer-encoding|host|connection)$/i.test(name))
    return 'is set by the client itself, expected another header';
  return undefined;
}
