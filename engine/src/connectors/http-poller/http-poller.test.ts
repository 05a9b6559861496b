import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { ReefError } from '../../errors.ts';
import type { Position } from '../../spec/feed.ts';
import type { Codec, Json, PunchlineKind } from '../../spec/plan.ts';
import { probeNode } from '../../testing-nodes.ts';
import { FakeFeed } from '../testing/fake-feed.ts';
import { TestLog, withDefaults } from '../testing/test-context.ts';
import { nextLink } from './pages.ts';
import { checkSettings, type PageSettings, type PollerSettings, type RequestSettings, settings } from './settings.ts';
import pollerSpec from './source.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Answer {
  readonly status?: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer | object;
}

async function serve(t: TestContext, answer: (seen: Seen, count: number) => Answer): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
    seen.push({ method: request.method!, url: request.url!, headers: request.headers, body });
    const { status = 200, headers = {}, body: said = '' } = answer(seen.at(-1)!, seen.length);
    response.writeHead(status, headers).end(typeof said === 'string' || Buffer.isBuffer(said) ? said : JSON.stringify(said));
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

interface Polled {
  readonly feed: FakeFeed;
  readonly log: TestLog;
}

type Request = Partial<Omit<RequestSettings, 'page'>> & { readonly url: string; readonly page?: Partial<PageSettings> };

interface Options {
  readonly kind?: PunchlineKind;
  readonly codec?: Codec;
  readonly given?: Partial<PollerSettings>;
  readonly resume?: Readonly<Record<string, Position>>;
  /** In a StreamPunchline: it is stopped once this is so. */
  readonly until?: (feed: FakeFeed) => boolean;
}

async function poll(t: TestContext, requests: readonly Request[], options: Options = {}): Promise<Polled> {
  const { kind = 'BatchPunchline', codec = { name: 'json' }, given = {}, resume = {}, until } = options;
  const log = new TestLog();
  const whole = requests.map(({ page, ...request }) => ({
    method: 'GET',
    headers: {},
    rows: '',
    ...request,
    ...(page ? { page: { keep: false, most_pages: 1000, ...page } } : {}),
  })) as unknown as PollerSettings['requests'];
  const filled = withDefaults(settings, { requests: whole, ...given });
  assert.deepEqual(
    checkSettings(filled).filter(({ severity }) => severity !== 'warning'),
    [],
  );
  const context = {
    id: 'in',
    settings: filled,
    folder: '/',
    punchlineKind: kind,
    log,
    count() {},
    hindered() {},
    codec,
    declared: undefined,
    referenced: new Set<string>(),
  };
  const source = await pollerSpec.open(context);
  t.after(() => source.close());
  const stop = new AbortController();
  const feed = new FakeFeed({ resume, signal: stop.signal });
  const running = source.run(feed, stop.signal);
  if (until) {
    await Promise.race([feed.until(() => until(feed)), running]);
    stop.abort();
  }
  await running;
  return { feed, log };
}

