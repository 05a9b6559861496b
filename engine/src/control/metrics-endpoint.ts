/** `/metrics`, `/healthz` and `/readyz` for those who watch a process from outside. */
import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ListenAt, listen } from '../net/listener.ts';
import { type Gatekeeper, openGate } from '../net/listener-auth.ts';
import { keepTlsFresh, loadServerTls, type ServerTls } from '../net/server-tls.ts';
import { EXPOSITION_TYPE, exposition } from '../observe/exposition.ts';
import type { ProcessFacts } from '../observe/process-series.ts';
import { snapshot } from '../observe/snapshot.ts';
import type { Watched } from '../observe/watched.ts';
import type { Log } from '../spec/node.ts';

export interface MetricsEndpoint {
  readonly address: AddressInfo;
  close(): void;
}

/** What protects it; without, whoever reaches the port may read. */
export interface EndpointSecurity {
  readonly tls: ServerTls | undefined;
  /** Must come as a bearer token with all requests but those for `/healthz`. */
  readonly token: string | undefined;
  /** Files' names start there. */
  readonly folder: string;
}

export interface EndpointOptions {
  readonly at: ListenAt;
  /** Beside `/metrics`. */
  readonly path?: string | undefined;
  readonly facts: ProcessFacts;
  readonly security: EndpointSecurity;
  readonly log: Log;
  watched(): readonly Watched[];
}

/** More who ask at once are not answered: a few programs do, each every some seconds. */
const MOST_CONNECTIONS = 64;

/** Rejects with a `ReefError` when it cannot listen. */
export async function openMetricsEndpoint(endpoint: EndpointOptions): Promise<MetricsEndpoint> {
  const { at, path, facts, security, log, watched } = endpoint;
  const { token } = security;
  const routes: Readonly<Record<string, (response: ServerResponse) => void>> = {
    '/metrics': (response) => reply(response, 200, EXPOSITION_TYPE, exposition(watched(), facts)),
    '/healthz': (response) => reply(response, 200, 'text/plain', 'ok\n'),
    '/readyz': (response) => {
      const state = readiness(watched());
      reply(response, state.ready ? 200 : 503, 'application/json', `${JSON.stringify(state)}\n`);
    },
    // For `reef top URL`: what the control socket tells of each punchline.
    '/top': (response) => {
      const lines = watched().map((each) => `${JSON.stringify(snapshot(each))}\n`);
      reply(response, 200, 'application/x-ndjson', lines.join(''));
    },
  };
  const all = path === undefined ? routes : { [path]: routes['/metrics']!, ...routes };
  const gate = token === undefined ? undefined : openGate({ type: 'bearer', tokens: [token], ...NO_OTHER });
  const server = await makeServer(security, log, (request, response) => route(all, gate, request, response));
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
  // One that has come to its end asks for nothing any more.
  const going = punchlines.filter(({ phase }) => phase !== 'ended');
  const ready = going.length > 0 && going.every(({ phase, unready }) => phase === 'running' && unready.length === 0);
  return { ready, punchlines };
}

const NO_OTHER = { username: undefined, password: undefined, keys: undefined, header: '' };

async function makeServer({ tls, folder }: EndpointSecurity, log: Log, onRequest: RequestListener): Promise<Server> {
  const options: ServerOptions = { requestTimeout: 10_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 };
  if (tls === undefined) return process.getBuiltinModule('node:http').createServer(options, onRequest);
  const { options: secure, version } = await loadServerTls(tls, folder);
  const server = process
    .getBuiltinModule('node:https')
    .createServer({ ...options, ...secure, handshakeTimeout: 10_000 }, onRequest);
  keepTlsFresh(server, { tls, folder, version, log });
  return server;
}

function route(
  routes: Readonly<Record<string, (response: ServerResponse) => void>>,
  gate: Gatekeeper | undefined,
  { method, url = '', headers }: IncomingMessage,
  response: ServerResponse,
): void {
  const path = url.split('?', 1)[0]!;
  // Whether the process lives is no secret, and who asks that often cannot show anything.
  if (gate && path !== '/healthz' && !gate.admits(headers)) {
    response.setHeader('WWW-Authenticate', gate.challenge);
    reply(response, 401, 'text/plain', 'expected the token of REEF_METRICS_TOKEN\n');
  } else if (!Object.hasOwn(routes, path))
    reply(response, 404, 'text/plain', `expected one of ${Object.keys(routes).join(', ')}\n`);
  else if (method !== 'GET' && method !== 'HEAD') reply(response, 405, 'text/plain', 'expected GET\n');
  else routes[path]!(response);
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), 'Cache-Control': 'no-store' });
  response.end(body);
}
