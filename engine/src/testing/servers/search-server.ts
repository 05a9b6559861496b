/**
 * OpenSearch and Elasticsearch, one node, by the runners that CodeLibs publishes: the server itself with the modules of its minimal
 * distribution, in one process.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
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
}

export async function startSearchServer(
  owner: Owner,
  { name, main, java, classPath, more = [] }: RunnerOptions,
): Promise<SearchServer> {
  const port = await portOfRunner();
  const url = `http://127.0.0.1:${port}`;
  const server = await startServer(owner, {
    name,
    ports: [],
    prepare({ folder }) {
      if (more.length === 0) return;
      const config = join(folder, 'node_1', 'config');
      mkdirSync(config, { recursive: true });
      writeFileSync(join(config, `${name}.yml`), `${more.join('\n')}\n`);
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
      '-useLogger',
    ],
    // It ends when its standard input does.
    stdin: true,
    readyMs: 180_000,
    async ready({ folder }) {
      const [health, nodes] = await Promise.all(
        ['_cluster/health', '_nodes/_local/settings'].map((path) => fetch(`${url}/${path}`)),
      );
      const { status } = (await health!.json()) as { readonly status: string };
      // Another one may have taken the port meanwhile.
      return (status === 'green' || status === 'yellow') && (await nodes!.text()).includes(folder);
    },
  });
  return Object.assign(server, {
    url,
    port,
    async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
      const init = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const response = await fetch(`${url}${path}`, { method, ...init });
      const answer = (await response.json()) as T;
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
      return answer;
    },
  });
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
