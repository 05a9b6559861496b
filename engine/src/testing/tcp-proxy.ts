/**
 * Stands between Reef and a server, to do what networks do: cut connections in the middle of something, take them and never answer,
 * be slow, refuse them. The server stays as it is.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Owner } from './owner.ts';
import { freePort } from './servers/free-port.ts';

export class TcpProxy {
  /** 0: it stands at a path. */
  readonly port: number;
  readonly #path: string | undefined;
  readonly #targetPort: number;
  readonly #clients = new Map<Socket, Socket>();
  #listener: Server | undefined;
  #holding = false;
  #cutAfter = { sent: Number.POSITIVE_INFINITY, received: Number.POSITIVE_INFINITY };
  #waiting: { readonly condition: () => boolean; readonly resolve: () => void }[] = [];
  /** Every piece waits so long, in both directions. */
  delayMs = 0;
  /** Connections accepted so far. */
  accepted = 0;
  /** Bytes that came from clients so far, and from the server. */
  sent = 0;
  received = 0;

  private constructor(port: number, path: string | undefined, targetPort: number) {
    this.port = port;
    this.#path = path;
    this.#targetPort = targetPort;
  }

  /** In front of a port of this machine: at a free port, or as a Unix socket. */
  static async start(owner: Owner, targetPort: number, { path }: { readonly path?: string } = {}): Promise<TcpProxy> {
    const proxy = new TcpProxy(path === undefined ? await freePort() : 0, path, targetPort);
    await proxy.accept();
    owner.after(() => proxy.refuse());
    return proxy;
  }

  get connections(): number {
    return this.#clients.size;
  }

  /** Resets every connection; new ones are served. */
  cut(): void {
    this.#cutAfter = { sent: Number.POSITIVE_INFINITY, received: Number.POSITIVE_INFINITY };
    for (const [client, server] of this.#clients) {
      // Unix sockets know no reset.
      if (this.#path === undefined) client.resetAndDestroy();
      else client.destroy();
      server.resetAndDestroy();
    }
    this.#clients.clear();
    this.#tell();
  }

  /** Cuts once clients have sent (or received) so many bytes from now on: the last piece passes only up to there. */
  cutAfter(bytes: number, direction: 'sent' | 'received' = 'sent'): void {
    this.#cutAfter[direction] = this[direction] + bytes;
  }

  /** From now on nothing passes, and new connections are accepted and never answered. */
  hold(): void {
    this.#holding = true;
    for (const [client, server] of this.#clients) {
      client.pause();
      server.pause();
    }
  }

  /** What was held goes on. */
  release(): void {
    this.#holding = false;
    for (const [client, server] of this.#clients) {
      client.resume();
      server.resume();
    }
  }

  /** Resets every connection and refuses new ones, until `accept`. */
  async refuse(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    const closed = new Promise<void>((resolve) => (listener ? listener.close(() => resolve()) : resolve()));
    this.cut();
    await closed;
  }

  async accept(): Promise<void> {
    if (this.#listener) return;
    const listener = createServer((client) => this.#join(client));
    this.#listener = listener;
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(this.#path === undefined ? { port: this.port, host: '127.0.0.1' } : { path: this.#path }, resolve);
    });
  }

  /** Resolves once `condition` holds, which is looked at whenever something happens here. */
  until(condition: (proxy: TcpProxy) => boolean): Promise<void> {
    const holds = (): boolean => condition(this);
    return holds() ? Promise.resolve() : new Promise((resolve) => this.#waiting.push({ condition: holds, resolve }));
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#targetPort, host: '127.0.0.1' });
    this.accepted++;
    this.#clients.set(client, server);
    const over = (): void => {
      client.destroy();
      server.destroy();
      this.#clients.delete(client);
      this.#tell();
    };
    client.setNoDelay(true).on('error', over).on('close', over);
    server.setNoDelay(true).on('error', over).on('close', over);
    client.on('data', (bytes: Buffer) => {
      this.#took('sent', bytes, client, server);
    });
    server.on('data', (bytes: Buffer) => {
      this.#took('received', bytes, server, client);
    });
    client.on('end', () => this.#later(() => server.end()));
    server.on('end', () => this.#later(() => client.end()));
    if (this.#holding) {
      client.pause();
      server.pause();
    }
    this.#tell();
  }

  #took(direction: 'sent' | 'received', bytes: Buffer, ...[from, to]: [Socket, Socket]): void {
    const left = this.#cutAfter[direction] - this[direction];
    this[direction] += bytes.length;
    if (bytes.length < left) this.#pass(bytes, from, to);
    else to.write(bytes.subarray(0, Math.max(0, left)), () => this.cut());
    this.#tell();
  }

  #pass(bytes: Buffer, from: Socket, to: Socket): void {
    this.#later(() => {
      if (to.destroyed || to.write(bytes)) return;
      // Back-pressure goes through: a proxy that buffers would hide it.
      from.pause();
      to.once('drain', () => {
        if (!this.#holding) from.resume();
      });
    });
  }

  #later(action: () => void): void {
    if (this.delayMs === 0) action();
    else setTimeout(action, this.delayMs);
  }

  #tell(): void {
    this.#waiting = this.#waiting.filter(({ condition, resolve }) => {
      if (!condition()) return true;
      resolve();
      return false;
    });
  }
}
