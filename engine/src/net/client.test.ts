import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildConnector, Client } from 'undici';
import { sharedBytes, temporaryFolder } from '../connectors/testing/test-context.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { HttpClient, type HttpClientOptions } from './client.ts';
import { loadHttpLibrary } from './client-library.ts';
import { type ClientProxy, checkClientProxy, proxyTo } from './client-proxy.ts';
import { type ClientTls, openClientTls } from './client-tls.ts';

const signal = new AbortController().signal;
const noTls = undefined;

function open(t: TestContext, options: Partial<HttpClientOptions> & { url: string }): HttpClient {
  const client = new HttpClient({ action: 'ask', tls: noTls, connectTimeoutMs: 5000, responseTimeoutMs: 5000, ...options });
  t.after(() => client.close());
  return client;
}

async function listen<S extends Server>(t: TestContext, server: S, where: number | string = 0): Promise<S> {
  if (typeof where === 'number') server.listen(where, '127.0.0.1');
  else server.listen(where);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const echo = (request: IncomingMessage, response: ServerResponse): void => {
  response.setHeader('x-target', request.url!);
  response.setHeader('x-host', request.headers.host!);
  request.pipe(response);
};

const get = { method: 'GET', headers: [], mostBodyBytes: 1000 } as const;

test('what is loaded of the library are the parts that it gives out itself', async () => {
  assert.deepEqual(await loadHttpLibrary(), { Client, buildConnector });
});

test('a body that lies in shared memory arrives as it is, whatever its size', async (t) => {
  const server = await listen(t, createServer(echo));
  const client = open(t, { url: `http://127.0.0.1:${portOf(server)}/a?b=c` });
  for (const size of [0, 1, 65_535, 3_000_000]) {
    const text = Buffer.alloc(size, 'abcdefg\n').toString();
    const shared = sharedBytes(`before${text}after`);
    const body = shared.subarray(6, 6 + size);
    const response = await client.request({ method: 'POST', headers: [], body, mostBodyBytes: 4_000_000 }, signal);
    assert.equal(response.header('x-target'), '/a?b=c');
    assert.ok(response.body.toString() === text, `${size} bytes`);
  }
});

test('of a long answer so much is kept as was asked for', async (t) => {
  const server = await listen(
    t,
    createServer((_, response) => response.end('x'.repeat(300_000))),
  );
  const client = open(t, { url: `http://127.0.0.1:${portOf(server)}/` });
  const { body, bodyBytes } = await client.request({ ...get, mostBodyBytes: 100_001 }, signal);
  assert.deepEqual([body.length, bodyBytes], [100_001, 300_000]);
});

test('a request can ask for another target', async (t) => {
  const server = await listen(t, createServer(echo));
  const client = open(t, { url: `http://127.0.0.1:${portOf(server)}/a` });
  assert.equal((await client.request({ ...get, target: '/other?x=1' }, signal)).header('x-target'), '/other?x=1');
});

test('a server may listen at a Unix socket', async (t) => {
  const path = join(await temporaryFolder(t), 'http.sock');
  await listen(t, createServer(echo), path);
  const client = open(t, { url: 'http://service/a', unixSocket: path });
  const response = await client.request(get, signal);
  assert.deepEqual([response.header('x-host'), response.header('x-target')], ['service', '/a']);
  const nobody = open(t, { url: 'http://service/a', unixSocket: `${path}.none` });
  await assert.rejects(nobody.request(get, signal), { message: 'Cannot ask: http://service: there is no such socket' });
});

interface Proxied {
  readonly proxy: ClientProxy;
  /** First lines of what it was asked, with the credentials that it was shown. */
  readonly asked: string[];
}

async function startProxy(t: TestContext, refuse?: number): Promise<Proxied> {
  const asked: string[] = [];
  const note = ({ method, url, headers }: IncomingMessage): void => {
    asked.push(`${method} ${url} ${headers['proxy-authorization'] ?? 'nobody'}`);
  };
  const server = createServer((request, response) => {
    note(request);
    response.setHeader('x-host', request.headers.host!);
    response.end('from the proxy');
  });
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    note(request);
    if (refuse !== undefined) {
      socket.end(`HTTP/1.1 ${refuse} No\r\n\r\n`);
      return;
    }
    const there = connect(Number(request.url!.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(there).pipe(socket);
    });
    for (const each of [socket, there]) each.on('error', () => {});
  });
  await listen(t, server);
  const url = `http://127.0.0.1:${portOf(server)}`;
  const proxy = { url, username: 'me', password: 'secret', no_proxy: '', from_environment: false };
  return { proxy, asked };
}

