import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { ReefError } from '../../../errors.ts';
import type { Bulk, BulkSink } from '../../../spec/bulk-sink.ts';
import type { Codec } from '../../../spec/plan.ts';
import { sharedBytes, TestLog, withDefaults } from '../../testing/test-context.ts';
import { type HttpSinkSettings, settings } from './settings.ts';
import httpSink from './sink.ts';

interface Seen {
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly text: string;
}

type Answer = (response: ServerResponse, seen: Seen) => void;

/** A server that answers as it is told; its URL, and what it has seen. */
async function serve(t: TestContext, answer: Answer): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const listener: RequestListener = async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
    const one = { request, body, text: body.toString() };
    seen.push(one);
    answer(response, one);
  };
  const server = createServer(listener).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/rows?to=a`, seen };
}

const status =
  (code: number, text = '', headers: Readonly<Record<string, string>> = {}): Answer =>
  (response) =>
    response.writeHead(code, headers).end(text);

async function open(
  t: TestContext,
  given: Partial<HttpSinkSettings> & { url: string },
  codec: Codec = { name: 'json' },
): Promise<{ sink: BulkSink; log: TestLog }> {
  const log = new TestLog();
  const sink = await httpSink.open({
    id: 'out',
    settings: withDefaults(settings, given),
    folder: '/',
    punchlineKind: 'StreamPunchline',
    log,
    count() {},
    codec,
    resume: undefined,
    memory: '/nowhere',
  });
  t.after(() => sink.close('stopped'));
  return { sink, log };
}

function bulk(...rows: string[]): Bulk {
  const offsets = new Uint32Array(rows.length + 1);
  rows.forEach((row, index) => {
    offsets[index + 1] = offsets[index]! + Buffer.byteLength(row) + 1;
  });
  return { bytes: sharedBytes(rows.map((row) => `${row}\n`).join('')), rows: rows.length, offsets, side: [] };
}

const signal = new AbortController().signal;
const failure = (sending: Promise<unknown>): Promise<ReefError> =>
  sending.then(
    () => assert.fail('it was taken'),
    (error: ReefError) => error,
  );

test('rows go as an array, as lines, or one by one, with headers that say so', async (t) => {
  const { url, seen } = await serve(t, status(200, '{"accepted":2}'));
  const rows = bulk('{"a":1}', '{"a":"ü,\\n"}');
  for (const body of [undefined, 'lines'] as const) await (await open(t, { url, body })).sink.send(rows, signal);
  const one = await open(t, { url, body: 'object', headers: { 'x-from': 'reef', 'content-type': 'application/vnd.rows' } });
  assert.equal(one.sink.limits.rows, 1);
  await one.sink.send(bulk('{"a":1}'), signal);
  assert.deepEqual(
    seen.map(({ text, request }) => [text, request.headers['content-type']]),
    [
      ['[{"a":1},{"a":"ü,\\n"}]', 'application/json'],
      ['{"a":1}\n{"a":"ü,\\n"}\n', 'application/x-ndjson'],
      ['{"a":1}', 'application/vnd.rows'],
    ],
  );
  const { method, url: target, headers } = seen[2]!.request;
  assert.deepEqual(
    [method, target, headers['x-from'], headers['user-agent'], headers.host],
    ['POST', '/rows?to=a', 'reef', 'reef', new URL(url).host],
  );
});

test('lines of text go as text', async (t) => {
  const { url, seen } = await serve(t, status(204));
  const { sink } = await open(t, { url, method: 'PUT' }, { name: 'line' });
  await sink.send(bulk('one', 'two'), signal);
  assert.deepEqual(
    [seen[0]!.text, seen[0]!.request.headers['content-type'], seen[0]!.request.method],
    ['one\ntwo\n', 'text/plain; charset=utf-8', 'PUT'],
  );
});

test('CSV goes as text/csv, each body with the names of its columns', async (t) => {
  const { url, seen } = await serve(t, status(200));
  const codec = { name: 'csv', separator: ';', header: true, columns: ['a', 'b;c'] } as const;
  const { sink } = await open(t, { url }, codec);
  for (let count = 0; count < 2; count++) await sink.send(bulk('1;"x\ny"', '2;'), signal);
  await (await open(t, { url, body: 'object' }, { ...codec, header: false })).sink.send(bulk('1;2'), signal);
  await (await open(t, { url, output_column: 'row' }, codec)).sink.send(bulk('1;"x"'), signal);
  const whole = ['a;"b;c"\n1;"x\ny"\n2;\n', 'text/csv; charset=utf-8; header=present'];
  assert.deepEqual(
    seen.map(({ text, request }) => [text, request.headers['content-type']]),
    [whole, whole, ['1;2', 'text/csv; charset=utf-8; header=absent'], ['[{"row":"1;\\"x\\""}]', 'application/json']],
  );
});

test('with output_column each row is a string in an object, as JSON would write it', async (t) => {
  const { url, seen } = await serve(t, status(200));
  const rows = ['{"a":"\\"q\\" \\\\ \\u0001 ü"}', '{"b":\t1}', 'plain \u0001\r text'];
  const { sink } = await open(t, { url, output_column: 'a "log"' }, { name: 'line' });
  await sink.send(bulk(...rows), signal);
  assert.deepEqual(
    JSON.parse(seen[0]!.text),
    rows.map((row) => ({ 'a "log"': row })),
  );
});

for (const [format, decompress] of [
  ['gzip', gunzipSync],
  ['zstd', zstdDecompressSync],
  ['deflate', inflateSync],
  ['br', brotliDecompressSync],
] as const) {
  test(`bodies are compressed with ${format}`, async (t) => {
    const { url, seen } = await serve(t, status(200));
    const { sink } = await open(t, { url, body: 'lines', compression: true, compression_format: format });
    await sink.send(bulk('{"a":1}', '{"a":2}'), signal);
    assert.equal(seen[0]!.request.headers['content-encoding'], format);
    assert.equal(decompress(seen[0]!.body).toString(), '{"a":1}\n{"a":2}\n');
  });
}

test('each answer means what it should', async (t) => {
  let answer: Answer = status(200);
  const { url } = await serve(t, (response, seen) => answer(response, seen));
  const { sink } = await open(t, { url });
  const origin = new URL(url).origin;
  const rows = bulk('{"a":1}', '{"a":2}');
  for (const code of [200, 201, 202, 204]) {
    answer = status(code);
    assert.equal(await sink.send(rows, signal), undefined);
  }
  for (const code of [408, 425, 429, 500, 502, 503, 504, 599]) {
    answer = status(code, 'not now');
    const { retry, message } = await failure(sink.send(rows, signal));
    assert.ok(retry);
    assert.equal(message, `Cannot send to HTTP sink "out": ${origin} answers ${code}: not now`);
  }
  for (const code of [400, 401, 403, 404, 409, 410, 418, 422]) {
    answer = status(code, `  wrong\n field "a"  `);
    assert.deepEqual(await sink.send(rows, signal), { refusedAll: `${origin} answers ${code}: wrong field "a"` });
  }
  answer = status(413);
  assert.deepEqual(await sink.send(rows, signal), { split: `${origin} answers 413` });
  answer = status(301, '', { location: 'https://elsewhere.example/' });
  const moved = await failure(sink.send(rows, signal));
  assert.ok(moved.retry);
  assert.match(moved.message, /answers 301 \(to https:\/\/elsewhere\.example\/\), expected a URL that takes rows itself/);
});

test('what passes and what is halved can be chosen', async (t) => {
  let code = 404;
  const { url } = await serve(t, (response) => response.writeHead(code).end());
  const { sink } = await open(t, { url, transient_statuses: '404,4xx', split_statuses: '400, 422' });
  assert.ok((await failure(sink.send(bulk('{}'), signal))).retry);
  code = 422;
  assert.ok((await sink.send(bulk('{}'), signal))?.split);
  code = 500;
  assert.ok((await sink.send(bulk('{}'), signal))?.refusedAll);
});

test('Retry-After is heard, as seconds and as a date', async (t) => {
  let after = '7';
  const { url } = await serve(t, (response) => response.writeHead(429, { 'retry-after': after }).end());
  const { sink } = await open(t, { url });
  assert.equal((await failure(sink.send(bulk('{}'), signal))).retryAfterMs, 7000);
  after = new Date(Date.now() + 60_000).toUTCString();
  const { retryAfterMs } = await failure(sink.send(bulk('{}'), signal));
  assert.ok(retryAfterMs! > 50_000 && retryAfterMs! <= 60_000, String(retryAfterMs));
  after = 'soon';
  assert.equal((await failure(sink.send(bulk('{}'), signal))).retryAfterMs, undefined);
});

test('connections are kept, as many as are needed at once', async (t) => {
  const waiting: ServerResponse[] = [];
  const sockets = new Set<Socket>();
  const { url } = await serve(t, (response, { request }) => {
    sockets.add(request.socket);
    waiting.push(response);
    if (waiting.length === 3) for (const each of waiting.splice(0)) each.end('{}');
  });
  const { sink } = await open(t, { url });
  for (let round = 0; round < 4; round++) await Promise.all([1, 2, 3].map(() => sink.send(bulk('{}'), signal)));
  assert.equal(sockets.size, 3);
});

/** A server of which every connection is dealt with by hand. */
async function listen(t: TestContext, connected: (socket: Socket, number: number) => void): Promise<string> {
  let number = 0;
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    connected(socket, number++);
  }).listen(0, '127.0.0.1');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('a server that is not there, or leaves in the middle of its answer, is tried again', async (t) => {
  const gone = await listen(t, (socket) => socket.destroy());
  const half = await listen(t, (socket) =>
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')),
  );
  const cut = await listen(t, (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 O')));
  const closed = createTcpServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const nobody = `http://127.0.0.1:${(closed.address() as AddressInfo).port}/`;
  await new Promise((resolve) => closed.close(resolve));
  for (const [url, what] of [
    [gone, /the connection was (closed without an answer|cut off)$/],
    [half, /the connection was closed without an answer$/],
    [cut, /the connection was closed without an answer$/],
    [nobody, /the connection was refused: nothing listens there$/],
    ['http://no-such-host.invalid/', /the name of the host (is not known|cannot be looked up now)$/],
  ] as const) {
    const { sink } = await open(t, { url });
    const { message, retry } = await failure(sink.send(bulk('{}'), signal));
    assert.match(message, /^Cannot send to HTTP sink "out": http:\/\//);
    assert.match(message, what);
    assert.ok(retry);
  }
});

