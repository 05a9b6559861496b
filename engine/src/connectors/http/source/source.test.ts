import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { type Answer, eventually, openSource, post, RawClient } from './testing.ts';

const json = { headers: { 'content-type': 'application/json' } };

test('rows on lines are answered when they are delivered, and not before', async (t) => {
  const { feed, port, source } = await openSource(t);
  let answered = false;
  const answer = post(port, '{"a":1}\nnonsense\n\n{"a":2}\n').then((got) => {
    answered = true;
    return got;
  });
  await feed.until(() => feed.text.length > 0);
  assert.equal(feed.text, '{"a":1}\nnonsense\n\n{"a":2}\n');
  assert.ok(!answered);
  assert.equal(source.open, 1);
  feed.settle();
  const { status, text, headers } = await answer;
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(text), { accepted: 2, rejected: 1 });
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(source.open, 0);
});

test('small requests share a batch, and each is told of its own rows', async (t) => {
  const { feed, port, source } = await openSource(t);
  feed.full = true;
  const bodies = Array.from({ length: 20 }, (_, n) => '{"a":1}\n'.repeat(n + 1) + (n % 3 === 0 ? '[]\n' : ''));
  let all: Answer[] | undefined;
  Promise.all(bodies.map((body) => post(port, body))).then((answers) => {
    all = answers;
  });
  await eventually(() => source.open === 20);
  feed.drain();
  await eventually(() => {
    feed.settle();
    return all !== undefined;
  });
  for (const [n, { text }] of all!.entries()) {
    assert.deepEqual(JSON.parse(text), { accepted: n + 1, rejected: n % 3 === 0 ? 1 : 0 });
  }
  assert.ok(feed.partitions.get('requests')!.flushes <= 2);
});

test('while rows are on their way, those of later requests gather on another way, and all ways end', async (t) => {
  const { feed, port } = await openSource(t, { gather_ms: 1 });
  const answers: Promise<Answer>[] = [];
  const fed = (): readonly string[] => Array.from(feed.partitions.values(), ({ text }) => text).filter((text) => text !== '');
  for (let n = 1; n <= 12; n++) {
    answers.push(post(port, `{"a":${n}}\n`));
    await feed.until(() => feed.text.includes(`{"a":${n}}`));
  }
  assert.equal(fed().length, 8);
  assert.deepEqual(fed().slice(0, 2), ['{"a":1}\n{"a":9}\n', '{"a":2}\n{"a":10}\n']);
  await eventually(() => Array.from(feed.partitions.values()).reduce((sum, { flushes }) => sum + flushes, 0) === 12);
  feed.settle();
  for (const { text } of await Promise.all(answers)) assert.deepEqual(JSON.parse(text), { accepted: 1, rejected: 0 });
  // What is free again is used again, and that of the first request first.
  const next = post(port, '{"a":13}\n');
  await feed.until(() => feed.text.includes('{"a":13}'));
  assert.equal(feed.partitions.size, 8);
  feed.settle();
  assert.equal((await next).status, 200);
});

test('all rows of a request take one way, also where it is sent in pieces', async (t) => {
  const { feed, port } = await openSource(t, { gather_ms: 1 });
  const line = `{"a":"${'x'.repeat(1000)}"}\n`;
  const client = await RawClient.open(t, port);
  const chunk = line.repeat(100);
  client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  const others: Promise<Answer>[] = [];
  for (let n = 1; n <= 4; n++) {
    client.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
    await feed.until(() => feed.text.length > 64 * line.length * n);
    others.push(post(port, `{"b":${n}}\n`));
    await feed.until(() => feed.text.includes(`{"b":${n}}`));
  }
  client.write('0\r\n\r\n');
  const ways = Array.from(feed.partitions.values()).filter(({ text }) => text.includes('{"a"'));
  assert.equal(ways.length, 1);
  await eventually(() => {
    feed.settle();
    return client.received.includes('"accepted":400');
  });
  for (const { status } of await Promise.all(others)) assert.equal(status, 200);
});

