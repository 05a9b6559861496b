/** A server that does what a test tells it, for what real servers do rarely: refuse, fall silent, forget, repeat. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import * as mqtt from 'mqtt-packet';
import type { Packet } from '../client.ts';

export type Given<C extends Packet['cmd']> = Extract<Packet, { cmd: C }>;

export class ServedClient {
  readonly #socket: Socket;
  readonly #version: number;
  readonly packets: Packet[] = [];
  #waiting: { readonly condition: () => boolean; readonly resolve: () => void }[] = [];
  closed = false;

  constructor(socket: Socket, version: number, onPacket: (client: ServedClient, packet: Packet) => void) {
    this.#socket = socket;
    this.#version = version;
    const parser = mqtt.parser({ protocolVersion: version });
    parser.on('packet', (packet) => {
      // The parser goes on with the same object for some kinds.
      this.packets.push({ ...packet });
      onPacket(this, packet);
      this.#tell();
    });
    parser.on('error', (error: unknown) => {
      throw error;
    });
    socket.on('data', (bytes: Buffer) => void parser.parse(bytes));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#tell();
    });
  }

  of<C extends Packet['cmd']>(cmd: C): Given<C>[] {
    return this.packets.filter((packet): packet is Given<C> => packet.cmd === cmd);
  }

  send(...packets: Packet[]): void {
    this.#socket.write(Buffer.concat(packets.map((packet) => mqtt.generate(packet, { protocolVersion: this.#version }))));
  }

  cut(): void {
    this.#socket.destroy();
  }

  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ condition, resolve }));
  }

  #tell(): void {
    this.#waiting = this.#waiting.filter(({ condition, resolve }) => {
      if (!condition()) return true;
      resolve();
      return false;
    });
  }
}

export interface Script {
  readonly version?: 4 | 5;
  /** What CONNECT is answered with, by number of the connection. Default: accepted, without a session. */
  connack?(connection: number): Partial<Given<'connack'>> | undefined;
  readonly suback?: readonly number[];
  /** It answers no sign of life. */
  readonly silent?: boolean;
  /** What else it does. */
  packet?(client: ServedClient, packet: Packet): void;
}

export class ScriptedServer {
  readonly url: string;
  readonly clients: ServedClient[] = [];
  #waiting: (() => void)[] = [];

  private constructor(port: number) {
    this.url = `mqtt://127.0.0.1:${port}`;
  }

  static async start(owner: { after(cleanUp: () => unknown): unknown }, script: Script = {}): Promise<ScriptedServer> {
    const listener = createServer({ noDelay: true });
    listener.listen({ port: 0, host: '127.0.0.1' });
    await once(listener, 'listening');
    const server = new ScriptedServer((listener.address() as AddressInfo).port);
    const { version = 5 } = script;
    listener.on('connection', (socket) => {
      const number = server.clients.length;
      const client = new ServedClient(socket, version, (from, packet) => {
        if (packet.cmd === 'connect') {
          const usual = { cmd: 'connack', sessionPresent: false, [version === 5 ? 'reasonCode' : 'returnCode']: 0 } as const;
          from.send({ ...usual, ...script.connack?.(number) });
        } else if (packet.cmd === 'subscribe') {
          const granted = [...(script.suback ?? packet.subscriptions.map(({ qos }) => qos))];
          from.send({ cmd: 'suback', messageId: packet.messageId!, granted });
        } else if (packet.cmd === 'pingreq' && !script.silent) from.send({ cmd: 'pingresp' });
        script.packet?.(from, packet);
      });
      server.clients.push(client);
      for (const resolve of server.#waiting.splice(0)) resolve();
    });
    owner.after(() => {
      for (const client of server.clients) client.cut();
      listener.close();
    });
    return server;
  }

  /** The client of the connection of this number, from 0, once it is there. */
  async client(number: number): Promise<ServedClient> {
    while (this.clients.length <= number) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.clients[number]!;
  }
}