test('answers that are none are tried again', async (t) => {
  for (const answer of [
    'SSH-2.0-OpenSSH\r\n',
    'HTTP/2 200\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
    'HTTP/1.1 101 Switching\r\n\r\n',
    'HTTP/1.1 200 OK\r\n: nameless\r\n\r\n',
    `HTTP/1.1 200 OK\r\n${'x: yyyyyyyyyy\r\n'.repeat(20_000)}`,
  ]) {
    const url = await listen(t, (socket) => socket.once('data', () => socket.write(answer)));
    const { sink } = await open(t, { url, response_timeout_secs: 20 });
    const { message, retry } = await failure(sink.send(bulk('{}'), signal));
    assert.match(message, /the response cannot be read: /, answer.slice(0, 60));
    assert.ok(retry);
  }
});

test('an answer that nobody asked for is the answer to nothing, and its connection is used no more', async (t) => {
  let connections = 0;
  const url = await listen(t, (socket) => {
    connections++;
    socket.on('data', () =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n'),
    );
  });
  const { sink } = await open(t, { url });
  for (let count = 0; count < 3; count++) assert.equal(await sink.send(bulk('{}'), signal), undefined);
  assert.equal(connections, 3);
});

test('answers may come in any pieces: chunks, trailers, early hints, to the end of the connection', async (t) => {
  for (const answer of [
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 400 No\r\nContent-Length: 3\r\n\r\nwhy',
    'HTTP/1.1 400\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nw\r\n2;ext=1\r\nhy\r\n0\r\nTrailer: x\r\n\r\n',
    'HTTP/1.0 400 No\r\n\r\nwhy',
  ]) {
    for (const size of [1, 7, 1000]) {
      const url = await listen(t, (socket) => {
        socket.setNoDelay(true);
        socket.once('data', async () => {
          for (let at = 0; at < answer.length; at += size) {
            socket.write(answer.slice(at, at + size));
            if (size < 10) await new Promise((resolve) => setImmediate(resolve));
          }
          if (answer.startsWith('HTTP/1.0')) socket.end();
        });
      });
      const { sink } = await open(t, { url });
      const refused = (await sink.send(bulk('{}'), signal))?.refusedAll;
      assert.match(refused!, / answers 400: why$/);
    }
  }
});

