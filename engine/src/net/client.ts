/**
 * An HTTP/1.1 client: connections that are kept, bodies written from where they stand, and errors that say in words what is wrong.
 * undici speaks the protocol; who uses this does not see it.
 */
import { ReefError } from '../errors.ts';
import { Connection, type Exchange, type Response, StaleConnectionError } from './client-connection.ts';
import { makeConnector } from './client-connector.ts';
import { type Connector, type HttpLibrary, loadHttpLibrary } from './client-library.ts';
import { type ClientProxy, type ProxyServer, proxyTo } from './client-proxy.ts';
import type { ClientTlsContext } from './client-tls.ts';

export interface HttpClientOptions {
  /** Where requests go that name no target of their own. */
  readonly url: string;
  /** What asks, for messages: `send to HTTP sink "out"`. */
  readonly action: string;
  /** Must be there when the URL is https. */
  readonly tls: ClientTlsContext | undefined;
  readonly proxy?: ClientProxy | undefined;
  /** Path of the socket that the server listens at; the URL says what it is asked for. */
  readonly unixSocket?: string | undefined;
  readonly connectTimeoutMs: number;
  readonly responseTimeoutMs: number;
  /** Connections without work are closed after this time, or sooner where the server says so. */
  readonly idleMs?: number;
}

export interface HttpRequest {
  readonly method: string;
  /** Path and query, where they are not those of the URL. */
  readonly target?: string;
  /** Names and values; length, host and the like are added. */
  readonly headers: readonly (readonly [string, string])[];
  /** May be a view over shared memory: it is read until the response has come, or this has failed. */
  readonly body?: Uint8Array;
  /** Bytes of the answer's body that are kept. */
  readonly mostBodyBytes: number;
}

/** Most servers close a connection after 5 seconds or more: sooner, so that a request does not meet that. */
const IDLE_MS = 4000;

interface Way {
  readonly library: HttpLibrary;
  readonly connect: Connector;
}

export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #url: URL;
  readonly #proxy: ProxyServer | undefined;
  /** Put before each request's own. */
  readonly #headers: readonly string[];
  readonly #free: Connection[] = [];
  readonly #busy = new Set<Connection>();
  #way: Way | undefined;
  #closed = false;

  /** The URL must be one of http or https, see `urlIssue`. */
  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    this.#proxy = options.unixSocket === undefined ? proxyTo(this.#url, options.proxy) : undefined;
    this.#headers = this.#forwarded
      ? ['host', this.#url.host, ...(this.#proxy!.authorization ? ['proxy-authorization', this.#proxy!.authorization] : [])]
      : [];
  }

  get origin(): string {
    return this.#url.origin;
  }

  /** Path of the URL, without a slash at its end: what targets below it begin with. */
  get basePath(): string {
    return this.#url.pathname.replace(/\/$/, '');
  }

  /** Rejects with a `ReefError`, always one that may be retried, or with the signal's reason. */
  async request(request: HttpRequest, signal: AbortSignal): Promise<Response> {
    try {
      this.#way ??= await this.#findWay();
      return await this.#send(request, signal);
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

  /** The proxy is asked for the URL itself. Otherwise it only carries what is encrypted. */
  get #forwarded(): boolean {
    return this.#proxy !== undefined && this.#url.protocol === 'http:';
  }

  async #findWay(): Promise<Way> {
    const { tls, unixSocket, connectTimeoutMs } = this.#options;
    const library = await loadHttpLibrary();
    const connect = makeConnector({
      library,
      secure: this.#url.protocol === 'https:',
      tls,
      proxy: this.#proxy,
      unixSocket,
      timeoutMs: connectTimeoutMs,
    });
    return { library, connect };
  }

  async #send(request: HttpRequest, signal: AbortSignal): Promise<Response> {
    const exchange = this.#exchange(request);
    for (;;) {
      const connection = this.#free.pop() ?? this.#connection();
      this.#busy.add(connection);
      try {
        return await connection.send(exchange, signal);
      } catch (error) {
        if (!(error instanceof StaleConnectionError)) throw error;
      } finally {
        this.#busy.delete(connection);
        if (this.#closed) connection.close();
        else if (!connection.closed) this.#free.push(connection);
      }
    }
  }

  #connection(): Connection {
    const { responseTimeoutMs, idleMs = IDLE_MS } = this.#options;
    const origin = this.#forwarded ? this.#proxy!.origin : this.#url.origin;
    return new Connection({ ...this.#way!, origin, responseTimeoutMs, idleMs });
  }

  #exchange({ method, target, headers, body, mostBodyBytes }: HttpRequest): Exchange {
    const path = target ?? `${this.#url.pathname}${this.#url.search}`;
    const flat = [...this.#headers];
    for (const [name, value] of headers) flat.push(name, value);
    return { method, path: this.#forwarded ? `${this.#url.origin}${path}` : path, headers: flat, body, mostBodyBytes };
  }
}
