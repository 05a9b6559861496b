/**
 * One connection to a server, from CONNECT to its end: packets come in as they are parsed, bytes go out as they are given. Signs of
 * life are exchanged by themselves, whatever the rest is waiting for.
 */
import type { Duplex } from 'node:stream';
import { ReefError } from '../../errors.ts';
import { connectionError } from '../../net/client-error.ts';
import type { ClientTlsContext } from '../../net/client-tls.ts';
import type { ConnackPacket, Packet, PacketLibrary } from './client.ts';
import { reasonText } from './reason-codes.ts';
import { addressOf, type ConnectionSettings } from './settings.ts';
import { openTransport } from './transport.ts';

export interface ConnectionOptions {
  readonly settings: ConnectionSettings;
  readonly clientId: string;
  readonly library: PacketLibrary;
  readonly tls: ClientTlsContext | undefined;
  /** The server forgets what it knows of this client. */
  readonly cleanStart: boolean;
  /** MQTT 5: how long the server remembers this client once it is gone. */
  readonly sessionExpirySecs: number;
  /** MQTT 5: messages that the server may send without having an acknowledgement. */
  readonly receiveMaximum?: number;
  /** Longest packet that the server may send. */
  readonly maxPacketBytes: number;
}

export interface ConnectionOwner {
  /** The server has accepted. Called before any other packet is told: those of an old session come at once. */
  connected(connection: Connection): void;
  packet(packet: Packet): void;
  /** What has come so far has been told. */
  read?(): void;
  /** Called once; without an error when `close` was called. */
  closed(error: ReefError | undefined): void;
}

const PINGREQ = Buffer.from([0xc0, 0]);
const CLOSE_MS = 1000;

export class Connection {
  readonly connack: ConnackPacket;
  readonly #stream: Duplex;
  readonly #owner: ConnectionOwner;
  readonly #keepAliveMs: number;
  readonly #timer: NodeJS.Timeout | undefined;
  #sentAt = performance.now();
  #heardAt = performance.now();
  #pingedAt: number | undefined;
  #paused = false;
  #over = false;

  private constructor(stream: Duplex, connack: ConnackPacket, keepAliveSecs: number, owner: ConnectionOwner) {
    this.#stream = stream;
    this.connack = connack;
    this.#owner = owner;
    this.#keepAliveMs = keepAliveSecs * 1000;
    if (keepAliveSecs > 0) this.#timer = setInterval(() => this.#keepAlive(), this.#keepAliveMs / 4);
  }

