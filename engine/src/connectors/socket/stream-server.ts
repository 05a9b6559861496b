/** Listens for connections, with bounds on how many there are and how slow they may be, and ends them in order. */
import { chmod, lstat, unlink } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ReefError } from '../../errors.ts';
import { tellFailedHandshakes } from '../../net/failed-handshakes.ts';
import { boundConnections, hostAndPort, listen } from '../../net/listener.ts';
import { PeerWarnings } from '../../net/peer-warnings.ts';
import { keepTlsFresh, loadServerTls, type ServerTls } from '../../net/server-tls.ts';
import type { Log } from '../../spec/node.ts';
import { Connection, type ConnectionHost } from './connection.ts';
import type { MessageCutter } from './message-cutter.ts';

export interface StreamServerOptions {
  /** What listens: `source "in"`. */
  readonly subject: string;
  readonly folder: string;
  readonly log: Log;
  /** A TCP port, or the path of a Unix socket with its rights. */
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string; readonly mode: number };
  readonly tls: ServerTls | undefined;
  readonly maxConnections: number;
  /** 0: none. */
  readonly idleMs: number;
  /** A message that has begun must end within this time. */
  readonly messageMs: number;
  readonly handshakeMs: number;
  newCutter(): MessageCutter;
  take: ConnectionHost['take'];
}

/** After a stop, nothing comes any more from who has been silent for so long. */
const SILENT_MS = 50;
const KEEP_ALIVE_MS = 60_000;

export class StreamServer implements ConnectionHost {
  readonly #options: StreamServerOptions;
  readonly #connections = new Set<Connection>();
  readonly #warnings: PeerWarnings;
  #server: Server | undefined;
  #sweep: NodeJS.Timeout | undefined;
  /** Rows can be fed. Connections that come earlier wait. */
  readonly #open = Promise.withResolvers<void>();

  constructor(options: StreamServerOptions) {
    this.#options = options;
    this.#warnings = new PeerWarnings(options.subject, options.log);
  }

  async listen(): Promise<void> {
    const { at, tls, folder, log, subject, maxConnections, handshakeMs } = this.#options;
    const onSocket = (socket: Socket): void => this.#onSocket(socket);
    let server: Server;
    if (tls === undefined)
      server = process.getBuiltinModule('node:net').createServer({ pauseOnConnect: true, noDelay: true }, onSocket);
    else {
      const loaded = await loadServerTls(tls, folder);
      const secure = process
        .getBuiltinModule('node:tls')
        .createServer({ ...loaded.options, handshakeTimeout: handshakeMs }, onSocket);
      keepTlsFresh(secure, { tls, folder, version: loaded.version, log });
      tellFailedHandshakes(secure, tls, this.#warnings);
      server = secure;
    }
    boundConnections(server, maxConnections, this.#warnings);
    if ('path' in at) {
      await listenAtPath(server, at, subject);
      log.info(`${subject} listens on ${at.path}`);
    } else {
      const { address, port } = await listen(server, at, subject);
      log.info(`${subject} listens on ${hostAndPort(address, port)} (${tls ? 'TLS' : 'TCP'})`);
    }
    server.on('error', (error) => this.#warnings.warn(error.message));
    this.#server = server;
  }

  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  /** From now on what is read is fed. */
  start(): void {
    this.#open.resolve();
  }

  /** No new connections; reads what has arrived on the others, for as long as that may take. */
  async stop(withinMs: number): Promise<void> {
    this.#server?.close();
    const deadline = performance.now() + withinMs;
    while (this.#connections.size > 0 && performance.now() < deadline) {
      const now = performance.now();
      for (const connection of this.#connections) {
        if (now - connection.lastMs >= SILENT_MS) connection.close();
      }
      const all = Promise.all(Array.from(this.#connections, ({ done }) => done));
      await Promise.race([all, pause(SILENT_MS, undefined, { ref: false })]);
    }
    this.close();
  }

  close(): void {
    this.#server?.close();
    clearTimeout(this.#sweep);
    for (const connection of this.#connections) connection.close();
    this.#warnings.close();
  }

  take(...args: Parameters<ConnectionHost['take']>): Promise<void> | undefined {
    return this.#options.take(...args);
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
  }

  warn({ peer }: Connection, what: string): void {
    this.#warnings.warn(`the connection of ${peer} ${what}`);
  }

  #onSocket(socket: Socket): void {
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    // Nothing is sent to who sends, so its end is ours.
    void this.#open.promise.then(() => {
      if (socket.destroyed) return;
      this.#connections.add(new Connection(socket, this.#options.newCutter(), this));
      socket.resume();
      this.#watch();
    });
    socket.on('error', () => {});
  }

  /** One timer for all, while there are connections. */
  #watch(): void {
    const { idleMs, messageMs } = this.#options;
    this.#sweep ??= setTimeout(
      () => {
        this.#sweep = undefined;
        const now = performance.now();
        for (const connection of this.#connections) {
          if (connection.begun && now - (connection.begunMs ?? now) > messageMs)
            connection.close(`is closed: a message was not complete within ${messageMs / 1000} s`);
          else if (idleMs > 0 && now - connection.lastMs > idleMs)
            connection.close(`is closed: nothing has come for ${idleMs / 1000} s`);
        }
        if (this.#connections.size > 0) this.#watch();
      },
      Math.max(50, Math.min(messageMs, idleMs || messageMs) / 4),
    ).unref();
  }
}

async function listenAtPath(server: Server, { path, mode }: { path: string; mode: number }, subject: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found && !found.isSocket())
    throw new ReefError('config', `Cannot listen for ${subject} on ${path}: a file is there, expected none or an old socket`);
  // Left behind by a process that was killed; one that somebody listens on answers.
  if (found && (await answers(path)))
    throw new ReefError('io', `Cannot listen for ${subject} on ${path}: another process listens there`);
  if (found) await unlink(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new ReefError('io', `Cannot listen for ${subject} on ${path}: ${error.message}`, { cause: error }));
    });
    server.listen({ path }, resolve);
  });
  await chmod(path, mode);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = process.getBuiltinModule('node:net').connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
