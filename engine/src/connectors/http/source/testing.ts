/** For tests of the HTTP source: one that listens on a free port over a fake feed, and clients that may misbehave. */
import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { Codec } from '../../../spec/plan.ts';
import { FakeFeed, type FakeFeedOptions } from '../../testing/fake-feed.ts';
import { TestLog, withDefaults } from '../../testing/test-context.ts';
import { HttpSource } from './http-source.ts';
import { type HttpSourceSettings, settings } from './settings.ts';

export interface OpenedSource {
  readonly source: HttpSource;
  readonly feed: FakeFeed;
  readonly log: TestLog;
  readonly port: number;
  /** Ends the source as a stop of the engine does. */
  stop(): Promise<void>;
}

export interface OpenOptions extends FakeFeedOptions {
  readonly codec?: Codec;
  readonly folder?: string;
}

export async function openSource(
  t: TestContext,
  given: Partial<HttpSourceSettings> = {},
  { codec = { name: 'json' }, folder = '.', ...feedOptions }: OpenOptions = {},
): Promise<OpenedSource> {
  const log = new TestLog();
  const stop = new AbortController();
  const feed = new FakeFeed({ signal: stop.signal, ...feedOptions });
  const source = new HttpSource({
    id: 'in',
    settings: withDefaults(settings, { port: 0, ...given }),
    folder,
    punchlineKind: 'StreamPunchline',
    log,
    count() {},
    hindered() {},
    codec,
    declared: undefined,
    referenced: new Set(),
  });
  await source.listen();
  const ran = source.run(feed, stop.signal);
  t.after(async () => {
    stop.abort();
    await ran;
    await source.close();
  });
  return {
    source,
    feed,
    log,
    port: source.port,
    stop: async () => {
      stop.abort();
      await ran;
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a whole request; POST unless told otherwise. */
export function post(port: number, body: string | Uint8Array, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method: 'POST', agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A connection on which a test writes what it likes. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  closed = false;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.received += text;
      this.#wake();
    });
    // A reset is one way to be told.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  static async open(t: TestContext, port: number): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port });
    t.after(() => socket.destroy());
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawClient(socket);
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Waits until what came matches, or the connection is closed. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.received) && !this.closed) await this.#next();
    return this.received;
  }

  async ended(): Promise<string> {
    while (!this.closed) await this.#next();
    return this.received;
  }

  #next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Waits for a condition that nothing announces, a turn of the event loop at a time. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
