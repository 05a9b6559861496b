/** A client for tests that is none of Reef's: it publishes and receives from outside. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import * as mqtt from 'mqtt-packet';
import type { Packet } from '../client.ts';

type Publish = Extract<Packet, { cmd: 'publish' }>;

/** As small as it can be: MQTT 5, everything at QoS 1, acknowledged at once. */
export class TestClient {
  readonly #socket: Socket;
  readonly messages: Publish[] = [];
  readonly #answers = new Map<number, (packet: Packet) => void>();
  #id = 0;
  connack: Packet | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const parser = mqtt.parser({ protocolVersion: 5 });
    parser.on('packet', (packet) => this.#take(packet));
    socket.on('data', (bytes: Buffer) => void parser.parse(bytes));
    socket.on('error', () => {});
  }

  static async connect(
    owner: { after(cleanUp: () => unknown): unknown },
    port: number,
    {
      clientId = `test-${Math.random()}`,
      clean = true,
      user,
    }: { clientId?: string; clean?: boolean; user?: { name: string; password: string } } = {},
  ): Promise<TestClient> {
    const socket = createConnection({ port, host: '127.0.0.1' });
    owner.after(() => socket.destroy());
    await once(socket, 'connect');
    const client = new TestClient(socket);
    const connected = new Promise((resolve) => client.#answers.set(-1, resolve));
    const credentials = user && { username: user.name, password: Buffer.from(user.password) };
    client.#write({
      cmd: 'connect',
      clientId,
      clean,
      protocolVersion: 5,
      keepalive: 0,
      properties: { sessionExpiryInterval: 3600, receiveMaximum: 65_535 },
      ...credentials,
    });
    await connected;
    return client;
  }

  async subscribe(topic: string, qos: 0 | 1 | 2 = 1): Promise<void> {
    await this.#ask({ cmd: 'subscribe', messageId: this.#next(), subscriptions: [{ topic, qos, rap: true }] });
  }

  /** Resolves once the server has it. */
  async publish(topic: string, payload: string | Buffer, more: Partial<Publish> = {}): Promise<void> {
    await this.#ask({ cmd: 'publish', topic, payload, qos: 1, dup: false, retain: false, messageId: this.#next(), ...more });
  }

  end(): void {
    this.#socket.destroy();
  }

  #next(): number {
    this.#id = (this.#id % 65_535) + 1;
    return this.#id;
  }

  #ask(packet: Packet): Promise<Packet> {
    return new Promise((resolve) => {
      this.#answers.set(packet.messageId!, resolve);
      this.#write(packet);
    });
  }

  #take(packet: Packet): void {
    if (packet.cmd === 'publish') {
      this.messages.push(packet);
      if (packet.qos === 1) this.#write({ cmd: 'puback', messageId: packet.messageId!, reasonCode: 0 });
      if (packet.qos === 2) this.#write({ cmd: 'pubrec', messageId: packet.messageId!, reasonCode: 0 });
    } else if (packet.cmd === 'pubrel') this.#write({ cmd: 'pubcomp', messageId: packet.messageId!, reasonCode: 0 });
    else if (packet.cmd === 'pubrec') this.#write({ cmd: 'pubrel', messageId: packet.messageId!, reasonCode: 0 });
    else {
      if (packet.cmd === 'connack') this.connack = packet;
      const id = packet.cmd === 'connack' ? -1 : packet.messageId!;
      this.#answers.get(id)?.(packet);
      this.#answers.delete(id);
    }
  }

  #write(packet: Packet): void {
    this.#socket.write(mqtt.generate(packet, { protocolVersion: 5 }));
  }
}
