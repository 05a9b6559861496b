import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { freePort } from './servers/free-port.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** A server that sends back what it gets, behind a proxy. */
async function echoBehindProxy(t: TestContext) {
  const port = await freePort();
  const got: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      got.push(bytes);
      socket.write(bytes);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
  });
  return { proxy: await TcpProxy.start(t, port), got: () => Buffer.concat(got).toString() };
}

async function client(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  t.after(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return socket;
}

test('what is sent passes in both directions', async (t) => {
  const { proxy } = await echoBehindProxy(t);
  const socket = await client(t, proxy.port);
  socket.write('hello');
  assert.equal(String((await once(socket, 'data'))[0]), 'hello');
  assert.equal(proxy.accepted, 1);
});

test('a connection that is cut after some bytes ends there, on both sides', async (t) => {
  const { proxy, got } = await echoBehindProxy(t);
  const socket = await client(t, proxy.port);
  proxy.cutAfter(3);
  socket.write('hello');
  await once(socket, 'error').catch(() => {});
  await proxy.until(({ connections }) => connections === 0);
  assert.ok('hel'.startsWith(got()), got());
  const again = await client(t, proxy.port);
  again.write('again');
  assert.equal(String((await once(again, 'data'))[0]), 'again');
});

test('while it holds, connections are accepted and nothing is answered; afterwards all of it is', async (t) => {
  const { proxy, got } = await echoBehindProxy(t);
  proxy.hold();
  const socket = await client(t, proxy.port);
  socket.write('hello');
  await proxy.until(({ accepted }) => accepted === 1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(got(), '');
  proxy.release();
  assert.equal(String((await once(socket, 'data'))[0]), 'hello');
});

test('a proxy that refuses is as absent as a server that is down, and comes back on its port', async (t) => {
  const { proxy } = await echoBehindProxy(t);
  await proxy.refuse();
  const [error] = await once(connect({ port: proxy.port, host: '127.0.0.1' }), 'error');
  assert.equal(error.code, 'ECONNREFUSED');
  await proxy.accept();
  const socket = await client(t, proxy.port);
  socket.write('hello');
  assert.equal(String((await once(socket, 'data'))[0]), 'hello');
});
