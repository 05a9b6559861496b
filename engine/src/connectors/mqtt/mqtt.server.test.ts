import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { binarySamples } from '../../testing/binary-samples.ts';
import { makeCertificate } from '../../testing/certificates.ts';
import { reef, temporaryFolder, writePunchline } from '../../testing/reef-process.ts';
import { type Mosquitto, mosquitto, startMosquitto } from '../../testing/servers/mosquitto.ts';
import { missing, program } from '../../testing/servers/needs.ts';
import { runProgram } from '../../testing/servers/run-program.ts';
import { openSink, readSource } from '../../testing-nodes.ts';
import { ReefRun } from '../testing/conformance/reef-run.ts';
import { difference, numberedRows, parseLines, type Row } from '../testing/conformance/rows.ts';
import { kills } from '../testing/conformance/words.ts';
import sinkSpec from './sink.ts';
import sourceSpec from './source.ts';
import { TestClient } from './testing/test-client.ts';

const skip = await missing(mosquitto, program('mosquitto_pub', 'mosquitto-clients'));

test('messages of mosquitto_pub come over WebSocket, TLS and both with a client certificate, with both versions', {
  skip,
}, async (t) => {
  const folder = temporaryFolder(t);
  const authority = makeCertificate({ name: 'authority', authority: true });
  const own = makeCertificate({ name: 'server', issuer: authority });
  const mine = makeCertificate({ name: 'reef', issuer: authority });
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const tls = {
    ca_file: file('ca.pem', authority.certificate),
    certificate_file: file('own.pem', mine.certificate),
    key_file: file('own.key', mine.key),
  };
  const server = await startMosquitto(t, {
    tls: { certificate: own.certificate, key: own.key, clientAuthority: authority.certificate },
  });
  const ways = [5, 4].flatMap((protocol_version) => [
    { url: `ws://127.0.0.1:${server.ports.websocket}`, protocol_version },
    { url: `mqtts://localhost:${server.ports.tls}`, tls, protocol_version },
    { url: `wss://localhost:${server.ports.wss}`, tls, protocol_version },
  ]);
  for (const [index, way] of ways.entries()) {
    const publish = ['mosquitto_pub', '-p', String(server.ports.mqtt), '-q', '1', '-r', '-t', `in/${index}`, '-m', '{"n":1}'];
    await runProgram(publish, { timeoutMs: 10_000 });
    const { rows } = await readSource(sourceSpec, { settings: { ...way, topics: [`in/${index}`] }, stopAfterRows: 1 });
    assert.deepEqual(rows, [{ n: 1 }]);
    const sink = await openSink(sinkSpec, { settings: { ...way, topic: 'out/{n}', retain: true } });
    assert.equal(await sink.write([{ n: index }]), undefined);
    await sink.close();
    const subscribe = ['mosquitto_sub', '-p', String(server.ports.mqtt), '-t', `out/${index}`, '-C', '1', '-W', '5'];
    assert.equal(await runProgram(subscribe, { timeoutMs: 10_000 }), `{"n":${index}}\n`);
  }
});

test('with encoding raw payloads go from topic to topic byte for byte, whatever they hold', { skip }, async (t) => {
  const server = await startMosquitto(t);
  const url = `mqtt://127.0.0.1:${server.ports.mqtt}`;
  const payloads = binarySamples();
  const client = await TestClient.connect(t, server.ports.mqtt);
  await client.subscribe('out/#');
  // Kept by the server, so that it does not matter who comes first.
  for (const [n, payload] of payloads.entries()) {
    if (payload.length > 0) await client.publish(`in/${n}`, payload, { retain: true });
  }
  const file = writePunchline(temporaryFolder(t), 'StreamPunchline', [
    {
      id: 'in',
      kind: 'source',
      type: 'mqtt',
      settings: { url, topics: ['in/{n}'], encoding: 'raw' },
      exit_conditions: { success: { acks_greater_or_equal_to: payloads.length - 1 } },
      out: [{ id: 'out', columns: ['content', 'n'].map((name) => ({ name, type: name === 'n' ? 'string' : 'bytes' })) }],
    },
    { id: 'out', kind: 'sink', type: 'mqtt', settings: { url, topic: 'out/{n}', encoding: 'raw' } },
  ]);
  const { code, stderr } = await reef(t, ['run', file]);
  assert.equal(code, 0, stderr);
  const received = new Map(client.messages.map(({ topic, payload }) => [topic, payload]));
  for (const [n, payload] of payloads.entries()) {
    if (payload.length > 0) assert.deepEqual(received.get(`out/${n}`), payload);
  }
});