const page = (given: Partial<PageSettings>): Partial<PageSettings> => given;
const lines = (...rows: object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

test('an answer is an array, an object, lines, or what a pointer leads to', async (t) => {
  const pretty = JSON.stringify({ meta: { rows: [] }, 'a/b': [{ n: 1, deep: { x: [1] } }, { n: 2 }] }, undefined, 2);
  const answers: Record<string, Answer> = {
    '/array': { body: [{ n: 1 }, { n: 2 }] },
    '/object': { body: '{\n "n": 1\n}' },
    '/lines': { body: '{"n":1}\nbad\n{"n":2}', headers: { 'content-type': 'application/x-ndjson; charset=utf-8' } },
    '/pointer': { body: pretty },
    '/null': { body: '{"a/b":null}' },
    '/nothing': {},
  };
  const { url } = await serve(t, (seen) => answers[seen.url]!);
  const requests = Object.keys(answers).map((path) => ({ url: url + path, rows: /pointer|null/.test(path) ? '/a~1b' : '' }));
  const { feed } = await poll(t, requests);
  const textOf = (path: string): string => feed.partitions.get(url + path)!.text;
  assert.deepEqual(['/array', '/object', '/lines', '/null', '/nothing'].map(textOf), [
    lines({ n: 1 }, { n: 2 }),
    '{  "n": 1 }\n',
    '{"n":1}\nbad\n{"n":2}\n',
    '',
    '',
  ]);
  assert.ok([...feed.partitions.values()].every(({ ended }) => ended));
  assert.deepEqual(
    textOf('/pointer')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [{ n: 1, deep: { x: [1] } }, { n: 2 }],
  );
});

test('lines and CSV are taken, compressed or not, and a request may send a body', async (t) => {
  const { url, seen } = await serve(t, ({ url }) =>
    url === '/csv'
      ? { body: zstdCompressSync('a,b\n1,"x\ny"\n'), headers: { 'content-encoding': 'zstd' } }
      : { body: gzipSync('one\ntwo'), headers: { 'content-encoding': 'gzip' } },
  );
  const text = await poll(t, [{ url: `${url}/text`, method: 'POST', body: '{"q":1}', headers: { 'content-type': 'x/y' } }], {
    codec: { name: 'line' },
  });
  assert.equal(text.feed.text, 'one\ntwo\n');
  assert.deepEqual([seen[0]!.method, seen[0]!.body, seen[0]!.headers['content-type']], ['POST', '{"q":1}', 'x/y']);
  const codec: Codec = { name: 'csv', separator: ',', header: true } as Codec;
  const csv = await poll(t, [{ url: `${url}/csv` }], { codec });
  assert.equal(csv.feed.text, '1,"x\ny"\n');
  assert.deepEqual(csv.feed.partitions.get(`${url}/csv`)!.codec, { ...codec, header: false, columns: ['a', 'b'] });
});

test('pages are asked for by link, cursor, offset and number', async (t) => {
  const rows = [1, 2, 3, 4, 5].map((n) => ({ n }));
  const { url, seen } = await serve(t, (asked) => {
    const { pathname, searchParams } = new URL(asked.url, 'http://x');
    const at = Number(searchParams.get('page') ?? searchParams.get('offset') ?? searchParams.get('after') ?? 0);
    const from = pathname === '/number' ? (at - 1) * 2 : at;
    const some = rows.slice(from, from + 2);
    const more = from + 2 < rows.length;
    const link = `<https://else.where/>; rel="prev"; title="a, b", <link?offset=${from + 2}>; rel="last next"`;
    return { body: { items: some, next: more ? from + 2 : null }, headers: more && pathname === '/link' ? { link } : {} };
  });
  const { feed } = await poll(t, [
    { url: `${url}/link`, rows: '/items', page: page({ type: 'link' }) },
    { url: `${url}/cursor?x=1`, rows: '/items', page: page({ type: 'cursor', cursor: '/next', parameter: 'after' }) },
    { url: `${url}/offset`, rows: '/items', page: page({ type: 'offset', size: 2, size_parameter: 'limit' }) },
    { url: `${url}/number`, rows: '/items', page: page({ type: 'number' }) },
  ]);
  for (const partition of feed.partitions.values()) assert.equal(partition.text, lines(...rows), partition.name);
  const asked = (path: string): string[] => seen.map(({ url }) => url).filter((url) => url.startsWith(path));
  assert.deepEqual(['/link', '/cursor', '/offset', '/number'].map(asked), [
    ['/link', '/link?offset=2', '/link?offset=4'],
    ['/cursor?x=1', '/cursor?x=1&after=2', '/cursor?x=1&after=4'],
    ['/offset?offset=0&limit=2', '/offset?offset=2&limit=2', '/offset?offset=4&limit=2'],
    ['/number?page=1', '/number?page=2', '/number?page=3', '/number?page=4'],
  ]);
});

test('a link to another server is not followed, and pages without end have one', async (t) => {
  const { url, seen } = await serve(t, (asked) =>
    asked.url.startsWith('/away')
      ? { body: [], headers: { link: '<http://127.0.0.1:1/steal>; rel=next' } }
      : { body: { items: [{}], next: seen.length } },
  );
  await assert.rejects(
    poll(t, [{ url: `${url}/away`, page: page({ type: 'link' }) }]),
    /its next page is "http:\/\/127\.0\.0\.1:1\/steal", expected one of the same server/,
  );
  const endless = { url: `${url}/endless`, rows: '/items', page: page({ type: 'cursor', cursor: '/next', most_pages: 3 }) };
  const { feed, log } = await poll(t, [endless]);
  assert.equal(feed.text, '{}\n{}\n{}\n');
  assert.match(log.warnings.join(), /"http:.*\/endless" has more than 3 pages/);
});

test('pages that lead in a circle end where they began, and an empty page in between ends nothing', async (t) => {
  const next: Record<string, string> = { '': 'a', a: 'b', b: 'c', c: 'a' };
  const { url, seen } = await serve(t, (asked) => {
    const at = new URL(asked.url, 'http://x').searchParams.get('cursor') ?? '';
    return { body: { items: at === 'a' ? [] : [{ at }], next: next[at] } };
  });
  const { feed, log } = await poll(t, [{ url, name: 'x', rows: '/items', page: page({ type: 'cursor', cursor: '/next' }) }]);
  assert.equal(feed.text, lines({ at: '' }, { at: 'b' }, { at: 'c' }));
  assert.equal(seen.length, 4);
  assert.match(log.warnings.join(), /source "in": the pages of "x" lead in a circle, expected a last one/);
});

test('of an answer that is cut off nothing is taken, and it is asked for again', async (t) => {
  const whole = lines(...Array.from({ length: 1000 }, (_, n) => ({ n })));
  const ways: ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(200, { 'content-length': whole.length }).write(whole.slice(0, 5000)),
    (response) => response.writeHead(200, { 'transfer-encoding': 'chunked' }).write(whole.slice(0, 5000)),
    (response) => {
      const packed = gzipSync(whole);
      const headers = { 'content-encoding': 'gzip', 'content-length': packed.length };
      response.writeHead(200, headers).write(packed.subarray(0, packed.length / 2));
    },
  ];
  t.mock.method(Math, 'random', () => 0);
  for (const cutOff of ways) {
    let asked = 0;
    const server = createServer((_, response) => {
      if (asked++ > 0) response.end(whole);
      else {
        cutOff(response);
        // Once that much is out.
        setTimeout(() => response.destroy(), 20);
      }
    }).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { feed, log } = await poll(t, [{ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }]);
    assert.equal(feed.text, whole);
    assert.equal(asked, 2);
    assert.match(log.warnings[0]!, /^Cannot poll .*; source "in" asks again in/);
  }
});

