/** The client library, pg, by the few methods that are used of it, and COPY over its connection. */
import type { Duplex, Writable } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { ReefError } from '../../errors.ts';

export interface QueryResult {
  /** Each row is an array of values. */
  readonly rows: readonly (readonly unknown[])[];
}

export interface LibraryClient {
  connect(): Promise<void>;
  query(statement: {
    readonly text: string;
    readonly values?: readonly unknown[];
    readonly rowMode: 'array';
  }): Promise<QueryResult>;
  query(stream: Writable): Writable;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): void;
  readonly connection: { readonly stream: Duplex };
}

export interface ClientConfig {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string;
  readonly ssl: false | ConnectionOptions;
  readonly connectionTimeoutMillis: number;
  readonly statement_timeout: number;
  readonly application_name: string;
  readonly keepAlive: boolean;
}

export interface PostgresLibrary {
  readonly Client: new (config: ClientConfig) => LibraryClient;
  /** A stream that takes what COPY FROM STDIN reads. */
  copyFrom(statement: string): Writable;
}

/** Rejects with a `ReefError` that says how the library is installed. */
export async function loadLibrary(subject: string): Promise<PostgresLibrary> {
  try {
    // @ts-expect-error: modules without types of their own.
    const [pg, copy] = await Promise.all([import('pg'), import('pg-copy-streams')]);
    return { Client: pg.default.Client, copyFrom: copy.from };
  } catch (error) {
    const message = `Cannot open ${subject}: its client library is not installed, expected: npm install pg@8 pg-copy-streams@7`;
    throw new ReefError('config', message, { cause: error });
  }
}
