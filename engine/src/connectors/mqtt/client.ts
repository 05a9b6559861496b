/**
 * The client libraries, by what is used of them; loaded when a node is opened. `mqtt-packet` is the parser and generator below
 * MQTT.js, without its session: that one handles one packet after the other, so that whoever holds an acknowledgement back stops
 * the pings as well. `ws` speaks WebSocket: Node's own has no certificates, no client certificate and no back-pressure.
 */
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import type { generate, Packet, parser } from 'mqtt-packet';

export type { Packet } from 'mqtt-packet';
export type PublishPacket = Extract<Packet, { cmd: 'publish' }>;
export type ConnackPacket = Extract<Packet, { cmd: 'connack' }>;

export interface PacketLibrary {
  readonly generate: typeof generate;
  readonly parser: typeof parser;
}

interface WebSocketLibrary {
  readonly WebSocket: new (url: string, protocols: readonly string[], options: object) => { terminate(): void };
  readonly createWebSocketStream: (socket: unknown, options?: object) => Duplex;
}

/** What `open` loads; `ws` for its URLs alone. */
export const requires = { 'mqtt-packet': '9.0.2', ws: '8.23.0' };

export async function loadPacketLibrary(): Promise<PacketLibrary> {
  return (await import('mqtt-packet')).default;
}

/** A stream over WebSocket, which may still be connecting. */
export async function webSocketStream(url: string, tls: ConnectionOptions, timeoutMs: number): Promise<Duplex> {
  // @ts-expect-error: a package without types of its own.
  const library: WebSocketLibrary = await import('ws');
  const socket = new library.WebSocket(url, ['mqtt'], { ...tls, handshakeTimeout: timeoutMs, perMessageDeflate: false });
  return library.createWebSocketStream(socket);
}