test('a last line without its newline, a byte order mark and an empty body are no trouble', async (t) => {
  const { feed, port } = await openSource(t, {}, { settles: true });
  assert.deepEqual(JSON.parse((await post(port, '\ufeff{"a":1}\n{"a":2}')).text), { accepted: 2, rejected: 0 });
  assert.deepEqual(JSON.parse((await post(port, '')).text), { accepted: 0, rejected: 0 });
  assert.equal(feed.text, '{"a":1}\n{"a":2}\n');
});

test('an array or an object becomes rows, whatever white space stands in it', async (t) => {
  const { feed, port } = await openSource(t, {}, { settles: true });
  assert.deepEqual(JSON.parse((await post(port, '[\n{"a":\n1}, {"a":2}]', json)).text), { accepted: 2, rejected: 0 });
  assert.deepEqual(JSON.parse((await post(port, '{"a":\n  3}', json)).text), { accepted: 1, rejected: 0 });
  assert.deepEqual(JSON.parse((await post(port, '[]', json)).text), { accepted: 0, rejected: 0 });
  const rows = feed.text.trimEnd().split('\n');
  assert.deepEqual(
    rows.map((row) => JSON.parse(row)),
    [{ a: 1 }, { a: 2 }, { a: 3 }],
  );
});

test('an array that curl sends with its default type is an array', async (t) => {
  const { port } = await openSource(t, {}, { settles: true });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  assert.deepEqual(JSON.parse((await post(port, ' [{"a":1},{"a":2}]', { headers })).text), { accepted: 2, rejected: 0 });
  assert.deepEqual(JSON.parse((await post(port, '{"a":1}\n{"a":2}', { headers })).text), { accepted: 2, rejected: 0 });
});

test('an array may begin with white space, also when that comes first and by itself', async (t) => {
  const { port } = await openSource(t, {}, { settles: true });
  const client = await RawClient.open(t, port);
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\nExpect: 100-continue\r\n\r\n');
  await client.until(/100 Continue/);
  client.write(' \n');
  await new Promise((resolve) => setImmediate(resolve));
  client.write('[{},\n{},\n{}]\n');
  assert.match(await client.until(/\}\n/), /\{"accepted":3,"rejected":0\}/);
  assert.equal((await post(port, ' \n ')).text, '{"accepted":0,"rejected":0}\n');
});

test('of an array with a mistake nothing enters, and the answer says where it is', async (t) => {
  const { feed, port } = await openSource(t, {}, { settles: true });
  for (const [body, message] of [
    ['[{"a":1},{"a":01}]', /element 2 /],
    ['[{"a":1},7]', /element 2 /],
    ['[{"a":1}', /ends too early/],
    ['[{"a":1}] x', /follows/],
    ['"text"', /neither/],
  ] as const) {
    const { status, text } = await post(port, body, json);
    assert.equal(status, 400, body);
    assert.match((JSON.parse(text) as { error: string }).error, message);
  }
  assert.equal(feed.text, '');
});

test('a body larger than any room goes in pieces of whole rows, beside others', async (t) => {
  const { feed, port } = await openSource(t, {}, { settles: true, roomBytes: 1000 });
  const rows = (letter: string): string => Array.from({ length: 5000 }, (_, n) => `{"${letter}":${n}}\n`).join('');
  const answers = await Promise.all(['a', 'b', 'c'].map((letter) => post(port, rows(letter))));
  for (const { text } of answers) assert.deepEqual(JSON.parse(text), { accepted: 5000, rejected: 0 });
  const fed = feed.text.trimEnd().split('\n');
  for (const letter of ['a', 'b', 'c']) {
    const own = fed.filter((row) => row.includes(`"${letter}"`));
    assert.equal(`${own.join('\n')}\n`, rows(letter));
  }
});

