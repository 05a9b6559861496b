/** `/metrics`, `/healthz` and `/readyz` for those who watch a process from outside. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ListenAt, listen } from '../net/listener.ts';
import { EXPOSITION_TYPE, exposition } from '../observe/exposition.ts';
import type { ProcessFacts } from '../observe/process-series.ts';
import type { Watched } from '../observe/watched.ts';

export interface MetricsEndpoint {
  readonly address: AddressInfo;
  close(): void;
}

export interface EndpointOptions {
  readonly at: ListenAt;
  /** Beside `/metrics`. */
  readonly path?: string | undefined;
  readonly facts: ProcessFacts;
  watched(): readonly Watched[];
}

/** More who ask at once are not answered: a few programs do, each every some seconds. */
const MOST_CONNECTIONS = 64;

/** Rejects with a `ReefError` when it cannot listen. */
export async function openMetricsEndpoint({ at, path, facts, watched }: EndpointOptions): Promise<MetricsEndpoint> {
  const { createServer } = process.getBuiltinModule('node:http');
  const routes: Readonly<Record<string, (response: ServerResponse) => void>> = {
    '/metrics': (response) => reply(response, 200, EXPOSITION_TYPE, exposition(watched(), facts)),
    '/healthz': (response) => reply(response, 200, 'text/plain', 'ok\n'),
    '/readyz': (response) => {
      const state = readiness(watched());
      reply(response, state.ready ? 200 : 503, 'application/json', `${JSON.stringify(state)}\n`);
    },
  };
  const all = path === undefined ? routes : { [path]: routes['/metrics']!, ...routes };
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 },
    (request, response) => {
      route(all, request, response);
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  // Who asks does not keep a batch from ending.
  server.on('connection', (socket) => socket.unref());
  const address = await listen(server, at, 'metrics');
  server.unref();
  return {
    address,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

export interface Readiness {
  readonly ready: boolean;
  readonly punchlines: readonly {
    readonly name: string;
    readonly phase: string;
    readonly unready: readonly { readonly node: string; readonly why: string }[];
  }[];
}

/** Ready: there are punchlines, rows flow in all of them, and no sink refuses them for now. */
export function readiness(watched: readonly Watched[]): Readiness {
  const punchlines = watched.map(({ name, running: { phase, unready } }) => ({ name, phase, unready }));
  const ready = punchlines.length > 0 && punchlines.every(({ phase, unready }) => phase === 'running' && unready.length === 0);
  return { ready, punchlines };
}

function route(
  routes: Readonly<Record<string, (response: ServerResponse) => void>>,
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
): void {
  const path = url.split('?', 1)[0]!;
  if (!Object.hasOwn(routes, path)) reply(response, 404, 'text/plain', `expected one of ${Object.keys(routes).join(', ')}\n`);
  else if (method !== 'GET' && method !== 'HEAD') reply(response, 405, 'text/plain', 'expected GET\n');
  else routes[path]!(response);
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), 'Cache-Control': 'no-store' });
  response.end(body);
}