const versions = { '5': 5, '3.1.1': 4 } as const;

/** Publishes rows at QoS 1; resolves once the server has them. */
async function publish(t: TestContext, server: Mosquitto, topic: string, rows: readonly Row[]): Promise<void> {
  const client = await TestClient.connect(t, server.ports.mqtt);
  await Promise.all(rows.map((row) => client.publish(topic, JSON.stringify(row))));
  client.end();
}

/** Waits until all rows are there. What comes is looked at now and then: files and sessions tell nobody. */
async function untilAll(rows: readonly Row[], read: () => readonly Row[], reefs: readonly ReefRun[]): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (let wrong: string | undefined; ; await pause(50)) {
    wrong = difference(rows, read());
    if (wrong === undefined) return;
    assert.ok(performance.now() < deadline, `${wrong}\n${reefs.map(({ stderr }) => stderr.slice(-3000)).join('\n')}`);
  }
}

const fileRows = (path: string): Row[] => (existsSync(path) ? parseLines(readFileSync(path, 'utf8')) : []);

for (const [version, protocol_version] of Object.entries(versions)) {
  test(`with MQTT ${version}, 200 messages, the output unreachable, kill -9, the output back: all 200 arrive`, {
    skip,
    timeout: 120_000,
  }, async (t) => {
    const [from, to] = [await startMosquitto(t), await startMosquitto(t)];
    const settings = ({ ports }: Mosquitto) => ({
      url: `mqtt://127.0.0.1:${ports.mqtt}`,
      client_id: randomUUID(),
      protocol_version,
    });
    const reef = new ReefRun(t, temporaryFolder(t), [
      {
        id: 'in',
        kind: 'source',
        type: 'mqtt',
        settings: { ...settings(from), topics: ['in'], qos: 1 },
        out: [{ id: 'out' }],
      },
      {
        id: 'out',
        kind: 'sink',
        type: 'mqtt',
        settings: { ...settings(to), topic: 'out', qos: 1, retry: { initial_ms: 20, max_ms: 500 } },
      },
    ]);
    const reader = { clientId: 'reader', clean: false };
    const first = await TestClient.connect(t, to.ports.mqtt, reader);
    await first.subscribe('out');
    await to.stop();
    reef.start();
    await reef.says(/source "in" reads from/);
    const rows = numberedRows(200);
    await publish(t, from, 'in', rows);
    await reef.says(/"out"\): the connection was refused/);
    await reef.kill();
    await to.start();
    const again = await TestClient.connect(t, to.ports.mqtt, reader);
    reef.start();
    await untilAll(rows, () => again.messages.map(({ payload }) => JSON.parse(String(payload)) as Row), [reef]);
  });

  test(`with MQTT ${version} nothing is lost between a topic and a file when the process is killed at any instant`, {
    skip,
    timeout: 120_000,
  }, async (t) => {
    const server = await startMosquitto(t);
    const folder = temporaryFolder(t);
    const path = join(folder, 'out.jsonl');
    const url = `mqtt://127.0.0.1:${server.ports.mqtt}`;
    const reef = new ReefRun(t, folder, [
      {
        id: 'in',
        kind: 'source',
        type: 'mqtt',
        settings: { url, topics: ['in'], client_id: 'killed', protocol_version },
        out: [{ id: 'out' }],
      },
      { id: 'out', kind: 'sink', type: 'file', settings: { path } },
    ]);
    const session = await TestClient.connect(t, server.ports.mqtt, { clientId: 'killed', clean: false });
    await session.subscribe('in');
    session.end();
    const rows = numberedRows(1000 * (kills() + 1));
    for (let time = 0; time < kills(); time++) {
      reef.start();
      await reef.says(/source "in" reads from/);
      const sent = publish(t, server, 'in', rows.slice(time * 1000, (time + 1) * 1000));
      // The instants are what is tested: before anything is there, while files are written, while it is acknowledged.
      await pause(Math.random() * 300);
      await reef.kill();
      await sent;
    }
    reef.start();
    await publish(t, server, 'in', rows.slice(kills() * 1000));
    await untilAll(rows, () => fileRows(path), [reef]);
  });

  test(`with MQTT ${version} two processes share a topic; one is killed and comes back: every message arrives`, {
    skip,
    timeout: 120_000,
  }, async (t) => {
    const server = await startMosquitto(t);
    const members = ['one', 'other'].map((name) => {
      const folder = temporaryFolder(t);
      const path = join(folder, 'out.jsonl');
      const url = `mqtt://127.0.0.1:${server.ports.mqtt}`;
      const settings = { url, topics: ['$share/group/in/#'], client_id: name, protocol_version };
      const reef = new ReefRun(t, folder, [
        { id: 'in', kind: 'source', type: 'mqtt', settings, out: [{ id: 'out' }] },
        { id: 'out', kind: 'sink', type: 'file', settings: { path } },
      ]);
      return { path, reef };
    });
    const [one, other] = members as [(typeof members)[0], (typeof members)[0]];
    const read = (): Row[] => members.flatMap(({ path }) => fileRows(path));
    const rows = numberedRows(4000);
    for (const { reef } of members) await reef.start().says(/source "in" reads from/);
    await publish(t, server, 'in/a', rows.slice(0, 1000));
    await untilAll(rows.slice(0, 1000), read, [one.reef, other.reef]);
    for (const { path } of members) assert.ok(fileRows(path).length > 0, 'both take part');
    const sent = publish(t, server, 'in/b', rows.slice(1000, 3000));
    await pause(Math.random() * 50);
    await one.reef.kill();
    await sent;
    await publish(t, server, 'in/c', rows.slice(3000));
    one.reef.start();
    await untilAll(rows, read, [one.reef, other.reef]);
  });
}