test('a server that wants to be left alone is, and an empty list is asked for no more often than any other', async (t) => {
  const times: number[] = [];
  const { url } = await serve(t, (_, count) => {
    times.push(performance.now());
    if (count === 1) return { status: 429, headers: { 'retry-after': '1' } };
    return { body: count < 5 ? [] : [{ n: 1 }] };
  });
  const { feed, log } = await poll(t, [{ url }], {
    kind: 'StreamPunchline',
    given: { interval_secs: 0.1, jitter: 0 },
    until: ({ text }) => text !== '',
  });
  assert.equal(feed.text.split('\n')[0], '{"n":1}');
  const pauses = times.slice(1, 5).map((time, i) => time - times[i]!);
  assert.ok(pauses[0]! >= 990, `asked again after ${pauses[0]} ms`);
  // The second poll was due while the first one waited.
  for (const waited of pauses.slice(2)) assert.ok(waited >= 90, `asked again after ${waited} ms`);
  assert.match(log.warnings[0]!, /answers 429; source "in" asks again in 1\.\d s/);
});

test('a list of a hundred thousand rows comes whole, compressed too', async (t) => {
  const rows = Array.from({ length: 100_000 }, (_, n) => ({ n, text: 'x'.repeat(n % 50) }));
  const packed = gzipSync(JSON.stringify({ deep: { list: rows } }));
  const { url } = await serve(t, () => ({ body: packed, headers: { 'content-encoding': 'gzip' } }));
  const { feed } = await poll(t, [{ url, rows: '/deep/list' }], { given: { max_body_bytes: 100_000_000 } });
  assert.equal(feed.text, lines(...rows));
});

