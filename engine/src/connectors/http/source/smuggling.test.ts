/** Bytes that two readers of HTTP may understand in two ways: what one takes for a body must not enter as a request of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { eventually, openSource, post, RawClient } from './testing.ts';

const ROW = '{"smuggled":1}';
const SMUGGLED = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${ROW.length}\r\n\r\n${ROW}`;
const CHUNKED = `0\r\n\r\n${SMUGGLED}`;

function statuses(text: string): number[] {
  return [...text.matchAll(/^HTTP\/1\.[01] (\d+)/gm)].map(([, status]) => Number(status));
}

test('a head that says two lengths, or one in a way that others read otherwise, is refused with all that follows', async (t) => {
  const { feed, port, source } = await openSource(t, {}, { settles: true });
  const length = CHUNKED.length;
  for (const fields of [
    `Content-Length: ${length}\r\nTransfer-Encoding: chunked`,
    `Transfer-Encoding: chunked\r\nContent-Length: ${length}`,
    `Content-Length: ${length}\r\nTransfer-Encoding: identity`,
    `Transfer-Encoding: xchunked\r\nContent-Length: 5`,
    `Transfer-Encoding: chunked, identity`,
    `Transfer-Encoding: chunked\r\nTransfer-Encoding: x`,
    `Transfer-Encoding : chunked`,
    `Transfer-Encoding\x0b: chunked`,
    ` Transfer-Encoding: chunked`,
    `X: y\r\n Transfer-Encoding: chunked\r\nContent-Length : 3`,
    `Content-Length: +5`,
    `Content-Length: 0x5`,
    `Content-Length: 5, 6`,
    `Content-Length: 5 6`,
    `Content-Length: 99999999999999999999`,
    `Content-Length: 5\r\nContent-Length: 6`,
    `X: a\rTransfer-Encoding: chunked`,
    `X: a\0b`,
  ]) {
    const client = await RawClient.open(t, port);
    client.write(`POST / HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n${CHUNKED}`);
    assert.deepEqual(statuses(await client.ended()), [400], JSON.stringify(fields));
  }
  assert.equal(feed.text, '');
  assert.equal(source.open, 0);
});

test('chunks whose sizes or ends are wrong end the connection, and nothing behind them enters', async (t) => {
  const { feed, port, source } = await openSource(t, {}, { settles: true });
  for (const body of [
    `4\r\n{}\n{}\r\n${CHUNKED}`,
    `2\n{}\r\n${CHUNKED}`,
    `2 x\r\n{}\r\n${CHUNKED}`,
    `2\r\n{}${CHUNKED}`,
    `0x2\r\n{}\r\n${CHUNKED}`,
  ]) {
    const client = await RawClient.open(t, port);
    client.write(`POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
    assert.deepEqual(statuses(await client.ended()), [400], JSON.stringify(body));
  }
  assert.ok(!feed.text.includes('smuggled'), feed.text);
  await eventually(() => source.open === 0);
});

test('a body that is longer than its length: its rows are answered for once they are delivered, and then the connection ends', async (t) => {
  const { feed, port } = await openSource(t);
  const one = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{"n":1}';
  for (const rest of [
    '{"more":1}',
    `${one}nonsense\r\n\r\n`,
    'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  ]) {
    const client = await RawClient.open(t, port);
    const fed = feed.text.length;
    client.write(`${one}${rest}`);
    await feed.until(() => feed.text.length > fed);
    assert.equal(client.received, '');
    const settling = setInterval(() => feed.settle(), 5);
    const found = statuses(await client.ended());
    clearInterval(settling);
    assert.equal(found.at(-1), 400, rest);
    assert.deepEqual(found.slice(0, -1), rest.startsWith(one) ? [200, 200] : [200], rest);
  }
});

test('extensions of chunks and trailers without end are refused, and hold no memory', async (t) => {
  const { port, source } = await openSource(t, { max_header_bytes: 4096 });
  for (const [before, piece] of [
    ['2;', 'x'.repeat(1000)],
    ['2\r\n{}\r\n0\r\n', `X: ${'y'.repeat(1000)}\r\n`],
  ] as const) {
    const client = await RawClient.open(t, port);
    client.write(`POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${before}`);
    const more = (): void => {
      if (!client.closed && client.socket.write(piece)) setImmediate(more);
    };
    client.socket.on('drain', more);
    more();
    const [status] = statuses(await client.ended());
    assert.ok(status === 413 || status === 431, `${status}`);
  }
  await eventually(() => source.open === 0);
});

test('what follows a request that is refused with its body unread is no request', async (t) => {
  const { feed, port } = await openSource(t, { paths: { '/rows': '' } }, { settles: true });
  for (const head of [
    'GET /rows',
    'HEAD /rows',
    'OPTIONS *',
    'POST /other',
    'POST /rows/../rows',
    'POST //rows',
    'POST /rows%00',
    'POST /rows/',
  ]) {
    const client = await RawClient.open(t, port);
    client.write(`${head} HTTP/1.1\r\nHost: x\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`);
    const found = statuses(await client.until(/\r\n\r\n/));
    assert.ok(found.length === 1 && (found[0] === 404 || found[0] === 405), `${head}: ${found}`);
  }
  assert.equal(feed.text, '');
});

test('addresses that are none, and requests for tunnels and other protocols, are refused', async (t) => {
  const { feed, port } = await openSource(t, { max_header_bytes: 4096, paths: { '/rows': '' } }, { settles: true });
  for (const [head, expected] of [
    [`POST /${'a'.repeat(10_000)}`, 431],
    ['POST rows', 400],
    ['POST /r ows', 400],
    ['POST http://elsewhere.example/rows', 404],
    ['POST /\u0000', 400],
    ['POST /%', 404],
    ['PRI *', 400],
  ] as const) {
    const client = await RawClient.open(t, port);
    client.write(`${head} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    assert.deepEqual(statuses(await client.ended()), [expected], head.slice(0, 40));
  }
  const tunnel = await RawClient.open(t, port);
  tunnel.write(`CONNECT elsewhere.example:80 HTTP/1.1\r\nHost: x\r\n\r\n${SMUGGLED}`);
  assert.deepEqual(
    statuses(await tunnel.ended()).filter((status) => status < 300),
    [],
  );
  const upgrade = await RawClient.open(t, port);
  upgrade.write(`POST /rows HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\nContent-Length: 2\r\n\r\n{}`);
  assert.deepEqual(statuses(await upgrade.ended()), [200]);
  assert.equal(feed.text, '{}\n');
});

test('a flood of requests on one connection, whose answers nobody reads, is bounded', async (t) => {
  const { port, source } = await openSource(t, { max_requests: 50 });
  const client = await RawClient.open(t, port);
  client.socket.pause();
  let most = 0;
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}'.repeat(5000));
  for (let turn = 0; turn < 500; turn++) {
    most = Math.max(most, source.open);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(most > 0 && most <= 50, `${most}`);
  assert.ok(!client.closed || most <= 50);
});

test('a bomb of a thousand to one is refused before it fills the memory, in every layer', async (t) => {
  const { feed, port } = await openSource(t, { max_body_bytes: 4 * 1024 * 1024 }, { settles: true });
  const member = gzipSync(Buffer.alloc(64 * 1024 * 1024, '{}\n'), { level: 9 });
  const bomb = Buffer.concat(Array.from({ length: 16 }, () => member));
  assert.ok(bomb.length < 4 * 1024 * 1024);
  const before = process.memoryUsage.rss();
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => post(port, bomb, { headers: { 'content-encoding': 'gzip' } })),
  );
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([413]));
  const grown = process.memoryUsage.rss() - before;
  assert.ok(grown < 200 * 1024 * 1024, `${grown} bytes more for a gigabyte eight times`);
  assert.equal(feed.text, '');
  const twice = await post(port, gzipSync(gzipSync('{}')), { headers: { 'content-encoding': 'gzip, gzip' } });
  assert.equal(twice.status, 415);
});
