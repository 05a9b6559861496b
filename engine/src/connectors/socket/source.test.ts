/** The source in whole punchlines, run by the built command. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { binarySamples } from '../../testing/binary-samples.ts';
import { makeCertificate } from '../../testing/certificates.ts';
import { connectTo, sendAll, startListening } from './testing/start-listening.ts';

test('lines of many connections are rows, those of each in order, with who sent them', async (t) => {
  const columns = ['from', 'n', '_ppf_remote_host', '_ppf_local_port'].map((name) => ({ name, type: 'any' }));
  const { port, stop } = await startListening(t, { type: 'socket', settings: { port: 0 } }, { columns });
  const clients = Array.from({ length: 5 }, async (_, from) => {
    const lines = Array.from({ length: 2000 }, (_, n) => `{"from":${from},"n":${n}}\n`).join('');
    const cut = 1 + from * 1000;
    // What has no newline at the end is a row too.
    await sendAll(connectTo(port), lines.slice(0, cut), lines.slice(cut), `{"from":${from},"n":2000}`);
  });
  await Promise.all(clients);
  const { rows, errors } = await stop();
  assert.equal(errors.length, 0);
  for (let from = 0; from < 5; from++) {
    const mine = rows.filter((row) => row.from === from);
    assert.deepEqual(
      mine.map(({ n }) => n),
      Array.from({ length: 2001 }, (_, n) => n),
    );
  }
  assert.equal(rows[0]!._ppf_remote_host, '127.0.0.1');
  assert.equal(rows[0]!._ppf_local_port, port);
});

test('messages with a length before them are rows whatever bytes they hold', async (t) => {
  const settings = { port: 0, framing: { by: 'length', length_bytes: '2', byte_order: 'little' }, encoding: 'line' };
  const { port, stop } = await startListening(t, { type: 'socket', settings });
  const messages = ['a\nb', '\0"', 'x'.repeat(60_000)];
  const frames = messages.map((message) => {
    const length = Buffer.alloc(2);
    length.writeUInt16LE(message.length);
    return Buffer.concat([length, Buffer.from(message)]);
  });
  await sendAll(connectTo(port), Buffer.concat(frames));
  const { rows } = await stop();
  assert.deepEqual(
    rows.map(({ message }) => message),
    messages,
  );
});

test('a bad message costs only itself', async (t) => {
  const { port, stop } = await startListening(t, { type: 'socket', settings: { port: 0 } });
  await sendAll(connectTo(port), '{"n":1}\n{"n":\n\xff\n{"n":2}\n');
  const { rows, errors } = await stop();
  assert.deepEqual(rows, [{ n: 1 }, { n: 2 }]);
  assert.equal(errors.length, 2);
});

test('a connection whose framing is lost, or that does not end a message, is closed, and the others go on', async (t) => {
  const settings = { port: 0, framing: { by: 'octets' }, message_timeout_secs: 0.2 };
  const { port, stop } = await startListening(t, { type: 'socket', settings });
  const slow = connectTo(port);
  slow.write('7 {"n":');
  const closed = new Promise((resolve) => slow.once('close', resolve));
  slow.on('error', () => {});
  await sendAll(connectTo(port), 'hello').catch(() => {});
  await sendAll(connectTo(port), '7 {"n":1}');
  await closed;
  const { rows, log } = await stop();
  assert.deepEqual(rows, [{ n: 1 }]);
  assert.match(log, /does not begin with its length/);
  assert.match(log, /was not complete within 0.2 s/);
});

test('what was read before a connection is cut is delivered, and its half message is an error of its own', async (t) => {
  const { port, written, stop } = await startListening(t, { type: 'socket', settings: { port: 0 } });
  const cut = connectTo(port);
  cut.write('{"n":1}\n{"n":');
  await written(1);
  cut.resetAndDestroy();
  await sendAll(connectTo(port), '{"n":2}\n');
  const { rows, errors } = await stop();
  assert.deepEqual(rows, [{ n: 1 }, { n: 2 }]);
  assert.equal(errors.length, 1);
});

test('further connections than allowed are closed', async (t) => {
  const { port, stop } = await startListening(t, { type: 'socket', settings: { port: 0, max_connections: 1 } });
  const first = connectTo(port);
  await new Promise((resolve) => first.once('connect', resolve));
  const second = connectTo(port);
  second.on('error', () => {});
  await new Promise((resolve) => second.once('close', resolve));
  await sendAll(first, '{"n":1}\n');
  assert.deepEqual((await stop()).rows, [{ n: 1 }]);
});

test('a stop reads what has arrived', async (t) => {
  const { port, stop } = await startListening(t, { type: 'socket', settings: { port: 0 } });
  // Until then it only listens.
  await sendAll(connectTo(port), '{"n":-1}\n');
  const client = connectTo(port);
  client.on('error', () => {});
  const lines = Array.from({ length: 50_000 }, (_, n) => `{"n":${n}}\n`).join('');
  await new Promise((resolve) => client.write(lines, resolve));
  const { rows } = await stop();
  assert.equal(rows.length, 50_001);
  client.destroy();
});

test('only clients with a certificate of the authority get in', async (t) => {
  const authority = makeCertificate({ name: 'authority', authority: true });
  const server = makeCertificate({ name: 'server', issuer: authority });
  const client = makeCertificate({ name: 'client', issuer: authority });
  const other = makeCertificate({ name: 'other' });
  const files = { 'server.pem': server.certificate, 'server.key': server.key, 'ca.pem': authority.certificate };
  const tls = { certificate_file: 'server.pem', key_file: 'server.key', ca_file: 'ca.pem' };
  const { port, stop } = await startListening(t, { type: 'socket', settings: { port: 0, tls } }, { files });
  const options = { port, host: '127.0.0.1', ca: authority.certificate };
  for (const wrong of [{}, { cert: other.certificate, key: other.key }])
    await sendAll(connectTls({ ...options, ...wrong }), '{"n":0}\n').catch(() => {});
  await sendAll(connectTls({ ...options, cert: client.certificate, key: client.key }), '{"n":1}\n');
  const { rows, log } = await stop();
  assert.deepEqual(rows, [{ n: 1 }]);
  assert.match(log, /is refused: it shows no certificate/);
});

test('a Unix socket has the rights that were asked for, and one that was left behind is no hindrance', async (t) => {
  const source = { type: 'socket', settings: { proto: 'unix', path: 'in.sock', path_mode: '0600' } };
  const { folder, child, ended } = await startListening(t, source);
  const path = join(folder, 'in.sock');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  child.kill('SIGKILL');
  await ended;
  const again = await startListening(t, { ...source, settings: { ...source.settings, path } });
  await sendAll(connect({ path }), '{"n":1}\n');
  assert.deepEqual((await again.stop()).rows, [{ n: 1 }]);
});

test('each line of a datagram is a row', async (t) => {
  const columns = ['n', '_ppf_remote_port'].map((name) => ({ name, type: 'integer' }));
  const { port, stop, written } = await startListening(t, { type: 'socket', settings: { proto: 'udp', port: 0 } }, { columns });
  const client = createSocket('udp4');
  t.after(() => client.close());
  for (const text of ['{"n":1}', '{"n":2}\n{"n":3}\n'])
    await new Promise((resolve) => client.send(text, port, '127.0.0.1', resolve));
  await written(3);
  const { rows } = await stop();
  assert.deepEqual(
    rows,
    [1, 2, 3].map((n) => ({ n, _ppf_remote_port: client.address().port })),
  );
});

test('with encoding raw a frame is a row whatever bytes it holds, and so is a datagram or a line', async (t) => {
  const samples = binarySamples().filter((bytes) => bytes.length > 0);
  const framing = { by: 'length', length_bytes: '4', byte_order: 'big', delimiter: '\\0' } as const;
  const framed = await startListening(t, { type: 'socket', settings: { port: 0, framing, encoding: 'raw' } });
  const frames = samples.map((bytes) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  });
  await sendAll(connectTo(framed.port), Buffer.concat(frames));
  const base64 = (each: readonly Buffer[]) => each.map((bytes) => ({ content: bytes.toString('base64') }));
  assert.deepEqual((await framed.stop()).rows, base64(samples));

  const lined = await startListening(t, { type: 'socket', settings: { port: 0, encoding: 'raw' } });
  const lines = [Buffer.from([0, 255, 13]), Buffer.from([0xc3, 0x28]), Buffer.from('"')];
  await sendAll(connectTo(lined.port), Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])));
  assert.deepEqual((await lined.stop()).rows, base64(lines));

  const datagrams = await startListening(t, { type: 'socket', settings: { proto: 'udp', port: 0, encoding: 'raw' } });
  const short = samples.filter(({ length }) => length < 1000);
  const socket = createSocket('udp4');
  for (const bytes of short) await new Promise((sent) => socket.send(bytes, datagrams.port, '127.0.0.1', sent));
  socket.close();
  await datagrams.written(short.length);
  const { rows } = await datagrams.stop();
  assert.deepEqual(new Set(rows.map(({ content }) => content)), new Set(base64(short).map(({ content }) => content)));
});