test('however requests are cut and mixed, each is told of exactly its own rows', async (t) => {
  const { port } = await openSource(t, { gather_ms: 0.1 }, { settles: true, roomBytes: 97 });
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  t.after(() => agent.destroy());
  const body = fc.array(
    fc.oneof({ weight: 5, arbitrary: fc.constant('{"a":1}') }, fc.constantFrom('', 'bad', `{"long":"${'x'.repeat(200)}"}`)),
    { maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(body, { minLength: 1, maxLength: 8 }), async (bodies) => {
      const answers = await Promise.all(bodies.map((lines) => post(port, lines.join('\n'), { agent })));
      for (const [index, { text }] of answers.entries()) {
        const lines = bodies[index]!.filter((line) => line !== '');
        const rejected = lines.filter((line) => line === 'bad').length;
        assert.deepEqual(JSON.parse(text), { accepted: lines.length - rejected, rejected });
      }
    }),
    { numRuns: 40 },
  );
});

test('compressed bodies are taken in every encoding that is offered', async (t) => {
  const { feed, port } = await openSource(t, {}, { settles: true });
  const body = '{"a":1}\n{"a":2}';
  const compressed = {
    gzip: gzipSync(body),
    'x-gzip': gzipSync(body),
    deflate: deflateSync(body),
    Deflate: deflateRawSync(body),
    zstd: zstdCompressSync(body),
    br: brotliCompressSync(body),
    identity: Buffer.from(body),
  };
  for (const [encoding, bytes] of Object.entries(compressed)) {
    const { status, text } = await post(port, bytes, { headers: { 'content-encoding': encoding } });
    assert.equal(status, 200, `${encoding}: ${text}`);
    assert.deepEqual(JSON.parse(text), { accepted: 2, rejected: 0 });
  }
  const array = await post(port, gzipSync('[{"a":3}]'), { headers: { 'content-encoding': 'gzip', ...json.headers } });
  assert.deepEqual(JSON.parse(array.text), { accepted: 1, rejected: 0 });
  assert.equal(feed.text, [...Array<string>(7).fill(body), '{"a":3}', ''].join('\n'));
});

test('what is larger behind its compression than allowed is refused, and so is what is damaged', async (t) => {
  const { feed, port, source } = await openSource(t, { max_body_bytes: 100_000 }, { settles: true });
  const bomb = Buffer.alloc(100_000_000, ' ');
  for (const [encoding, bytes] of Object.entries({
    gzip: gzipSync(bomb),
    zstd: zstdCompressSync(bomb),
    br: brotliCompressSync(bomb),
  })) {
    const { status, text } = await post(port, bytes.subarray(0, 100_000), { headers: { 'content-encoding': encoding } });
    assert.equal(status, 413, text);
  }
  const headers = { 'content-encoding': 'gzip' };
  const whole = gzipSync('{"a":1}\n'.repeat(1000));
  assert.equal((await post(port, whole.subarray(0, whole.length - 9), { headers })).status, 400);
  assert.equal((await post(port, '{"a":1}', { headers })).status, 400);
  assert.equal((await post(port, '', { headers })).status, 200);
  assert.equal(feed.text, '');
  assert.equal(source.open, 0);
});

test('a type, charset or encoding that cannot be read is 415', async (t) => {
  const { port } = await openSource(t, {}, { settles: true });
  for (const type of ['image/png', 'multipart/form-data; boundary=x', 'text/html', 'application/json; charset=latin1']) {
    const { status, text } = await post(port, '{}', { headers: { 'content-type': type } });
    assert.equal(status, 415, type);
    assert.match(text, /expected/);
  }
  for (const encoding of ['compress', 'gzip, gzip']) {
    const { status, headers } = await post(port, '{}', { headers: { 'content-encoding': encoding } });
    assert.equal(status, 415, encoding);
    assert.equal(headers['accept-encoding'], 'gzip, deflate, zstd, br');
  }
  const { status } = await post(port, '{}', { headers: { 'content-type': 'application/json; charset="UTF-8"' } });
  assert.equal(status, 200);
});

