import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ReefError } from '../../errors.ts';
import type { Undelivered } from '../../spec/bulk-sink.ts';
import type { Json } from '../../spec/plan.ts';
import { openSink } from '../../testing-nodes.ts';
import { TestLog } from '../testing/test-context.ts';
import type { Packet, PublishPacket } from './client.ts';
import spec from './sink.ts';
import { type Script, ScriptedServer, type ServedClient } from './testing/scripted-server.ts';

type Rows = readonly Readonly<Record<string, Json>>[];

async function start(t: TestContext, script: Script, settings: Record<string, Json> = {}) {
  const server = await ScriptedServer.start(t, script);
  const log = new TestLog();
  const given = { url: server.url, topic: 'out', client_id: 'me', ...settings };
  const sink = await openSink(spec, { settings: script.version === 4 ? { protocol_version: 4, ...given } : given, log });
  t.after(() => sink.close());
  const write = (rows: Rows): Promise<Undelivered | undefined> => sink.write(rows) as Promise<Undelivered | undefined>;
  return { server, log, write, close: () => sink.close() };
}

const numbered = (count: number): Rows => Array.from({ length: count }, (_, n) => ({ n }));
const payloads = (client: ServedClient): string[] => client.of('publish').map(({ payload }) => payload.toString());

/** What a server that takes all does with QoS 1 and 2. */
function take(client: ServedClient, packet: Packet): void {
  if (packet.cmd === 'publish' && packet.qos === 1) client.send({ cmd: 'puback', messageId: packet.messageId!, reasonCode: 0 });
  if (packet.cmd === 'publish' && packet.qos === 2) client.send({ cmd: 'pubrec', messageId: packet.messageId!, reasonCode: 0 });
  if (packet.cmd === 'pubrel') client.send({ cmd: 'pubcomp', messageId: packet.messageId!, reasonCode: 0 });
}

for (const version of [4, 5] as const) {
  for (const qos of [0, 1, 2]) {
    test(`rows go in order with QoS ${qos} and version ${version}, without their line ends`, async (t) => {
      const { server, write } = await start(t, { version, packet: take }, { qos, retain: true });
      assert.equal(await write(numbered(300)), undefined);
      const client = await server.client(0);
      await client.until(() => client.of('publish').length === 300);
      assert.deepEqual(
        payloads(client),
        numbered(300).map((row) => JSON.stringify(row)),
      );
      assert.ok(client.of('publish').every((packet) => packet.retain && packet.qos === qos && !packet.dup));
      assert.equal(client.of('pubrel').length, qos === 2 ? 300 : 0);
    });
  }
}

test('topics, user properties, content type and expiry come from the settings and the row', async (t) => {
  const settings = {
    topic: 'devices/{id}/out',
    user_properties: ['site'],
    content_type: 'application/json',
    message_expiry_secs: 60,
  };
  const { server, write } = await start(t, { packet: take }, settings);
  const outcome = await write([{ id: 7, site: 'north' }, { id: 'a/+' }, { site: 'south' }, { id: 'x' }]);
  assert.deepEqual(
    outcome?.refused?.map(({ row }) => row),
    [1, 2],
  );
  assert.match(outcome!.refused![0]!.reason, /column "id" is "a\/\+", which has a wildcard/);
  const sent = (await server.client(0)).of('publish');
  assert.deepEqual(
    sent.map(({ topic, properties }) => [topic, { ...properties?.userProperties }]),
    [
      ['devices/7/out', { site: 'north' }],
      ['devices/x/out', {}],
    ],
  );
  assert.deepEqual([sent[1]!.properties?.contentType, sent[1]!.properties?.messageExpiryInterval], ['application/json', 60]);
});

test('no more than the server allows is unacknowledged', async (t) => {
  const held: PublishPacket[] = [];
  const script: Script = {
    connack: () => ({ properties: { receiveMaximum: 3 } }),
    packet: (_, packet) => void (packet.cmd === 'publish' && held.push(packet)),
  };
  const { server, write } = await start(t, script);
  const writing = write(numbered(10));
  const client = await server.client(0);
  for (let taken = 0; taken < 10; ) {
    await client.until(() => held.length >= Math.min(taken + 3, 10));
    assert.ok(held.length <= taken + 3);
    take(client, held[taken++]!);
  }
  assert.equal(await writing, undefined);
});