test('a kept cursor goes on behind what was delivered, with the same ids', async (t) => {
  const { url, seen } = await serve(t, (asked) => {
    const after = Number(new URL(asked.url, 'http://x').searchParams.get('after') ?? 0);
    return { body: after < 3 ? { items: [{ n: after }], next: after + 1 } : { items: [], next: after } };
  });
  const request = {
    url,
    name: 'feed',
    rows: '/items',
    page: page({ type: 'cursor', cursor: '/next', parameter: 'after', keep: true }),
  };
  const { feed } = await poll(t, [request]);
  assert.equal(feed.text, lines({ n: 0 }, { n: 1 }, { n: 2 }));
  const partition = feed.partitions.get('feed')!;
  const start = partition.offset - feed.text.length;
  // Of the second page a part is delivered: it is asked for again.
  const part = partition.positionAt(start + 12);
  assert.deepEqual(part, { offset: start + 8, place: '1' });
  assert.deepEqual(partition.positionAt(partition.offset), { offset: partition.offset, place: '3' });
  seen.length = 0;
  const again = await poll(t, [request], { resume: { feed: part } });
  assert.equal(again.feed.text, lines({ n: 1 }, { n: 2 }));
  assert.equal(again.feed.partitions.get('feed')!.offset, partition.offset);
  assert.equal(seen[0]!.url, '/?after=1');
});

test('of pages that are not kept all are asked for again, unless all are delivered', async (t) => {
  const { url } = await serve(t, (asked) => ({
    body: asked.url.endsWith('page=1') || asked.url.endsWith('page=2') ? [{ n: 1 }] : [],
    headers: { etag: '"x"' },
  }));
  const { feed } = await poll(t, [{ url, name: 'a', page: page({ type: 'number' }) }]);
  const partition = feed.partitions.get('a')!;
  const start = partition.offset - 16;
  assert.deepEqual(partition.positionAt(start + 8), { offset: start });
  assert.deepEqual(partition.positionAt(start + 16), { offset: start + 16, etag: '"x"' });
});

test('what has not changed is not sent again, also after a restart', async (t) => {
  const modified = 'Tue, 01 Dec 2026 00:00:00 GMT';
  const { url, seen } = await serve(t, ({ headers }, count) =>
    headers['if-none-match'] === '"1"' && headers['if-modified-since'] === modified && count < 4
      ? { status: 304 }
      : { body: [{ count }], headers: { etag: '"1"', 'last-modified': modified } },
  );
  const { feed } = await poll(t, [{ url, name: 'a' }], {
    kind: 'StreamPunchline',
    given: { interval_secs: 0.05 },
    until: ({ text }) => text.length > 12,
  });
  assert.deepEqual(feed.text.split('\n').slice(0, 2), ['{"count":1}', '{"count":4}']);
  assert.deepEqual([seen[0]!.headers['if-none-match'], seen[1]!.headers['if-none-match']], [undefined, '"1"']);
  seen.length = 0;
  const again = await poll(t, [{ url, name: 'a' }], { resume: feed.positions() });
  assert.equal(again.feed.text, '');
});