test('CSV goes on without its header, which says what its columns are; each header has its own way', async (t) => {
  const { feed, port } = await openSource(t, { paths: { '/': '', '/t': 'table' } }, { settles: true });
  const headers = { 'content-type': 'text/csv; charset=utf-8; header=present' };
  const send = (body: string | Buffer, path = '/', more = {}): Promise<Answer> =>
    post(port, body, { path, headers: { ...headers, ...more } });
  assert.equal((await send('a,b\r\n1,"2\n3"\r\n')).status, 200);
  assert.equal((await send('b,a\n4,5')).status, 200);
  assert.equal((await send(gzipSync('a,b\n6,7\n'), '/', { 'content-encoding': 'gzip' })).status, 200);
  assert.equal((await send('a,b\n8,9\n', '/t')).status, 200);
  assert.deepEqual(JSON.parse((await send('a,b\n')).text), { accepted: 0, rejected: 0 });
  const csv = (columns: string[]): object => ({ name: 'csv', separator: ',', header: false, columns });
  assert.deepEqual(
    [...feed.partitions.values()]
      .filter(({ text }) => text !== '')
      .map(({ name, table, codec, text }) => ({ name, table, codec, text })),
    [
      { name: 'requests.csv1', table: '', codec: csv(['a', 'b']), text: '1,"2\n3"\r\n6,7\n' },
      { name: 'requests.csv2', table: '', codec: csv(['b', 'a']), text: '4,5\n' },
      { name: 'requests/table.csv1', table: 'table', codec: csv(['a', 'b']), text: '8,9\n' },
    ],
  );
});

test('CSV that would swallow what stands behind it, or that has no header, is refused', async (t) => {
  const { feed, port } = await openSource(t, {}, { settles: true });
  for (const [body, message] of [
    ['a,b\n1,"2', /quote that is never closed/],
    ['', /is empty, expected a header/],
    ['a,"b\n', /begins with no header/],
  ] as const) {
    const { status, text } = await post(port, body, { headers: { 'content-type': 'text/csv' } });
    assert.equal(status, 400, body);
    assert.match(text, message);
  }
  assert.equal((await post(port, '1,2', { headers: { 'content-type': 'text/csv; header=absent' } })).status, 415);
  assert.equal(feed.text, '');
});

test('headers of CSV that differ are bounded', async (t) => {
  const { port } = await openSource(t, {}, { settles: true });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const headers = { 'content-type': 'text/csv' };
  const statuses: number[] = [];
  for (let n = 0; n < 258; n++) statuses.push((await post(port, `a${n}\n1\n`, { agent, headers })).status);
  assert.deepEqual(statuses, [...Array<number>(256).fill(200), 400, 400]);
  assert.equal((await post(port, 'a0\n1\n', { agent, headers })).status, 200);
});

test('where CSV is the encoding, what says nothing of itself is CSV, and JSON stays JSON', async (t) => {
  const codec = { name: 'csv', separator: ';', header: false, columns: ['x', 'y'] } as const;
  const { feed, port } = await openSource(t, {}, { settles: true, codec });
  assert.equal((await post(port, '1;2\n')).status, 200);
  assert.equal((await post(port, 'y;x\n3;4', { headers: { 'content-type': 'text/csv; header=present' } })).status, 200);
  assert.equal((await post(port, '[{"x":1}]', json)).status, 200);
  assert.deepEqual(
    [...feed.partitions.values()].map(({ codec: each, text }) => ({ codec: each, text })),
    [
      { codec: { name: 'json' }, text: '{"x":1}\n' },
      { codec, text: '1;2\n' },
      { codec: { ...codec, columns: ['y', 'x'] }, text: '3;4\n' },
    ],
  );
});

