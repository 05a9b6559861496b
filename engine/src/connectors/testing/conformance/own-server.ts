import { createServer, type RequestListener } from 'node:http';
import type { Owner } from '../../../testing/owner.ts';
import { freePort } from '../../../testing/servers/free-port.ts';

export interface OwnServer {
  readonly port: number;
  readonly log: string;
  /** Cuts all connections, and listens again at the same port. */
  restart(): Promise<void>;
}

/** A small HTTP server of Node's own: HTTP has no one server that would be the real one. */
export async function startOwnServer(owner: Owner, listener: RequestListener): Promise<OwnServer> {
  const port = await freePort();
  let server = createServer(listener);
  const listen = () => new Promise<void>((resolve) => server.listen({ port, host: '127.0.0.1' }, resolve));
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  await listen();
  owner.after(close);
  return {
    port,
    log: '',
    async restart() {
      await close();
      server = createServer(listener);
      await listen();
    },
  };
}
