import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ReefError } from '../../errors.ts';
import { validateSettings } from '../../spec/validate.ts';
import { FakeFeed } from '../testing/fake-feed.ts';
import { TestLog } from '../testing/test-context.ts';
import type { PublishPacket } from './client.ts';
import spec from './source.ts';
import { type Script, ScriptedServer, type ServedClient } from './testing/scripted-server.ts';

interface Running {
  readonly server: ScriptedServer;
  readonly feed: FakeFeed;
  readonly log: TestLog;
  readonly ended: Promise<void>;
  /** Payloads in the order in which they were fed. */
  payloads(): string[];
  stop(): Promise<void>;
}

async function start(t: TestContext, settings: object = {}, script: Script = {}): Promise<Running> {
  const server = await ScriptedServer.start(t, script);
  const log = new TestLog();
  const { settings: checked, problems } = await validateSettings(spec.settings, {
    url: server.url,
    topics: ['in/#'],
    ...(script.version === 4 ? { protocol_version: 4 } : {}),
    ...settings,
  });
  assert.deepEqual(problems, []);
  const stopping = new AbortController();
  const source = await spec.open({
    id: 'in',
    settings: checked as never,
    folder: '/',
    punchlineKind: 'StreamPunchline',
    punchline: 'test',
    codec: { name: 'json' },
    declared: undefined,
    referenced: new Set<string>(),
    log,
    count() {},
    hindered() {},
  });
  const feed = new FakeFeed({ signal: stopping.signal });
  const ended = source.run(feed, stopping.signal);
  ended.catch(() => {});
  const stop = async (): Promise<void> => {
    stopping.abort();
    await ended.catch(() => {});
    await source.close();
  };
  t.after(stop);
  const partition = () => feed.partitions.get('messages');
  return {
    server,
    feed,
    log,
    ended,
    payloads: () => (partition()?.records ?? []).map(({ payload }) => payload.toString().trimEnd()),
    stop,
  };
}

function message(messageId: number, more: Partial<PublishPacket> = {}): PublishPacket {
  const payload = `{"n":${messageId}}`;
  return { cmd: 'publish', topic: 'in/a', payload, qos: 1, dup: false, retain: false, messageId, ...more };
}

const subscribed = (client: ServedClient): Promise<void> => client.until(() => client.of('subscribe').length > 0);

test('messages are acknowledged when they are delivered, in the order in which they came, and signs of life go on meanwhile', async (t) => {
  const running = await start(t, { keep_alive_secs: 1 });
  const client = await running.server.client(0);
  await subscribed(client);
  client.send(message(4), message(2, { qos: 2 }), message(3));
  await client.until(() => client.of('pingreq').length >= 2);
  assert.deepEqual(running.payloads(), ['{"n":4}', '{"n":2}', '{"n":3}']);
  assert.equal(client.of('puback').length + client.of('pubrec').length, 0);
  running.feed.settle();
  await client.until(() => client.of('puback').length === 2);
  const answers = client.packets.filter(({ cmd }) => cmd === 'puback' || cmd === 'pubrec');
  assert.deepEqual(
    answers.map(({ cmd, messageId }) => [cmd, messageId]),
    [
      ['puback', 4],
      ['pubrec', 2],
      ['puback', 3],
    ],
  );
  client.send({ cmd: 'pubrel', messageId: 2, reasonCode: 0 });
  await client.until(() => client.of('pubcomp').length === 1);
});

test('while there is no memory pings and the handshake of QoS 2 go on, and what came is fed later', async (t) => {
  const running = await start(t, { keep_alive_secs: 1 });
  const client = await running.server.client(0);
  await subscribed(client);
  client.send(message(1, { qos: 2 }));
  await running.feed.until(() => running.payloads().length === 1);
  running.feed.settle();
  await client.until(() => client.of('pubrec').length === 1);
  running.feed.full = true;
  client.send(message(2), message(3), { cmd: 'pubrel', messageId: 1, reasonCode: 0 });
  await client.until(() => client.of('pubcomp').length === 1 && client.of('pingreq').length >= 1);
  assert.equal(running.payloads().length, 1);
  running.feed.drain();
  await running.feed.until(() => running.payloads().length === 3);
  running.feed.settle();
  await client.until(() => client.of('puback').length === 2);
});

test('what comes again with the session after a lost connection is not fed twice; without the session it is another message', async (t) => {
  const running = await start(t, {}, { connack: (number) => ({ sessionPresent: number === 1 }) });
  const first = await running.server.client(0);
  await subscribed(first);
  first.send(message(1), message(2));
  await running.feed.until(() => running.payloads().length === 2);
  first.cut();
  const second = await running.server.client(1);
  await subscribed(second);
  second.send(message(1, { dup: true }), message(2, { dup: true }), message(3));
  await running.feed.until(() => running.payloads().length === 3);
  running.feed.settle();
  await second.until(() => second.of('puback').length === 3);
  assert.deepEqual(running.payloads(), ['{"n":1}', '{"n":2}', '{"n":3}']);
  second.send(message(4));
  await running.feed.until(() => running.payloads().length === 4);
  second.cut();
  const third = await running.server.client(2);
  await subscribed(third);
  running.feed.settle();
  third.send(message(4), message(5));
  await running.feed.until(() => running.payloads().length === 6);
  running.feed.settle();
  await third.until(() => third.of('puback').length === 2);
});

