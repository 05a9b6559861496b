/** How a connection to a server comes about: directly, over a Unix socket, or by way of a proxy; with TLS or without. */
import type { Socket } from 'node:net';
import { ReefError } from '../errors.ts';
import type { Connector, ConnectorOptions, HttpLibrary, Target } from './client-library.ts';
import type { ProxyServer } from './client-proxy.ts';
import type { ClientTlsContext } from './client-tls.ts';

export interface ConnectorParts {
  readonly library: HttpLibrary;
  readonly secure: boolean;
  /** Must be there when it is secure. */
  readonly tls: ClientTlsContext | undefined;
  readonly proxy: ProxyServer | undefined;
  readonly unixSocket: string | undefined;
  readonly timeoutMs: number;
}

export function makeConnector(parts: ConnectorParts): Connector {
  const { library, secure, tls, proxy, unixSocket, timeoutMs } = parts;
  const usual = { allowH2: false, timeout: timeoutMs, ...(unixSocket === undefined ? {} : { socketPath: unixSocket }) } as const;
  const plain = library.buildConnector(usual);
  if (!secure) return plain;
  const withTls = tlsConnector(library, usual, tls!);
  return (target, connected) => {
    Promise.all([withTls(target.hostname), proxy && tunnel(parts, proxy, plain, target)]).then(
      ([connect, socket]) => connect(socket ? { ...target, httpSocket: socket } : target, connected),
      (error) => connected(error, null),
    );
  };
}

/** The connector keeps TLS sessions, so it stays as long as the certificates do. */
function tlsConnector(
  library: HttpLibrary,
  usual: ConnectorOptions,
  tls: ClientTlsContext,
): (host: string) => Promise<Connector> {
  let connector: Connector | undefined;
  let made: unknown;
  return async (host) => {
    const options = await tls.options(host);
    if (!connector || made !== options.secureContext) {
      made = options.secureContext;
      connector = library.buildConnector({ ...options, ...usual });
    }
    return connector;
  };
}

function tunnel({ library, timeoutMs }: ConnectorParts, proxy: ProxyServer, connect: Connector, target: Target): Promise<Socket> {
  const client = new library.Client(proxy.origin, {
    connect,
    pipelining: 1,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: timeoutMs,
    keepAliveMaxTimeout: timeoutMs,
    keepAliveTimeoutThreshold: 0,
    maxHeaderSize: 64 * 1024,
  });
  const way = `${target.hostname}:${target.port || 443}`;
  const headers = ['host', way, ...(proxy.authorization === undefined ? [] : ['proxy-authorization', proxy.authorization])];
  return new Promise<Socket>((resolve, reject) => {
    const refuse = (what: string): void => reject(new ReefError('io', `the proxy ${proxy.origin} ${what}`, { retry: true }));
    client.dispatch(
      { method: 'CONNECT', path: way, headers },
      {
        onRequestStart() {},
        onResponseStart: (_controller, status) => refuse(`answers ${status}`),
        onResponseData() {},
        onResponseEnd() {},
        onResponseError: (_controller, error) => refuse(`cannot be used: ${error.message}`),
        onRequestUpgrade(_controller, status, _headers, socket) {
          if (status >= 200 && status < 300) resolve(socket);
          else {
            socket.destroy();
            refuse(`answers ${status}`);
          }
        },
      },
    );
  }).finally(() => client.destroy(null, () => {}));
}