  /** Connects, and resolves once the server has accepted. Rejects with a `ReefError` that may be retried. */
  static async open(options: ConnectionOptions, owner: ConnectionOwner, signal: AbortSignal): Promise<Connection> {
    const { settings, library, maxPacketBytes } = options;
    const timeoutMs = settings.connect_timeout_secs * 1000;
    const stream = await openTransport(addressOf(settings.url), options.tls, timeoutMs);
    const parser = library.parser({ protocolVersion: settings.protocol_version });
    let connection: Connection | undefined;
    let connected: (connack: ConnackPacket) => void;
    let failed: (error: Error) => void;
    const answer = new Promise<ConnackPacket>((resolve, reject) => {
      connected = resolve;
      failed = reject;
    });
    const fail = (error: Error): void => {
      if (connection) connection.#end(connectionError(error));
      else failed(connectionError(error));
      stream.destroy();
    };
    parser.on('packet', (packet) => {
      if (connection) connection.#take(packet);
      else if (packet.cmd !== 'connack') fail(problem(`it answers CONNECT with ${packet.cmd.toUpperCase()}`));
      else {
        const refusal = refusalOf(packet);
        if (refusal !== undefined) fail(problem(`it refuses the connection: ${refusal}`));
        else {
          connection = new Connection(stream, packet, packet.properties?.serverKeepAlive ?? settings.keep_alive_secs, owner);
          owner.connected(connection);
          connected(packet);
        }
      }
    });
    parser.on('error', (error) => fail(problem(`what it sends is no MQTT: ${(error as Error).message}`)));
    stream.on('data', (bytes: Buffer) => {
      if (connection) connection.#heardAt = performance.now();
      if (parser.parse(bytes) > maxPacketBytes) fail(problem(`it sends a packet of more than ${maxPacketBytes} bytes`));
      if (connection && !connection.#over) owner.read?.();
    });
    stream.on('error', fail);
    stream.on('close', () => fail(problem('it has closed the connection')));
    const stop = (): void => fail(new Error('the punchline stops'));
    signal.addEventListener('abort', stop, { once: true });
    const timer = setTimeout(() => fail(problem(`it has not answered within ${settings.connect_timeout_secs} s`)), timeoutMs);
    try {
      stream.write(library.generate(connectPacket(options), { protocolVersion: settings.protocol_version }));
      await answer;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
    return connection!;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Bytes of whole packets. They must stay as they are. */
  write(bytes: Uint8Array, done?: (error?: Error | null) => void): void {
    if (this.#over) return;
    this.#sentAt = performance.now();
    this.#stream.write(bytes, done);
  }

  /** Nothing more is read until `resume`; what is written goes out all the same. */
  pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#heardAt = performance.now();
    this.#stream.resume();
  }

  /** Gives the connection up: the owner hears of it. */
  fail(error: ReefError): void {
    this.#end(error);
    this.#stream.destroy();
  }

  /** Takes leave, so that the server sends no will. Resolves when all is out, or soon. */
  async close(disconnect: Uint8Array): Promise<void> {
    if (this.#over) return;
    this.#end(undefined);
    const gone = new Promise<void>((resolve) => this.#stream.once('close', resolve));
    const timer = setTimeout(() => this.#stream.destroy(), CLOSE_MS);
    this.#stream.resume();
    this.#stream.end(disconnect);
    await gone;
    clearTimeout(timer);
  }

  #take(packet: Packet): void {
    if (this.#over) return;
    if (packet.cmd === 'pingresp') this.#pingedAt = undefined;
    else if (packet.cmd === 'disconnect')
      this.fail(problem(`it ends the connection: ${reasonText(packet.reasonCode ?? 0, packet.properties?.reasonString)}`));
    else this.#owner.packet(packet);
  }

  #keepAlive(): void {
    const now = performance.now();
    // While nothing is read, the answer cannot come; the server hears of us.
    if (this.#pingedAt !== undefined && !this.#paused && now - Math.max(this.#pingedAt, this.#heardAt) > this.#keepAliveMs / 2) {
      this.fail(problem(`it gives no sign of life within ${this.#keepAliveMs / 1000} s`));
      return;
    }
    if (now - this.#sentAt < this.#keepAliveMs / 2 && now - this.#heardAt < this.#keepAliveMs / 2) return;
    this.#pingedAt ??= now;
    this.write(PINGREQ);
  }

  #end(error: ReefError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#timer);
    this.#owner.closed(error);
  }
}

/** What goes on with the server; it may pass. */
export function problem(what: string): ReefError {
  return new ReefError('io', what, { retry: true });
}

function refusalOf({ reasonCode, returnCode, properties }: ConnackPacket): string | undefined {
  const code = reasonCode ?? returnCode ?? 0;
  return code === 0 ? undefined : reasonText(code, properties?.reasonString);
}

function connectPacket(options: ConnectionOptions): Packet {
  const { settings, clientId, cleanStart, sessionExpirySecs, receiveMaximum, maxPacketBytes } = options;
  const { auth, will } = settings;
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: settings.protocol_version as 4 | 5,
    clientId,
    clean: cleanStart,
    keepalive: settings.keep_alive_secs,
    ...(auth ? { username: auth.username } : {}),
    ...(auth?.password === undefined ? {} : { password: Buffer.from(auth.password) }),
    ...(will ? { will: { ...will, qos: will.qos as 0 | 1 | 2 } } : {}),
    ...(settings.protocol_version === 5
      ? {
          properties: {
            sessionExpiryInterval: sessionExpirySecs,
            maximumPacketSize: maxPacketBytes,
            ...(receiveMaximum === undefined ? {} : { receiveMaximum }),
          },
        }
      : {}),
  };
}