test('over a lost connection what was not acknowledged is sent again in order, under its number and marked', async (t) => {
  let count = 0;
  const script: Script = {
    connack: (number) => ({ sessionPresent: number > 0 }),
    packet(client, packet) {
      if (packet.cmd !== 'publish') return;
      count++;
      if (count > 6 || packet.messageId === 2) take(client, packet);
      if (count === 6) client.cut();
    },
  };
  const { server, write, log } = await start(t, script);
  assert.equal(await write(numbered(6)), undefined);
  const [first, second] = [await server.client(0), await server.client(1)];
  assert.equal(first.of('connect')[0]!.clean, true);
  assert.equal(second.of('connect')[0]!.clean, false);
  const again = second.of('publish');
  // Whether the acknowledgement of the second was read before the cut is up to the network.
  const expected = again.length === 5 ? [1, 3, 4, 5, 6] : [1, 2, 3, 4, 5, 6];
  assert.deepEqual(
    again.map(({ messageId }) => messageId),
    expected,
  );
  assert.ok(again.every(({ dup }) => dup));
  assert.match(log.warnings[0]!, /has lost its connection/);
});

test('with QoS 2 what the server has received is released over the next connection, not sent again', async (t) => {
  const script: Script = {
    connack: (number) => ({ sessionPresent: number > 0 }),
    packet(client, packet) {
      if (packet.cmd === 'pubrel' && client.of('connect')[0]!.clean) client.cut();
      else take(client, packet);
    },
  };
  const { server, write } = await start(t, script, { qos: 2 });
  assert.equal(await write(numbered(1)), undefined);
  const second = await server.client(1);
  assert.equal(second.of('publish').length, 0);
  assert.equal(second.of('pubrel').length, 1);
});

test('without its session the server is sent all that it has not acknowledged as new', async (t) => {
  const script: Script = {
    packet(client, packet) {
      if (packet.cmd === 'publish' && server.clients.length === 1) client.cut();
      else take(client, packet);
    },
  };
  const { server, write } = await start(t, script, { qos: 2 });
  assert.equal(await write(numbered(3)), undefined);
  const second = await server.client(1);
  assert.deepEqual(
    second.of('publish').map(({ dup }) => dup),
    [false, false, false],
  );
});

test('a message that is refused for good is named, one that is refused for now is to be sent again', async (t) => {
  const codes = [0, 135, 151, 144];
  const script: Script = {
    packet: (client, packet) =>
      void (
        packet.cmd === 'publish' &&
        client.send({ cmd: 'puback', messageId: packet.messageId!, reasonCode: codes[packet.messageId! - 1]! })
      ),
  };
  const { write, server } = await start(t, script);
  assert.deepEqual(await write(numbered(4)), {
    refused: [
      { row: 1, reason: `${server.url} refuses the message: 135, not authorized` },
      { row: 3, reason: `${server.url} refuses the message: 144, topic name invalid` },
    ],
    again: [2],
    againReason: `${server.url} refuses the message: 151, quota exceeded`,
  });
});

test('a message that is larger than the server takes is refused before it is sent', async (t) => {
  const { write } = await start(t, { connack: () => ({ properties: { maximumPacketSize: 100 } }), packet: take });
  const outcome = await write([{ n: 1 }, { text: 'x'.repeat(200) }, { n: 2 }]);
  assert.deepEqual(
    outcome?.refused?.map(({ row }) => row),
    [1],
  );
  assert.match(outcome!.refused![0]!.reason, /has 22\d bytes, and the server takes at most 100/);
});

test('a server that takes messages and acknowledges none is given up and asked again', async (t) => {
  const script: Script = { packet: (client, packet) => void (server.clients.length > 1 && take(client, packet)) };
  const { server, write, log } = await start(t, script, { response_timeout_secs: 0.2 });
  assert.equal(await write(numbered(2)), undefined);
  assert.match(log.warnings[0]!, /acknowledged nothing within 0.2 s/);
});

test('a server that refuses the connection, or cannot do what is asked for, is quoted', async (t) => {
  const refusing = await start(t, { connack: () => ({ reasonCode: 134 }) });
  const quotes = (pattern: RegExp) => (error: unknown) =>
    error instanceof ReefError && error.retry && pattern.test(error.message);
  await assert.rejects(refusing.write(numbered(1)), quotes(/refuses the connection: 134, bad user name or password/));
  const weak = await start(t, { connack: () => ({ properties: { maximumQoS: 0 } }) });
  await assert.rejects(weak.write(numbered(1)), quotes(/takes a QoS of at most 0, and "qos" is 1/));
});
