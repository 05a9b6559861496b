/** One connection that is read from: pieces of it go to the lanes, and while these have no memory nothing is read. */
import type { Socket } from 'node:net';
import { peerName } from '../../net/peer-warnings.ts';
import type { RecordValue } from '../../spec/records.ts';
import type { MessageCutter, Piece } from './message-cutter.ts';

export interface ConnectionHost {
  /** Takes a piece; a promise: nothing more may come before. */
  take(values: readonly RecordValue[], piece: Piece): Promise<void> | undefined;
  closed(connection: Connection): void;
  /** To be read after who sent it: `has sent nothing for 60 s`. */
  warn(connection: Connection, what: string): void;
}

export class Connection {
  readonly peer: string;
  readonly #socket: Socket;
  readonly #cutter: MessageCutter;
  readonly #host: ConnectionHost;
  readonly #values: readonly RecordValue[];
  readonly #done = Promise.withResolvers<void>();
  #chunks: Buffer[] = [];
  #working = false;
  #ended = false;
  /** When the last bytes came, and when the message began that is not complete. */
  lastMs = performance.now();
  begunMs: number | undefined;

  constructor(socket: Socket, cutter: MessageCutter, host: ConnectionHost) {
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    this.peer = peerName(socket);
    this.#values = [remoteAddress, remotePort, localAddress, localPort];
    this.#socket = socket;
    this.#cutter = cutter;
    this.#host = host;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => {
      this.#ended = true;
      if (!this.#working) void this.#work();
    });
    socket.on('error', (error) => host.warn(this, `is cut off: ${error.message}`));
    socket.on('close', () => {
      this.#ended = true;
      if (!this.#working) void this.#work();
    });
  }

  /** Resolves when all of it is fed. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** A message has begun and its rest is missing. */
  get begun(): boolean {
    return this.#cutter.begun;
  }

  close(why?: string): void {
    if (why !== undefined) this.#host.warn(this, why);
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.lastMs = performance.now();
    this.#chunks.push(chunk);
    if (!this.#working) void this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    try {
      for (let chunk = this.#chunks.shift(); chunk; chunk = this.#chunks.shift()) {
        for (const piece of this.#cutter.cut(chunk)) {
          const wait = this.#host.take(this.#values, piece);
          if (!wait) continue;
          this.#socket.pause();
          await wait;
        }
        this.begunMs = this.#cutter.begun ? (this.begunMs ?? this.lastMs) : undefined;
        if (this.#chunks.length === 0 && this.#socket.isPaused()) this.#socket.resume();
      }
      if (this.#ended) await this.#finish();
    } catch (error) {
      this.#chunks = [];
      this.close(`is closed: ${(error as Error).message}`);
      this.#close();
    } finally {
      this.#working = false;
    }
  }

  async #finish(): Promise<void> {
    const last = this.#cutter.end();
    if (last) await this.#host.take(this.#values, last);
    this.#socket.end();
    this.#close();
  }

  #close(): void {
    if (this.#cutter.truncated > 0) {
      this.#host.warn(
        this,
        `has sent ${this.#cutter.truncated} messages longer than max_message_bytes, of which the rest is dropped`,
      );
    }
    this.#host.closed(this);
    this.#done.resolve();
  }
}