test('a server that takes and never answers is given up after its time', async (t) => {
  const silent = await listen(t, () => {});
  const { sink } = await open(t, { url: silent, response_timeout_secs: 0.05 });
  const { message, retry } = await failure(sink.send(bulk('{}'), signal));
  assert.match(message, /no answer within 0\.05 s$/);
  assert.ok(retry);
});

test('when all is to end, nothing waits for an answer', async (t) => {
  const stop = new AbortController();
  const url = await listen(t, (socket) => socket.once('data', () => stop.abort(new Error('stopped'))));
  const { sink } = await open(t, { url });
  await assert.rejects(sink.send(bulk('{}'), stop.signal), /stopped/);
});

test('a connection that the server has closed meanwhile costs nothing: the rows go over another one', async (t) => {
  const sockets: Socket[] = [];
  let asked = 0;
  const url = await listen(t, (socket, number) => {
    sockets.push(socket);
    socket.on('data', () => {
      asked++;
      // The first connection answers once, and is closed when it is used again.
      if (number === 0 && asked > 1) socket.destroy();
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    });
  });
  const { sink } = await open(t, { url });
  await sink.send(bulk('{"a":1}'), signal);
  await sink.send(bulk('{"a":2}'), signal);
  assert.deepEqual([sockets.length, asked], [2, 3]);
});

test('an answer before the end of the body counts, and that connection is used no more', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let connections = 0;
  const url = await listen(t, (socket) => {
    connections++;
    socket.once('data', () => {
      socket.pause();
      socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
      resolve();
    });
  });
  const { sink } = await open(t, { url, body: 'lines' });
  const large = bulk(`"${'x'.repeat(20_000_000)}"`);
  assert.ok((await sink.send(large, signal))?.split);
  await promise;
  assert.ok((await sink.send(large, signal))?.split);
  assert.equal(connections, 2);
});
