/** What happens when the pipeline is slower than its clients, and when it stops. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, openSource, post, RawClient } from './testing.ts';

const one = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{"a":1}';

test('too many requests at once are 429, and told when to come again', async (t) => {
  const { feed, source, port } = await openSource(t, { max_requests: 2, retry_after_secs: 7 });
  const taken = [post(port, '{}'), post(port, '{}')];
  await eventually(() => source.open === 2);
  const { status, headers, text } = await post(port, '{}');
  assert.equal(status, 429);
  assert.equal(headers['retry-after'], '7');
  assert.match(text, /2 requests wait/);
  await feed.until(() => feed.text.length === 6);
  feed.settle();
  for (const { status } of await Promise.all(taken)) assert.equal(status, 200);
});

test('while there is no memory bodies wait, up to a bound; then requests are 503', async (t) => {
  const { feed, source, port } = await openSource(t, { max_waiting_bytes: 1000 }, { settles: true });
  feed.full = true;
  const waiting = [post(port, 'x'.repeat(600)), post(port, 'x'.repeat(600))];
  await eventually(() => source.held >= 1200);
  const refused = await post(port, '{}');
  assert.equal(refused.status, 503);
  assert.equal(refused.headers['retry-after'], '1');
  feed.drain();
  for (const { text } of await Promise.all(waiting)) assert.deepEqual(JSON.parse(text), { accepted: 0, rejected: 1 });
  assert.equal(source.held, 0);
  assert.equal((await post(port, '{}')).status, 200);
});

test('rows without end do not fill the memory', async (t) => {
  const { source, port } = await openSource(t, { max_body_bytes: 1e9, max_waiting_bytes: 1_000_000 }, { settles: true });
  const answers = await Promise.all([1, 2, 3].map(() => post(port, 'x'.repeat(800_000))));
  assert.ok(answers.some(({ status }) => status === 503));
  assert.ok(answers.every(({ status }) => status === 503 || status === 200));
  await eventually(() => source.held === 0);
});

test('a client that sends faster than memory comes free is made to wait', async (t) => {
  const { feed, source, port } = await openSource(t, { max_body_bytes: 1e9 }, { settles: true });
  feed.full = true;
  const rows = '{"a":1}\n'.repeat(1_000_000);
  const answer = post(port, rows);
  let before = -1;
  // Until nothing more comes.
  for (let same = 0; same < 200; same = source.held === before ? same + 1 : 0) {
    before = source.held;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(source.held < 2_000_000, `${source.held} bytes were taken`);
  feed.drain();
  assert.deepEqual(JSON.parse((await answer).text), { accepted: 1_000_000, rejected: 0 });
  assert.equal(source.held, 0);
});

test('rows that are not delivered in time are answered with 503, once', async (t) => {
  const { feed, source, port } = await openSource(t, { ack_timeout_secs: 0.1 });
  const client = await RawClient.open(t, port);
  client.write(one);
  const text = await client.until(/error/);
  assert.match(text, /^HTTP\/1\.1 503 /);
  assert.match(text, /Retry-After: 1/);
  assert.match(text, /not delivered within 0\.1 s; some of its rows may be delivered/);
  assert.equal(source.open, 0);
  feed.settle();
  client.write(one);
  await feed.until(() => feed.text.length > 8);
  feed.settle();
  const all = await client.until(/accepted/);
  assert.equal(all.match(/HTTP\/1\.1/g)?.length, 2);
  assert.match(all, /200 OK/);
});

test('at a stop what was fed is answered when it is delivered, and the connection closed; nothing new is taken', async (t) => {
  const { feed, source, port, stop } = await openSource(t);
  const client = await RawClient.open(t, port);
  const idle = await RawClient.open(t, port);
  client.write(one);
  await feed.until(() => feed.text !== '');
  const stopped = stop();
  idle.write(one);
  const refused = await idle.ended();
  assert.ok(refused === '' || /^HTTP\/1\.1 503 .*stopping/s.test(refused), refused);
  await stopped;
  await assert.rejects(post(port, '{}'), { code: 'ECONNREFUSED' });
  feed.settle();
  assert.match(await client.ended(), /^HTTP\/1\.1 200 OK.*Connection: close.*"accepted":1/s);
  assert.equal(source.open, 0);
});

test('at a stop what gathers goes on its way, and what waits for memory or is half received is 503', async (t) => {
  const { feed, source, port, stop } = await openSource(t, { gather_ms: 60_000 });
  const [first, second, waiting, half] = await Promise.all([1, 2, 3, 4].map(() => RawClient.open(t, port)));
  first!.write(one);
  await feed.until(() => feed.text !== '');
  second!.write(one);
  await eventually(() => source.open === 2);
  half!.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"a":1}\n');
  await eventually(() => source.open === 3);
  feed.full = true;
  waiting!.write(one.replace('7', '100000').replace('{"a":1}', `{"a":"${'x'.repeat(99_992)}"}`));
  await eventually(() => source.open === 4);
  await stop();
  assert.match(await waiting!.until(/\}\n/), /^HTTP\/1\.1 503 .*The pipeline is stopping/s);
  assert.match(await half!.until(/\}\n/), /^HTTP\/1\.1 503 /);
  feed.settle();
  assert.match(await first!.ended(), /"accepted":1/);
  assert.match(await second!.ended(), /"accepted":1/);
});

test('at a stop a client whose rows went on in part is told so', async (t) => {
  const { feed, port, stop } = await openSource(t, {}, { roomBytes: 1000 });
  const row = `{"a":"${'x'.repeat(92)}"}\n`;
  const client = await RawClient.open(t, port);
  feed
    .until(() => feed.text.length >= 1000)
    .then(() => {
      feed.full = true;
    });
  client.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${row.length * 50}\r\n\r\n${row.repeat(50)}`);
  await eventually(() => feed.full);
  await stop();
  assert.match(await client.until(/\}\n/), /^HTTP\/1\.1 503 .*some of its rows may be delivered/s);
});

test('at the end nobody is left without an answer', async (t) => {
  const { source, port, stop, feed } = await openSource(t);
  const client = await RawClient.open(t, port);
  client.write(one);
  await feed.until(() => feed.text !== '');
  await stop();
  const closed = source.close();
  assert.match(await client.ended(), /^HTTP\/1\.1 503 .*may be delivered/s);
  await closed;
});
