/** Clients that do not do what they should. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, openSource, post, RawClient } from './testing.ts';

function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
}

test('a body that says that it is too long is refused before it is sent', async (t) => {
  const { feed, port } = await openSource(t, { max_body_bytes: 100 });
  const client = await RawClient.open(t, port);
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n');
  const text = await client.ended();
  assert.equal(statusOf(text), 413);
  assert.match(text, /Connection: close/);
  assert.match(text, /longer than 100 bytes/);
  assert.equal(feed.text, '');
});

test('a body that turns out too long is refused, and its client sees why though it is still sending', async (t) => {
  const { source, port } = await openSource(t, { max_body_bytes: 1000 });
  const client = await RawClient.open(t, port);
  client.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  const piece = 'x'.repeat(600);
  client.write(`258\r\n${piece}\r\n258\r\n${piece}\r\n258\r\n${piece}\r\n`);
  const text = await client.until(/longer than/);
  assert.equal(statusOf(text), 413);
  client.write('0\r\n\r\n');
  await client.ended();
  assert.equal(source.open, 0);
});

test('whoever goes on sending what was refused is cut off', async (t) => {
  const { port } = await openSource(t, { max_body_bytes: 1000 });
  const client = await RawClient.open(t, port);
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n');
  const piece = 'x'.repeat(100_000);
  const more = (): void => {
    if (!client.closed && client.socket.write(piece)) setImmediate(more);
  };
  client.socket.on('drain', more);
  more();
  assert.equal(statusOf(await client.ended()), 413);
});

test('a client that waits to be told to go on is told so when its request is right', async (t) => {
  const { port, feed } = await openSource(t, {}, { settles: true });
  const client = await RawClient.open(t, port);
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n');
  assert.match(await client.until(/\r\n\r\n/), /^HTTP\/1\.1 100 Continue/);
  client.write('{}');
  assert.match(await client.until(/accepted/), /200 OK/);
  assert.equal(feed.text, '{}\n');
});

test('chunks that are no chunks, and lengths that are no lengths, are 400', async (t) => {
  const { port, source } = await openSource(t, {}, { settles: true });
  const heads = [
    'Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n',
    'Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n',
    'Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n',
    'Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n',
    'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
    'Transfer-Encoding: gzip, chunked, x\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
    'Content-Length: -1\r\n\r\n',
    'Content-Length: 2x\r\n\r\n{}',
    'Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
    'Content-Length: 2\nBad Header: x\r\n\r\n{}',
  ];
  for (const head of heads) {
    const client = await RawClient.open(t, port);
    client.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}`);
    assert.equal(statusOf(await client.ended()), 400, head);
  }
  await eventually(() => source.open === 0);
});

test('a request without Host, and one that is no HTTP, is 400', async (t) => {
  const { port } = await openSource(t);
  for (const text of ['POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n', 'nonsense\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00']) {
    const client = await RawClient.open(t, port);
    client.write(text);
    assert.equal(statusOf(await client.ended()), 400, JSON.stringify(text));
  }
});

test('a flood of headers is 431', async (t) => {
  const { port } = await openSource(t, { max_header_bytes: 2000 });
  for (const flood of [`X-Long: ${'x'.repeat(5000)}\r\n`, 'X-Many: x\r\n'.repeat(500)]) {
    const client = await RawClient.open(t, port);
    client.write(`POST / HTTP/1.1\r\nHost: x\r\n${flood}\r\n`);
    assert.equal(statusOf(await client.ended()), 431);
  }
});

test('a head that comes a byte at a time is 408, and so is a body', async (t) => {
  const { port, source } = await openSource(t, { header_timeout_secs: 0.1, request_timeout_secs: 0.2 });
  const texts = [
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nX-Slow: ',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n',
  ];
  for (const text of texts) {
    const client = await RawClient.open(t, port);
    client.write(text);
    const drip = setInterval(() => client.write('x'), 10);
    t.after(() => clearInterval(drip));
    assert.equal(statusOf(await client.ended()), 408, text);
    clearInterval(drip);
  }
  await eventually(() => source.open === 0);
});

test('a client that leaves in the middle of its body leaves nothing behind', async (t) => {
  const { feed, source, port } = await openSource(t, {}, { settles: true });
  const client = await RawClient.open(t, port);
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"a":1}\n');
  await eventually(() => source.open === 1);
  client.socket.destroy();
  await eventually(() => source.open === 0);
  assert.equal(feed.text, '');
  assert.equal(source.held, 0);
});

test('of a long body whose client leaves, whole rows are delivered and the rest is forgotten', async (t) => {
  const { feed, source, port } = await openSource(t, {}, { settles: true });
  const client = await RawClient.open(t, port);
  const rows = '{"a":1}\n'.repeat(20_000);
  client.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${rows.length + 1000}\r\n\r\n${rows}{"a":`);
  await feed.until(() => feed.text.length > 0);
  client.socket.destroy();
  await eventually(() => source.open === 0);
  assert.match(feed.text, /^(\{"a":1\}\n)+$/);
  await eventually(() => source.held === 0);
});

test('a client that leaves before its answer: its rows are delivered once, and the others are answered', async (t) => {
  const { feed, source, port } = await openSource(t);
  const client = await RawClient.open(t, port);
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{"a":1}');
  await feed.until(() => feed.text !== '');
  client.socket.destroy();
  await client.ended();
  const other = post(port, '{"a":2}\n7');
  await feed.until(() => feed.text.length > 8);
  feed.settle();
  assert.deepEqual(JSON.parse((await other).text), { accepted: 1, rejected: 1 });
  assert.equal(feed.text, '{"a":1}\n{"a":2}\n7\n');
  assert.equal(source.open, 0);
});

test('connections beyond the most are closed', async (t) => {
  const { port } = await openSource(t, { max_connections: 2 }, { settles: true });
  const first = await RawClient.open(t, port);
  const second = await RawClient.open(t, port);
  const third = await RawClient.open(t, port);
  await third.ended();
  assert.ok(!first.closed && !second.closed);
  first.socket.destroy();
  second.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
  assert.match(await second.until(/accepted/), /200 OK/);
});

test('an idle connection is closed', async (t) => {
  const { port } = await openSource(t, { keep_alive_secs: 0.05 }, { settles: true });
  const client = await RawClient.open(t, port);
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
  assert.match(await client.ended(), /200 OK/);
});