test('payloads that are no JSON or no UTF-8 stand in the error table with an id and the reason, the others go on', {
  skip,
}, async (t) => {
  const server = await startMosquitto(t);
  const folder = temporaryFolder(t);
  const [path, errors] = [join(folder, 'out.jsonl'), join(folder, 'errors.jsonl')];
  const columns = [{ name: '_ppf_error_document', type: 'string' }];
  const settings = { url: `mqtt://127.0.0.1:${server.ports.mqtt}`, topics: ['in'] };
  const reef = new ReefRun(t, folder, [
    { id: 'in', kind: 'source', type: 'mqtt', settings, out: [{ id: 'out' }, { id: 'errors', table: '_ppf_errors', columns }] },
    { id: 'out', kind: 'sink', type: 'file', settings: { path } },
    { id: 'errors', kind: 'sink', type: 'file', settings: { path: errors } },
  ]);
  await reef.start().says(/source "in" reads from/);
  const wrong = [
    Buffer.from('{"n":1,"text":"\xff\xfe"}', 'latin1'),
    Buffer.from([0, 1, 2, 0xff]),
    Buffer.from('{"n":2'),
    Buffer.from([0x1f, 0x8b, 8, 0, 0, 13, 0]),
  ];
  const client = await TestClient.connect(t, server.ports.mqtt);
  const rows = numberedRows(wrong.length);
  for (const [i, payload] of wrong.entries()) {
    await client.publish('in', payload);
    await client.publish('in', JSON.stringify(rows[i]));
  }
  await untilAll(rows, () => fileRows(path), [reef]);
  await reef.stop();
  const documents = readFileSync(errors, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse((JSON.parse(line) as { _ppf_error_document: string })._ppf_error_document) as ErrorDocument);
  assert.deepEqual(
    documents.map(({ origin }) => Buffer.from(origin.base64 ?? origin.text ?? '', origin.base64 ? 'base64' : 'utf8')),
    wrong,
  );
  for (const { id, reason } of documents) {
    assert.match(id, /^in:/);
    assert.match(reason, /not valid (JSON|UTF-8)/);
  }
  assert.equal(new Set(documents.map(({ id }) => id)).size, wrong.length);
});

interface ErrorDocument {
  readonly id: string;
  readonly reason: string;
  readonly origin: { readonly base64?: string; readonly text?: string };
}
