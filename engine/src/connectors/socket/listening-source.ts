/** A source that listens: a server, and the lanes that its messages go to. */
import { resolve } from 'node:path';
import { hostAndPort } from '../../net/listener.ts';
import type { Feed } from '../../spec/feed.ts';
import type { Log } from '../../spec/node.ts';
import type { RecordLayout } from '../../spec/records.ts';
import type { Source } from '../../spec/source.ts';
import { DatagramServer } from './datagram-server.ts';
import type { ListenSettings } from './listen-settings.ts';
import type { MessageCutter } from './message-cutter.ts';
import { LINGER_MS, RecordLane } from './record-lane.ts';
import { StreamServer } from './stream-server.ts';

export interface ListeningOptions {
  readonly id: string;
  readonly folder: string;
  readonly log: Log;
  readonly settings: ListenSettings;
  /** Payloads are JSON. */
  readonly json: boolean;
  /** Payloads are bytes of any kind. Default false. */
  readonly raw?: boolean;
  /** The lines of a datagram are rows of their own. */
  readonly datagramLines: boolean;
  newCutter(): MessageCutter;
}

interface Server {
  readonly port: number;
  listen(): Promise<void>;
  start(): void;
  stop(withinMs: number): Promise<void>;
  close(): void;
}

const NEWLINE = 10;
/** What has arrived is read for so long after a stop: a little less than room is given. */
const STOP_MS = LINGER_MS - 200;

export class ListeningSource implements Source {
  readonly #options: ListeningOptions;
  readonly #server: Server;
  #lanes: Readonly<Record<RecordLayout['rows'], RecordLane>> | undefined;

  constructor(options: ListeningOptions) {
    this.#options = options;
    this.#server = this.#newServer();
  }

  listen(): Promise<void> {
    return this.#server.listen();
  }

  /** What it listens on, for messages. */
  get where(): string {
    const { folder, settings } = this.#options;
    const { proto, host, path = '' } = settings;
    if (proto === 'unix') return resolve(folder, path);
    return `${hostAndPort(host, this.#server.port)} (${proto.toUpperCase()})`;
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    const { json, raw = false, settings } = this.#options;
    const lane = (name: string, rows: RecordLayout['rows']): RecordLane =>
      new RecordLane(feed, { name, rows, json, raw, gatherMs: settings.gather_ms });
    this.#lanes ??= { lines: lane('lines', 'lines'), one: lane('messages', 'one'), counted: lane('counted', 'counted') };
    this.#server.start();
    if (!signal.aborted) await new Promise((done) => signal.addEventListener('abort', done, { once: true }));
    await this.#server.stop(STOP_MS);
    await Promise.all(Object.values(this.#lanes).map((lane) => lane.end()));
  }

  async close(): Promise<void> {
    this.#server.close();
  }

  #newServer(): Server {
    const { id, folder, log, settings, newCutter, datagramLines } = this.#options;
    const { proto, host, port = 0, path = '', path_mode, tls } = settings;
    const common = { subject: `source "${id}"`, log };
    if (proto === 'udp') {
      const receiveBufferBytes = settings.receive_buffer_bytes;
      return new DatagramServer({
        ...common,
        host,
        port,
        receiveBufferBytes,
        take: (values, bytes) => {
          const lanes = this.#lanes!;
          if (!datagramLines) return lanes.one.add(values, bytes);
          return lanes.lines.add(values, bytes.at(-1) === NEWLINE ? bytes.subarray(0, -1) : bytes);
        },
      });
    }
    return new StreamServer({
      ...common,
      folder,
      at: proto === 'unix' ? { path: resolve(folder, path), mode: Number.parseInt(path_mode, 8) } : { host, port },
      tls,
      maxConnections: settings.max_connections,
      idleMs: settings.idle_timeout_secs * 1000,
      messageMs: settings.message_timeout_secs * 1000,
      handshakeMs: settings.handshake_timeout_secs * 1000,
      newCutter,
      take: (values, { bytes, rows }) => this.#lanes![rows].add(values, bytes),
    });
  }
}