const shown = `Basic ${Buffer.from('me:secret').toString('base64')}`;

test('a proxy is asked for the whole URL of an http server', async (t) => {
  const { proxy, asked } = await startProxy(t);
  const client = open(t, { url: 'http://far.example/a?b', proxy });
  const response = await client.request(get, signal);
  assert.deepEqual([response.body.toString(), response.header('x-host')], ['from the proxy', 'far.example']);
  assert.deepEqual(asked, [`GET http://far.example/a?b ${shown}`]);
});

test('to an https server the proxy carries what it cannot read', async (t) => {
  const { certificate, key } = makeCertificate({ name: 'a' });
  const server = await listen(t, createSecureServer({ cert: certificate, key }, echo));
  const settings: ClientTls = { ...({} as ClientTls), min_version: '1.2', verify: 'none' };
  const tls = await openClientTls(settings, '/', 'test', { warn() {} });
  const { proxy, asked } = await startProxy(t);
  const client = open(t, { url: `https://localhost:${portOf(server)}/a`, tls, proxy });
  for (let count = 0; count < 2; count++) assert.equal((await client.request(get, signal)).header('x-target'), '/a');
  assert.deepEqual(asked, [`CONNECT localhost:${portOf(server)} ${shown}`]);
});

test('a proxy that carries nothing is said so', async (t) => {
  const settings: ClientTls = { ...({} as ClientTls), min_version: '1.2', verify: 'none' };
  const tls = await openClientTls(settings, '/', 'test', { warn() {} });
  const { proxy } = await startProxy(t, 407);
  const client = open(t, { url: 'https://far.example/', tls, proxy });
  await assert.rejects(
    client.request(get, signal),
    /^ReefError: Cannot ask: https:\/\/far\.example: the proxy http:\S+ answers 407$/,
  );
});

test('which servers are reached through a proxy', () => {
  const proxy: ClientProxy = {
    url: 'http://proxy:3128',
    username: undefined,
    password: undefined,
    no_proxy: 'localhost, .example.org *.internal,10.0.0.1:8080',
    from_environment: false,
  };
  const through = (url: string): boolean => proxyTo(new URL(url), proxy, {}) !== undefined;
  assert.deepEqual(['http://example.com/', 'http://notexample.org/', 'http://10.0.0.1/'].map(through), [true, true, true]);
  assert.deepEqual(
    ['http://localhost:1/', 'http://example.org/', 'https://a.b.example.org/', 'http://a.internal/', 'http://10.0.0.1:8080/'].map(
      through,
    ),
    [false, false, false, false, false],
  );
  const env = { HTTPS_PROXY: 'http://me:p%40ss@secure:1', http_proxy: 'plain:2', NO_PROXY: '*.local' };
  const asTold = { ...proxy, url: undefined, no_proxy: '', from_environment: true };
  assert.deepEqual(
    ['https://a/', 'http://a/', 'http://a.local/'].map((url) => proxyTo(new URL(url), asTold, env)),
    [
      { origin: 'http://secure:1', authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}` },
      { origin: 'http://plain:2', authorization: undefined },
      undefined,
    ],
  );
  assert.equal(proxyTo(new URL('https://a/'), { ...asTold, from_environment: false }, env), undefined);
});

test('settings of a proxy that cannot be meant are refused', () => {
  const proxy: ClientProxy = { url: undefined, username: undefined, password: 'p', no_proxy: '', from_environment: false };
  const issues = (given: Partial<ClientProxy>): string[] =>
    checkClientProxy({ ...proxy, ...given }).map(({ path, message }) => `${path.join('.')} ${message}`);
  assert.deepEqual(issues({}), ['proxy.url is missing, expected it, or "from_environment: true"']);
  assert.deepEqual(issues({ url: 'http://a:b@c' }), [
    'proxy.url holds a user name or password, expected them in "proxy"',
    'proxy.username is missing, expected it beside "proxy.password"',
  ]);
  assert.match(issues({ url: 'https://c', username: 'u' })[0]!, /^proxy\.url is "https:\/\/c", expected http:\/\//);
});