test('what may pass is asked for again, when the server says; in a batch, too', async (t) => {
  const { url, seen } = await serve(t, (_, count) =>
    count === 1 ? { status: 503, headers: { 'retry-after': '0' }, body: 'not now' } : { body: [{ n: 1 }] },
  );
  t.mock.method(Math, 'random', () => 0);
  const { feed, log } = await poll(t, [{ url, name: 'a' }]);
  assert.deepEqual([feed.text, seen.length], ['{"n":1}\n', 2]);
  assert.match(
    log.warnings[0]!,
    /^Cannot poll "a" for source "in": http:\S+ answers 503: not now; source "in" asks again in 0\.0 s/,
  );
});

test('what will not pass ends a batch, and in a stream the poll', async (t) => {
  const answers: Record<string, Answer> = {
    '/403': { status: 403, body: 'no' },
    '/302': { status: 302, headers: { location: '/x' } },
    '/long': { body: 'x'.repeat(2000) },
    '/bomb': { body: gzipSync('x'.repeat(2000)), headers: { 'content-encoding': 'gzip' } },
    '/damaged': { body: 'none', headers: { 'content-encoding': 'gzip' } },
    '/unknown': { body: 'none', headers: { 'content-encoding': 'lzma' } },
    '/bad': { body: '{"items":[{},]}' },
    '/numbers': { body: '{"items":[1]}' },
    '/away': { body: '{}' },
  };
  const { url } = await serve(t, (seen) => answers[seen.url]!);
  const said: Record<string, string> = {};
  for (const path of Object.keys(answers)) {
    const error = await poll(t, [{ url: url + path, name: 'a', rows: '/items' }], { given: { max_body_bytes: 1000 } }).catch(
      (thrown: ReefError) => thrown,
    );
    assert.ok('message' in error && !error.retry, path);
    said[path] = error.message.replace(url, 'URL').replace('Cannot poll "a" for source "in": ', '');
  }
  assert.deepEqual(said, {
    '/403': 'URL answers 403: no',
    '/302': 'URL answers 302 (to /x)',
    '/long': 'the answer of URL is longer than 1000 bytes',
    '/bomb': 'Cannot decompress the answer: it holds more than 1000 bytes behind its gzip compression, expected at most 1000',
    '/damaged': 'Cannot decompress the answer: its gzip data is damaged: incorrect header check, near compressed byte 4',
    '/unknown': 'Cannot decompress the answer: its Content-Encoding is "lzma", expected one of gzip, deflate, zstd, br',
    '/bad': 'the answer of URL is not valid JSON: an element of the array is missing',
    '/numbers': 'the answer of URL holds something else than objects: element 1 is valid JSON but no object',
    '/away': 'the answer of URL has nothing at "/items"',
  });
  let count = 0;
  const flaky = await serve(t, () => (count++ === 0 ? { status: 404 } : { body: [{ n: 1 }] }));
  const { feed, log } = await poll(t, [{ url: flaky.url, name: 'b' }], {
    kind: 'StreamPunchline',
    given: { interval_secs: 0.05 },
    until: ({ text }) => text !== '',
  });
  assert.ok(feed.text.startsWith('{"n":1}\n'));
  assert.match(log.warnings[0]!, /answers 404; source "in" polls "b" again at its next time$/);
});

