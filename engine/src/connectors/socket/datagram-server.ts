/** Takes datagrams. Nobody can be asked to wait: what finds no memory waits up to a bound, and what comes then is dropped and counted. */
import type { RemoteInfo, Socket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { ReefError } from '../../errors.ts';
import { hostAndPort } from '../../net/listener.ts';
import type { Log } from '../../spec/node.ts';
import type { RecordValue } from '../../spec/records.ts';

export interface DatagramServerOptions {
  readonly subject: string;
  readonly log: Log;
  readonly host: string;
  readonly port: number;
  readonly receiveBufferBytes: number | undefined;
  take(values: readonly RecordValue[], bytes: Buffer): Promise<void> | undefined;
}

const MOST_WAITING_BYTES = 16 * 1024 * 1024;
const LOOK_MS = 10_000;
/** How long what the kernel still holds is read after a stop. */
const SILENT_MS = 20;

export class DatagramServer {
  readonly #options: DatagramServerOptions;
  #socket: Socket | undefined;
  #waiting: { readonly values: readonly RecordValue[]; readonly bytes: Buffer }[] = [];
  #waitingBytes = 0;
  #working = false;
  #feeding = false;
  #local: readonly [string, number] = ['', 0];
  #inode: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Datagrams that were dropped: for lack of memory here, and by the system before they were read. */
  dropped = 0;
  missed = 0;
  #lastMs = 0;

  constructor(options: DatagramServerOptions) {
    this.#options = options;
  }

  async listen(): Promise<void> {
    const { host, port, receiveBufferBytes, subject, log } = this.#options;
    const { createSocket } = process.getBuiltinModule('node:dgram');
    const socket = createSocket({
      type: host.includes(':') ? 'udp6' : 'udp4',
      ...(receiveBufferBytes === undefined ? {} : { recvBufferSize: receiveBufferBytes }),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => {
        const where = hostAndPort(host, port);
        reject(new ReefError('io', `Cannot listen for ${subject} on ${where} (UDP): ${error.message}`, { cause: error }));
      });
      socket.bind({ address: host, port }, () => {
        socket.removeAllListeners('error');
        resolve();
      });
    });
    const at = socket.address();
    this.#local = [at.address, at.port];
    socket.on('error', (error) => log.warn(`${subject}: ${error.message}`));
    socket.on('message', (bytes, from) => this.#onMessage(bytes, from));
    this.#socket = socket;
    const got = socket.getRecvBufferSize();
    // The system counts its own overhead: it says twice what it was asked for.
    if (receiveBufferBytes !== undefined && got < receiveBufferBytes) {
      log.warn(
        `${subject}: the receive buffer has ${got} bytes, not ${receiveBufferBytes}: net.core.rmem_max is the system's bound`,
      );
    }
    log.info(`${subject} listens on ${hostAndPort(at.address, at.port)} (UDP)`);
  }

  get port(): number {
    return this.#local[1];
  }

  start(): void {
    this.#feeding = true;
    if (!this.#working) void this.#work();
  }

  async stop(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    const { setTimeout: pause } = process.getBuiltinModule('node:timers/promises');
    do await pause(SILENT_MS);
    while ((this.#waiting.length > 0 || performance.now() - this.#lastMs < SILENT_MS) && performance.now() < deadline);
    await this.#look();
    this.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = undefined;
    this.#feeding = false;
    if (this.dropped > 0)
      this.#options.log.warn(`${this.#options.subject}: ${this.dropped} datagrams were dropped, because sinks were too slow`);
    this.dropped = 0;
  }

  #onMessage(bytes: Buffer, { address, port }: RemoteInfo): void {
    this.#lastMs = performance.now();
    this.#timer ??= setTimeout(() => void this.#look(), LOOK_MS).unref();
    const values = [address, port, ...this.#local];
    if (!this.#working && this.#feeding) {
      const wait = this.#options.take(values, bytes);
      if (!wait) return;
      this.#working = true;
      void wait.then(
        () => this.#work(),
        () => {},
      );
      return;
    }
    if (this.#waitingBytes + bytes.length > MOST_WAITING_BYTES) {
      this.dropped++;
      return;
    }
    this.#waitingBytes += bytes.length;
    this.#waiting.push({ values, bytes });
  }

  async #work(): Promise<void> {
    this.#working = true;
    try {
      while (this.#waiting.length > 0) {
        const taken = this.#waiting;
        this.#waiting = [];
        for (const { values, bytes } of taken) {
          await this.#options.take(values, bytes);
          this.#waitingBytes -= bytes.length;
        }
      }
      this.#working = false;
    } catch {
      // All ends.
    }
  }

  /** What the kernel has dropped, where it says so (Linux). */
  async #look(): Promise<void> {
    this.#timer = undefined;
    const drops = await this.#drops().catch(() => undefined);
    if (drops === undefined || drops <= this.missed) return;
    this.#options.log.warn(
      `${this.#options.subject}: the system has dropped ${drops - this.missed} datagrams before they could be read: expected a larger receive_buffer_bytes, or fewer of them`,
    );
    this.missed = drops;
  }

  async #drops(): Promise<number | undefined> {
    const v6 = this.#options.host.includes(':');
    const port = this.port.toString(16).toUpperCase().padStart(4, '0');
    const lines = (await readFile(`/proc/net/udp${v6 ? '6' : ''}`, 'utf8')).split('\n').map((line) => line.trim().split(/\s+/));
    const mine = lines.filter((fields) => fields[1]?.endsWith(`:${port}`));
    const line = mine.find((fields) => fields[9] === this.#inode) ?? mine[0];
    this.#inode = line?.[9];
    return line === undefined ? undefined : Number(line.at(-1));
  }
}
