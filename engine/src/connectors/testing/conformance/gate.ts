/**
 * The output behind a source under test: the `http` sink sends rows here, and the test decides what becomes of them. A row counts
 * as delivered once its request was answered.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Owner } from '../../../testing/owner.ts';
import { freePort } from '../../../testing/servers/free-port.ts';
import { patienceMs } from './patience.ts';

type Received = Readonly<Record<string, unknown>>;

const LOOK_MS = 200;

export class Gate {
  readonly port: number;
  /** Delivered, in the order in which they came. */
  readonly rows: Received[] = [];
  /** Error documents. */
  readonly errors: Received[] = [];
  /** Requests that came, whatever was answered. */
  requests = 0;
  /** `hold`: requests come and are not answered; `away`: they are answered with 503. */
  #mode: 'open' | 'hold' | 'away' = 'open';
  readonly #held: (() => void)[] = [];
  readonly #server: Server;
  readonly #waiting: (() => void)[] = [];
  #closed = false;
  /** Each answer waits so long: rows are then in flight for some time. */
  delayMs = 0;

  private constructor(port: number) {
    this.port = port;
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  static async start(owner: Owner): Promise<Gate> {
    const gate = new Gate(await freePort());
    await new Promise<void>((resolve, reject) => {
      gate.#server.once('error', reject);
      gate.#server.listen({ port: gate.port, host: '127.0.0.1' }, resolve);
    });
    owner.after(async () => {
      gate.#closed = true;
      gate.#server.closeAllConnections();
      await new Promise((resolve) => gate.#server.close(resolve));
    });
    return gate;
  }

  /** Nodes that take the rows of a source and its errors. */
  get sinks(): readonly object[] {
    const settings = {
      batch: { rows: 500, bytes: 4_000_000, timeout_ms: 5 },
      concurrency: 1,
      retry: { initial_ms: 20, max_ms: 200 },
    };
    const node = (id: string, path: string): object => ({
      id,
      kind: 'sink',
      type: 'http',
      settings: { ...settings, url: `http://127.0.0.1:${this.port}/${path}`, body: 'lines' },
    });
    return [node('out', 'rows'), node('errors', 'errors')];
  }

  open(): void {
    this.#mode = 'open';
    for (const answer of this.#held.splice(0)) answer();
  }

  hold(): void {
    this.#mode = 'hold';
  }

  away(): void {
    this.#mode = 'away';
  }

  /** Resolves once `condition` holds, which is looked at whenever something comes; false when that takes longer than `ms`. */
  async until(condition: () => boolean, ms = patienceMs()): Promise<boolean> {
    const deadline = performance.now() + ms;
    while (!condition()) {
      const left = deadline - performance.now();
      if (left <= 0 || this.#closed) return false;
      // Also now and then: what is waited for may be said elsewhere.
      await this.#something(Math.min(left, LOOK_MS));
    }
    return true;
  }

  #something(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of request) pieces.push(piece as Buffer);
    } catch {
      // Its sender was killed.
      return;
    }
    this.requests++;
    const list = request.url === '/errors' ? this.errors : this.rows;
    const deliver = (): void => {
      // Whoever is gone has not heard that these are delivered.
      if (response.destroyed) return;
      for (const line of Buffer.concat(pieces).toString('utf8').split('\n')) if (line !== '') list.push(JSON.parse(line));
      response.end();
      this.#tell();
    };
    if (this.#mode === 'away') response.writeHead(503).end();
    else if (this.#mode === 'hold') this.#held.push(deliver);
    else if (this.delayMs > 0) setTimeout(deliver, this.delayMs);
    else deliver();
    this.#tell();
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
