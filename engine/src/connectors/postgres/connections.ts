import type { Writable } from 'node:stream';
import { ReefError } from '../../errors.ts';
import type { ClientTlsContext } from '../../net/client-tls.ts';
import type { ClientConfig, LibraryClient, PostgresLibrary, QueryResult } from './client.ts';
import type { PostgresSettings } from './settings.ts';

/** A connection that does one thing at a time. */
export interface Connection {
  readonly client: LibraryClient;
  query(text: string, values: readonly unknown[]): Promise<QueryResult>;
  copy(statement: string, bytes: Uint8Array): Promise<void>;
}

export interface ConnectionsOptions {
  readonly library: PostgresLibrary;
  readonly settings: PostgresSettings;
  readonly tls: ClientTlsContext | undefined;
}

/** The connections of a sink: made when they are needed, used again, thrown away when anything but a row went wrong on them. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #idle = new Set<OpenConnection>();
  readonly #all = new Set<OpenConnection>();
  #closed = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** Runs `use` with a connection. `keep` says of an error whether the connection is still good. */
  async with<T>(use: (connection: Connection) => Promise<T>, signal: AbortSignal, keep: (error: Error) => boolean): Promise<T> {
    const connection = this.#takeIdle() ?? (await this.#connect(signal));
    const cut = (): void => connection.destroy();
    signal.addEventListener('abort', cut, { once: true });
    try {
      signal.throwIfAborted();
      const result = await use(connection);
      this.#release(connection);
      return result;
    } catch (error) {
      if (keep(error as Error)) this.#release(connection);
      else this.#drop(connection);
      throw error;
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(Array.from(this.#all, (connection) => connection.end()));
    this.#all.clear();
  }

  #takeIdle(): OpenConnection | undefined {
    for (const connection of this.#idle) {
      this.#idle.delete(connection);
      if (!connection.broken) return connection;
      this.#drop(connection);
    }
    return undefined;
  }

  #release(connection: OpenConnection): void {
    if (this.#closed || connection.broken) this.#drop(connection);
    else this.#idle.add(connection);
  }

  #drop(connection: OpenConnection): void {
    this.#all.delete(connection);
    this.#idle.delete(connection);
    connection.destroy();
  }

  async #connect(signal: AbortSignal): Promise<OpenConnection> {
    const { library, settings, tls } = this.#options;
    const { host, port, database, user, password, connect_timeout_secs, statement_timeout_secs } = settings;
    const config: ClientConfig = {
      host,
      port,
      database,
      user,
      ...(password === undefined ? {} : { password }),
      // The protocol's own name, not that of HTTP.
      ssl: tls === undefined ? false : { ...(await tls.options(host)), ALPNProtocols: ['postgresql'] },
      connectionTimeoutMillis: connect_timeout_secs * 1000,
      statement_timeout: Math.ceil(statement_timeout_secs * 1000),
      application_name: 'reef',
      keepAlive: true,
    };
    const connection = new OpenConnection(library, config);
    this.#all.add(connection);
    const cut = (): void => connection.destroy();
    signal.addEventListener('abort', cut, { once: true });
    try {
      await connection.client.connect();
      return connection;
    } catch (error) {
      this.#drop(connection);
      throw error;
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }
}

/** The server ends a statement that takes too long; one that does not answer at all is given so much longer. */
const GRACE_MS = 2000;

class OpenConnection implements Connection {
  readonly client: LibraryClient;
  readonly #library: PostgresLibrary;
  readonly #timeoutMs: number;
  broken = false;

  constructor(library: PostgresLibrary, config: ClientConfig) {
    this.#library = library;
    this.#timeoutMs = config.statement_timeout + GRACE_MS;
    this.client = new library.Client(config);
    // Also while nothing is asked: a server that shuts down says so.
    this.client.on('error', () => {
      this.broken = true;
    });
  }

  query(text: string, values: readonly unknown[]): Promise<QueryResult> {
    return this.#inTime(this.client.query({ text, values, rowMode: 'array' }));
  }

  copy(statement: string, bytes: Uint8Array): Promise<void> {
    const stream: Writable = this.client.query(this.#library.copyFrom(statement));
    return this.#inTime(
      new Promise((resolve, reject) => {
        stream.once('finish', resolve);
        stream.once('error', reject);
        stream.end(bytes);
      }),
    );
  }

  destroy(): void {
    this.broken = true;
    this.client.connection.stream.destroy();
  }

  async end(): Promise<void> {
    if (this.broken) return this.destroy();
    const timer = setTimeout(() => this.destroy(), GRACE_MS);
    await this.client.end().catch(() => {});
    clearTimeout(timer);
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new ReefError('io', `the server has not answered in ${this.#timeoutMs / 1000} s`, { retry: true }));
      this.destroy();
    }, this.#timeoutMs);
    work.catch(() => {});
    try {
      return await Promise.race([work, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
