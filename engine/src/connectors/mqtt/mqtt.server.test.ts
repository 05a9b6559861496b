import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { binarySamples } from '../../testing/binary-samples.ts';
import { makeCertificate } from '../../testing/certificates.ts';
import { reef, temporaryFolder, writePunchline } from '../../testing/reef-process.ts';
import { mosquitto, startMosquitto } from '../../testing/servers/mosquitto.ts';
import { missing, program } from '../../testing/servers/needs.ts';
import { runProgram } from '../../testing/servers/run-program.ts';
import { openSink, readSource } from '../../testing-nodes.ts';
import sinkSpec from './sink.ts';
import sourceSpec from './source.ts';
import { TestClient } from './testing/test-client.ts';

const skip = await missing(mosquitto, program('mosquitto_pub', 'mosquitto-clients'));

test('messages of mosquitto_pub come over WebSocket and TLS with a client certificate, also with version 3.1.1', {
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
  const ways = [
    { url: `ws://127.0.0.1:${server.ports.websocket}` },
    { url: `mqtts://localhost:${server.ports.tls}`, tls },
    { url: `mqtts://localhost:${server.ports.tls}`, tls, protocol_version: 4 },
  ];
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