test('what is known of a message stands beside the row, and named parts of the topic are columns', async (t) => {
  const running = await start(t, { topics: ['in/{site}/{rest#}'] });
  const client = await running.server.client(0);
  await subscribed(client);
  assert.equal(client.of('subscribe')[0]!.subscriptions[0]!.topic, 'in/+/#');
  client.send(
    message(1, {
      topic: 'in/north/7/temp',
      retain: true,
      properties: {
        contentType: 'text/plain',
        responseTopic: 'answers',
        correlationData: Buffer.from([0xff, 0]),
        userProperties: { a: 'x', b: ['1', '2'] },
      },
    }),
  );
  await running.feed.until(() => running.payloads().length === 1);
  assert.deepEqual(running.feed.partitions.get('messages')!.records[0]!.values, [
    'in/north/7/temp',
    '1',
    'true',
    'false',
    'text/plain',
    'answers',
    '/wA=',
    '{"a":"x","b":["1","2"]}',
    'north',
    '7/temp',
  ]);
});

test('CONNECT asks for what the settings say', async (t) => {
  const will = { topic: 'gone', payload: 'bye', qos: 1, retain: true };
  const running = await start(t, {
    will,
    max_in_flight: 17,
    session_expiry_secs: 99,
    max_packet_bytes: 4096,
    keep_alive_secs: 7,
  });
  const client = await running.server.client(0);
  await subscribed(client);
  const [connect] = client.of('connect');
  assert.deepEqual(
    [connect!.clientId, connect!.clean, connect!.keepalive, connect!.will?.topic, connect!.will?.payload.toString()],
    ['reef-test-in', false, 7, 'gone', 'bye'],
  );
  assert.deepEqual({ ...connect!.properties }, { sessionExpiryInterval: 99, receiveMaximum: 17, maximumPacketSize: 4096 });
  await running.stop();
  await client.until(() => client.of('disconnect').length === 1);
});

test('a subscription that the server refuses for good ends the source, another one is tried again, both say why', async (t) => {
  const refused = await start(t, { topics: ['a', 'b'] }, { suback: [1, 143] });
  await assert.rejects(
    refused.ended,
    (error: unknown) => error instanceof ReefError && /"b" \(143, topic filter invalid\)/.test(error.message),
  );
  const running = await start(t, {}, { suback: [135] });
  await running.server.client(1);
  assert.match(running.log.warnings[0]!, /refuses the subscription to "in\/#" \(135, not authorized\); it is tried again/);
});

test('a server that ends the connection is quoted, and asked again', async (t) => {
  const running = await start(t);
  const client = await running.server.client(0);
  await subscribed(client);
  client.send({ cmd: 'disconnect', reasonCode: 142, properties: { reasonString: 'go' } });
  await running.server.client(1);
  assert.match(running.log.warnings[0]!, /142, session taken over: another client uses the same client_id, go/);
});

test('a server that falls silent is given up, within the keep alive that it has asked for itself', async (t) => {
  const script = { silent: true, connack: () => ({ properties: { serverKeepAlive: 1 } }) };
  const running = await start(t, {}, script);
  const client = await running.server.client(0);
  await client.until(() => client.of('pingreq').length > 0);
  await running.server.client(1);
  assert.match(running.log.warnings[0]!, /no sign of life within 1 s/);
});

test('with 3.1.1 no more is read once too many messages wait, and all come in the end', async (t) => {
  const running = await start(t, { max_in_flight: 10 }, { version: 4 });
  const client = await running.server.client(0);
  await subscribed(client);
  for (let round = 0; round < 5; round++) client.send(...Array.from({ length: 50 }, (_, at) => message(round * 50 + at + 1)));
  for (let acknowledged = 0; acknowledged < 250; acknowledged = client.of('puback').length) {
    await running.feed.until(() => running.payloads().length > acknowledged);
    running.feed.settle();
    await client.until(() => client.of('puback').length > acknowledged);
  }
  assert.equal(running.payloads().length, 250);
});

test('messages that the server had kept do not come where they are not wanted, and are acknowledged', async (t) => {
  const running = await start(t, { retained: 'ignore' }, { version: 4 });
  const client = await running.server.client(0);
  await subscribed(client);
  client.send(message(1, { retain: true }), message(2));
  await running.feed.until(() => running.payloads().length === 1);
  running.feed.settle();
  await client.until(() => client.of('puback').length === 2);
  assert.deepEqual(running.payloads(), ['{"n":2}']);
});
