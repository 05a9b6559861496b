import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as mqtt from 'mqtt-packet';
import type { PublishPacket } from './client.ts';
import { type Message, type PublishOptions, PublishWriter, userProperty } from './publish-writer.ts';

function parsed(options: Partial<PublishOptions>, message: Message, sending = { id: 65_535, again: false }): PublishPacket {
  const all = { five: true, qos: 1, retain: false, contentType: undefined, expirySecs: undefined, ...options };
  const writer = new PublishWriter(all);
  const size = writer.size(message);
  const out = Buffer.alloc(size + 3);
  assert.equal(writer.write(out, 3, message, sending), size + 3);
  const packets: PublishPacket[] = [];
  const parser = mqtt.parser({ protocolVersion: all.five ? 5 : 4 });
  parser.on('packet', (packet) => packets.push(packet as PublishPacket));
  parser.on('error', (error) => assert.fail(error));
  assert.equal(parser.parse(out.subarray(3)), 0);
  assert.equal(packets.length, 1);
  return packets[0]!;
}

const message = { topic: Buffer.from('a/ü'), payload: Buffer.from('{"n":1}'), properties: new Uint8Array(0) };

test('what is written is what a parser reads, with and without properties', () => {
  for (const five of [true, false]) {
    for (const qos of [0, 1, 2]) {
      const packet = parsed({ five, qos, retain: qos === 2 }, message);
      assert.deepEqual(
        [packet.topic, packet.payload.toString(), packet.qos, packet.retain, packet.dup, packet.messageId],
        ['a/ü', '{"n":1}', qos, qos === 2, false, qos === 0 ? undefined : 65_535],
      );
    }
  }
  const properties = Buffer.concat([userProperty('site', 'north'), userProperty('n', 'ü')]);
  const packet = parsed(
    { contentType: 'application/json', expirySecs: 3600 },
    { ...message, properties },
    { id: 1, again: true },
  );
  assert.equal(packet.dup, true);
  assert.deepEqual(
    { ...packet.properties, userProperties: { ...packet.properties?.userProperties } },
    { messageExpiryInterval: 3600, contentType: 'application/json', userProperties: { site: 'north', n: 'ü' } },
  );
});

test('lengths of one to four bytes are written as they are read', () => {
  for (const length of [0, 100, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
    const payload = Buffer.alloc(length, 120);
    assert.equal(parsed({}, { ...message, payload }).payload.length, length);
  }
});
