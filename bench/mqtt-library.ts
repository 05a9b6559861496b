/**
 * The client library that Reef takes, alone, over one connection: messages of `in` go to `out` as they are, at QoS 1 both ways. As in
 * Reef a message is acknowledged once the server has acknowledged the one that it became.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { generate, type Packet, parser } from 'mqtt-packet';

const version = { protocolVersion: 5 } as const;
const socket = connect(Number(process.argv[2]), '127.0.0.1');
await once(socket, 'connect');
const packets = parser(version);
/** By number of the message that is on its way: the one that it came from. */
const underway = new Map<number, number>();
let sent = 0;
packets.on('packet', (packet: Packet) => {
  switch (packet.cmd) {
    case 'connack':
      socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'in', qos: 1 }] }, version));
      break;
    case 'suback':
      console.error('reads from in');
      break;
    case 'publish': {
      const messageId = (sent++ % 65_535) + 1;
      underway.set(messageId, packet.messageId!);
      socket.write(
        generate(
          { cmd: 'publish', topic: 'out', payload: packet.payload, qos: 1, dup: false, retain: false, messageId },
          version,
        ),
      );
      break;
    }
    case 'puback':
      socket.write(generate({ cmd: 'puback', messageId: underway.get(packet.messageId!)!, reasonCode: 0 }, version));
      underway.delete(packet.messageId!);
      break;
  }
});
socket.on('data', (bytes: Buffer) => void packets.parse(bytes));
socket.write(
  generate({
    cmd: 'connect',
    clientId: 'library',
    clean: true,
    protocolVersion: 5,
    keepalive: 0,
    properties: { receiveMaximum: 1000 },
  }),
);
