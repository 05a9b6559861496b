/**
 * OpenSearch and Elasticsearch, one node, by the runners that CodeLibs publishes: the server itself with the modules of its minimal
 * distribution, in one process.
 */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import type { Owner } from '../owner.ts';
import { type Server, startServer } from './server.ts';

export interface SearchServer extends Server<never> {
  readonly url: string;
  readonly port: number;
  /** Sends a request with a JSON body, or none, and resolves with the answer. */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>;
}

/** The runner takes no port beyond these. */
const FIRST_PORT = 9201;
const LAST_PORT = 9299;

export interface RunnerOptions {
  readonly name: 'opensearch' | 'elasticsearch';
  readonly main: string;
  readonly java: string;
  readonly classPath: string;
  /** Lines of its own configuration. */
  readonly more?: readonly string[];
  /** Files beside it, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Class names. */
  readonly plugins?: readonly string[];
  /** It speaks TLS and knows this user. */
  readonly secured?: Secured;
}

export interface Secured {
  /** PEM. */
  readonly authority: string;
  readonly user: string;
  readonly password: string;
}

export async function startSearchServer(
  owner: Owner,
  { name, main, java, classPath, more = [], files = {}, plugins = [], secured }: RunnerOptions,
): Promise<SearchServer> {
  const port = await portOfRunner();
  const url = `${secured ? 'https' : 'http'}://127.0.0.1:${port}`;
  const server = await startServer(owner, {
    name,
    ports: [],
    prepare({ folder }) {
      if (more.length === 0) return;
      const config = join(folder, 'node_1', 'config');
      for (const [file, text] of Object.entries({ ...files, [`${name}.yml`]: `${more.join('\n')}\n` })) {
        mkdirSync(dirname(join(config, file)), { recursive: true });
        writeFileSync(join(config, file), text);
      }
    },
    command: ({ folder }) => [
      java,
      '-Xms512m',
      '-Xmx512m',
      '-cp',
      classPath,
      main,
      '-basePath',
      folder,
      '-numOfNode',
      '1',
      // It adds the number of the node.
      '-baseHttpPort',
      String(port - 1),
      // Two of one name on one machine find each other, and the one does not start when the other has ended.
      '-clusterName',
      `reef-${port}`,
      ...(plugins.length > 0 ? ['-pluginTypes', plugins.join()] : []),
      '-useLogger',
    ],
    // It ends when its standard input does.
    stdin: true,
    readyMs: 180_000,
    async ready({ folder }) {
      const [health, nodes] = await Promise.all(
        ['_cluster/health', '_nodes/_local/settings'].map((path) => exchange('GET', `${url}/${path}`, { secured })),
      );
      const { status } = JSON.parse(health!.text) as { readonly status?: string };
      // Another one may have taken the port meanwhile.
      return (status === 'green' || status === 'yellow') && nodes!.text.includes(folder);
    },
  });
  return Object.assign(server, {
    url,
    port,
    async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
      const { status, text } = await exchange(method, `${url}${path}`, { body, secured });
      if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
      return JSON.parse(text) as T;
    },
  });
}

/** By hand, because `fetch` knows no authority but the system's. */
async function exchange(
  method: string,
  url: string,
  { body, secured }: { readonly body?: unknown; readonly secured: Secured | undefined },
): Promise<{ readonly status: number; readonly text: string }> {
  const request = (secured ? requestTls : requestPlain)(url, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    ...(secured && { ca: secured.authority, auth: `${secured.user}:${secured.password}` }),
  });
  request.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode!, text: await readText(response) };
}

async function portOfRunner(): Promise<number> {
  const first = FIRST_PORT + Math.floor(Math.random() * 40);
  for (let port = first; port <= LAST_PORT; port++) {
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new Error(`Cannot start a search server: none of the ports ${first} to ${LAST_PORT} is free`);
}
