/** The postbox itself, for tests: keeps rows that were put in, and those to be taken out until they are acknowledged. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { linesOf } from './postbox.ts';

export const PASSWORD = 'open sesame';

export class PostboxServer {
  /** Rows that were put in. */
  readonly taken: unknown[] = [];
  /** Rows to be taken out, by name; gone once they are acknowledged. */
  readonly waiting = new Map<number, string>();
  acknowledged = 0;
  readonly port: number;
  readonly log = '';
  readonly #sockets = new Set<Socket>();
  readonly #readers = new Set<(name: number, row: string) => void>();
  #server: Server | undefined;
  #names = 0;

  private constructor(port: number) {
    this.port = port;
  }

  /** `owner` ends it. */
  static async start(owner: { after(fn: () => Promise<void>): void }, port: number): Promise<PostboxServer> {
    const server = new PostboxServer(port);
    await server.#listen();
    owner.after(() => server.#end());
    return server;
  }

  offer(rows: readonly object[]): void {
    for (const row of rows) {
      const name = this.#names++;
      const line = JSON.stringify(row);
      this.waiting.set(name, line);
      for (const give of this.#readers) give(name, line);
    }
  }

  async restart(): Promise<void> {
    await this.#end();
    await this.#listen();
  }

  async #listen(): Promise<void> {
    this.#server = createServer((socket) => this.#serve(socket));
    await once(this.#server.listen({ port: this.port, host: '127.0.0.1' }), 'listening');
  }

  async #end(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const server = this.#server!;
    await new Promise((resolve) => server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const give = (name: number, row: string): void => void socket.write(`${name} ${row}\n`);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#readers.delete(give);
    });
    // Whoever is cut off comes again.
    this.#converse(socket, give).catch(() => socket.destroy());
  }

  async #converse(socket: Socket, give: (name: number, row: string) => void): Promise<void> {
    let open = false;
    let missing = 0;
    let bulk: unknown[] = [];
    for await (const bytes of linesOf(socket)) {
      const line = String(bytes);
      if (missing > 0) {
        bulk.push(JSON.parse(line));
        if (--missing > 0) continue;
        this.taken.push(...bulk);
        socket.write(`TAKEN ${bulk.length}\n`);
        bulk = [];
        continue;
      }
      const [word, rest = ''] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)];
      if (!open) {
        open = rest === PASSWORD;
        socket.write(open ? 'OK\n' : 'DENIED\n');
        if (!open || word !== 'READ') continue;
        for (const [name, row] of this.waiting) give(name, row);
        this.#readers.add(give);
      } else if (word === 'PUT') missing = Number(rest);
      else if (word === 'ACK' && this.waiting.delete(Number(rest))) this.acknowledged++;
    }
  }
}