test('lines of text are taken as they are', async (t) => {
  const { feed, port } = await openSource(t, {}, { settles: true, codec: { name: 'line' } });
  assert.equal((await post(port, 'one\n[two', { headers: { 'content-type': 'text/plain' } })).status, 200);
  assert.equal((await post(port, 'x', { headers: { 'content-type': 'image/png' } })).status, 415);
  assert.equal(feed.text, 'one\n[two\n');
});

test('rows go to the table of their path; other paths are 404', async (t) => {
  const { feed, port } = await openSource(t, { paths: { '/logs': 'logs', '/also': 'logs', '/plain': '' } }, { settles: true });
  for (const path of ['/logs', '/also?x=1', '/plain']) assert.equal((await post(port, `{"p":"${path}"}`, { path })).status, 200);
  for (const path of ['/', '/logs/', '/LOGS', '/nothing']) assert.equal((await post(port, '{}', { path })).status, 404);
  const tables = [...feed.partitions.values()].map(({ name, table, text }) => ({ name, table, text }));
  assert.deepEqual(tables, [
    { name: 'requests/logs', table: 'logs', text: '{"p":"/logs"}\n{"p":"/also?x=1"}\n' },
    { name: 'requests', table: '', text: '{"p":"/plain"}\n' },
  ]);
});

test('rows are not got, deleted or asked about', async (t) => {
  const { port } = await openSource(t, {}, { settles: true });
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS']) {
    const { status, headers } = await post(port, '', { method });
    assert.equal(status, 405, method);
    assert.equal(headers.allow, 'POST, PUT');
  }
  assert.equal((await post(port, '{}', { method: 'PUT' })).status, 200);
});

test('who may not send is told so before anything else', async (t) => {
  const bare = { username: undefined, password: undefined, tokens: undefined, keys: undefined, header: 'X-API-Key' };
  const auth = { ...bare, type: 'basic' as const, username: 'ann', password: 'secret' };
  const { feed, port } = await openSource(t, { auth, paths: { '/logs': '' } }, { settles: true });
  const refused = await post(port, '{}', { path: '/nothing', auth: 'ann:wrong' });
  assert.equal(refused.status, 401);
  assert.match(refused.headers['www-authenticate']!, /^Basic /);
  assert.ok(!refused.text.includes('secret'));
  assert.equal((await post(port, '{}', { path: '/logs' })).status, 401);
  assert.equal((await post(port, '{}', { path: '/logs', auth: 'ann:secret' })).status, 200);
  assert.equal(feed.text, '{}\n');
});

test('connections are used again, and requests that do not wait for each other are answered in order', async (t) => {
  const { feed, port } = await openSource(t);
  const client = await RawClient.open(t, port);
  const one = (row: string): string => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${row.length}\r\n\r\n${row}`;
  client.write(one('{"a":1}') + one('nonsense') + one('{"a":2}\n{}'));
  await feed.until(() => feed.text.endsWith('{}\n'));
  feed.settle();
  const text = await client.until(/"accepted":2/);
  assert.deepEqual(text.match(/\{"accepted.*?\}/g), [
    '{"accepted":1,"rejected":0}',
    '{"accepted":0,"rejected":1}',
    '{"accepted":2,"rejected":0}',
  ]);
  client.write(one('{"a":3}'));
  await feed.until(() => feed.text.endsWith('{"a":3}\n'));
  feed.settle();
  await client.until(/(accepted.*){4}/s);
  assert.equal(client.closed, false);
});

test('the log says where it listens, and with log_requests what was asked and answered', async (t) => {
  const { port, log } = await openSource(t, { log_requests: true }, { settles: true });
  await post(port, '{}\n7', { path: '/some' });
  await post(port, '', { method: 'GET' });
  assert.deepEqual(log.infos, [
    `source "in" listens on http://127.0.0.1:${port}`,
    'source "in": POST /some from 127.0.0.1: 200, 2 rows, 1 rejected',
    'source "in": GET / from 127.0.0.1: 405: Rows are sent with POST, not GET',
  ]);
});
