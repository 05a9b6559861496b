/**
 * The HTTP client library, undici, by the few methods that are used of it. Its two modules are loaded by themselves: the package's
 * entry brings fetch, caches, mocks and WebSocket along, twice the memory and three times the CPU until the first request.
 */
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

/** What undici tells of one request. */
export interface Handler {
  /** The connection is there, the request is being written. */
  onRequestStart(): void;
  /** The first bytes of a response have come. */
  onResponseStarted?(): void;
  /** Names are in lower case. */
  onResponseStart(controller: unknown, status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void;
  onResponseData(controller: unknown, bytes: Buffer): void;
  onResponseEnd(): void;
  onResponseError(controller: unknown, error: Error): void;
  /** To CONNECT the answer was 2xx: the connection is ours. */
  onRequestUpgrade?(controller: unknown, status: number, headers: unknown, socket: Socket): void;
}

export interface Dispatch {
  readonly method: string;
  /** With the query; or a whole URL, for a proxy. */
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body?: Uint8Array | undefined;
}

type Connected = (error: Error | null, socket: Socket | null) => void;

export interface Target {
  readonly hostname: string;
  readonly host: string;
  readonly protocol: string;
  readonly port: string;
  readonly servername?: string;
  /** A connection to put TLS on. */
  readonly httpSocket?: Socket;
}

export type Connector = (target: Target, connected: Connected) => void;

export interface ConnectorOptions extends ConnectionOptions {
  readonly allowH2: false;
  /** Milliseconds. */
  readonly timeout: number;
  readonly socketPath?: string;
}

/** One connection, made anew when it is needed and gone. */
export interface LibraryClient {
  dispatch(request: Dispatch, handler: Handler): boolean;
  destroy(error: Error | null, done: () => void): void;
  on(event: 'connect', listener: () => void): void;
}

export interface ClientOptions {
  readonly connect: Connector;
  readonly pipelining: 1;
  /** Milliseconds; 0: they are not watched. */
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
  readonly keepAliveTimeout: number;
  readonly keepAliveMaxTimeout: number;
  readonly keepAliveTimeoutThreshold: number;
  readonly maxHeaderSize: number;
}

export interface HttpLibrary {
  readonly Client: new (origin: string, options: ClientOptions) => LibraryClient;
  readonly buildConnector: (options: ConnectorOptions) => Connector;
}

let loading: Promise<HttpLibrary> | undefined;

export function loadHttpLibrary(): Promise<HttpLibrary> {
  loading ??= load();
  return loading;
}

async function load(): Promise<HttpLibrary> {
  const [client, connect] = await Promise.all([
    // @ts-expect-error: a module without types of its own; those of the package are for its entry.
    import('undici/lib/dispatcher/client.js'),
    // @ts-expect-error: as above.
    import('undici/lib/core/connect.js'),
  ]);
  return { Client: client.default, buildConnector: connect.default };
}