test('a target is never polled twice at once, and memory that is full stops the polls', async (t) => {
  let open = 0;
  let most = 0;
  const server = createServer((_, response) => {
    open++;
    most = Math.max(most, open);
    setTimeout(() => {
      open--;
      response.end('[{"n":1}]');
    }, 20);
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await poll(t, [{ url }], {
    kind: 'StreamPunchline',
    given: { interval_secs: 0.05, jitter: 1 },
    until: ({ text }) => text.split('\n').length > 5,
  });
  assert.equal(most, 1);
});

test('requests are spaced as the limit says', async (t) => {
  const { url, seen } = await serve(t, ({ url }) => ({ body: url.endsWith('page=5') ? [] : [{}] }));
  const started = performance.now();
  await poll(t, [{ url, page: page({ type: 'number' }) }], { given: { requests_per_sec: 50 } });
  assert.equal(seen.length, 5);
  assert.ok(performance.now() - started >= 75);
});

test('rows go to the table of their request', async (t) => {
  const { url } = await serve(t, () => ({ body: [{}] }));
  const requests = [{ url: `${url}/a`, table: 'a' }, { url: `${url}/b` }];
  const { feed } = await poll(t, requests);
  assert.deepEqual(Array.from(feed.partitions.values(), ({ name, table }) => [name.slice(url.length), table]).sort(), [
    ['/a', 'a'],
    ['/b', ''],
  ]);
});

test('the next link is found among others', () => {
  assert.equal(nextLink('<a>; rel="prev", <b?x=1,2>; title="rel=next, no"; rel="next"'), 'b?x=1,2');
  assert.equal(nextLink('<a>; REL=Next'), 'a');
  for (const header of ['', 'a; rel=next', '<a>; rel="nexts"', '<a>', '<a>; title="; rel=next"'])
    assert.equal(nextLink(header), undefined);
});

test('a probe asks once for the first page, and for nothing where asking might do something', async (t) => {
  const { url, seen } = await serve(t, ({ url }) => (url === '/no' ? { status: 403, body: 'not you' } : { body: [{}] }));
  const probe = (requests: readonly Json[]): Promise<readonly string[]> =>
    probeNode(pollerSpec, { settings: { requests }, punchlineKind: 'StreamPunchline' });
  const page = { type: 'number', keep: false, most_pages: 1, parameter: 'page' };
  assert.deepEqual(
    await probe([
      { url: `${url}/a`, name: 'a', page },
      { url: `${url}/b`, name: 'b', method: 'POST', body: 'x' },
    ]),
    ['reaches "a", which answers 200 to GET', 'reaches "b", which answers 200 to OPTIONS'],
  );
  assert.deepEqual(
    seen.map(({ method, url: asked, body }) => [method, asked, body]),
    [
      ['GET', '/a?page=1', ''],
      ['OPTIONS', '/b', ''],
    ],
  );
  await assert.rejects(
    probe([{ url: `${url}/no`, name: 'c' }]),
    /Cannot poll "c" for source "test": http:\S+ answers 403: not you$/,
  );
});

test('settings that do not fit are refused', () => {
  const request = { url: 'http://a/x?y', method: 'GET', headers: {}, rows: '' } as unknown as RequestSettings;
  const pages = { type: 'link', keep: true, most_pages: 1, parameter: 'p', cursor: 'c', start: 1, size_parameter: 's' };
  const requests = [
    request,
    { ...request, url: 'http://a/x?z', body: 'b', rows: 'data', headers: { Authorization: 'x' } },
    { ...request, name: 'c', url: 'ftp://a', page: pages as unknown as PageSettings },
    { ...request, name: 'd', page: { ...pages, type: 'cursor', cursor: undefined } as unknown as PageSettings },
  ];
  assert.deepEqual(
    checkSettings(withDefaults(settings, { requests })).map(({ path, message }) => `${path.slice(1).join('.')} ${message}`),
    [
      '1.name "http://a/x" is that of another request, expected one of its own',
      '1.rows is "data", expected a JSON pointer such as /data/items',
      '1.body has no meaning with method "GET"',
      '1.headers.Authorization would show a secret, expected it in "auth"',
      '2.url is "ftp://a", expected http:// or https://',
      '2.page.cursor has no meaning with type "link"',
      '2.page.parameter has no meaning with type "link"',
      '2.page.keep has no meaning with type "link"',
      '2.page.start has no meaning with type "link"',
      '2.page.size is missing, expected it beside "size_parameter"',
      '2.page.cursor is "c", expected a JSON pointer such as /data/items',
      '3.page.cursor is missing, expected it with type "cursor"',
      '3.page.start has no meaning with type "cursor"',
      '3.page.size is missing, expected it beside "size_parameter"',
    ],
  );
});
