import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { ReefError } from '../../errors.ts';
import type { HttpClient } from '../../net/client.ts';
import type { Bulk, BulkSink } from '../../spec/bulk-sink.ts';
import type { RowTexts } from '../../spec/row-texts.ts';
import { sharedBytes, TestLog, withDefaults } from '../testing/test-context.ts';
import { Hosts } from './hosts.ts';
import { checkSettings, type OpenSearchSettings, type ServerSettings, settings } from './settings.ts';
import sinkSpec from './sink.ts';

interface Seen {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

type Item = Readonly<Record<string, { readonly status: number; readonly error?: object }>>;
interface Answer {
  readonly status?: number;
  readonly items?: readonly Item[];
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function serve(t: TestContext, answer: (seen: Seen) => Answer): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
    const one = { path: request.url!.replace(/\?.*$/, ''), headers: request.headers, text };
    seen.push(one);
    const { status = 200, items, text: said, headers = {} } = answer(one);
    const whole =
      said ?? JSON.stringify({ errors: items?.some((item) => 'error' in Object.values(item)[0]!) ?? false, items: items ?? [] });
    const zipped = request.headers['accept-encoding'] === 'gzip';
    response
      .writeHead(status, zipped ? { ...headers, 'content-encoding': 'gzip' } : headers)
      .end(zipped ? gzipSync(whole) : whole);
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

function hostOf(url: string): ServerSettings {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), scheme: 'http', path: '' };
}

const documentDefaults = settings.document.default as OpenSearchSettings['document'];
const fixed = { type: 'fixed', name: 'rows' } as OpenSearchSettings['index'];

async function open(t: TestContext, given: Partial<OpenSearchSettings>): Promise<{ sink: BulkSink; log: TestLog }> {
  const log = new TestLog();
  const sink = await sinkSpec.open({
    id: 'out',
    settings: withDefaults(settings, { index: fixed, ...given }),
    folder: '/',
    punchlineKind: 'StreamPunchline',
    log,
    count() {},
    codec: { name: 'json' },
    resume: undefined,
    memory: '/nowhere',
  });
  t.after(() => sink.close('stopped'));
  return { sink, log };
}

function texts(...rows: string[]): RowTexts {
  const offsets = new Uint32Array(rows.length + 1);
  rows.forEach((row, index) => {
    offsets[index + 1] = offsets[index]! + Buffer.byteLength(row) + 1;
  });
  return { bytes: sharedBytes(rows.map((row) => `${row}\n`).join('')), offsets };
}

function bulk(rows: readonly string[], ...side: RowTexts[]): Bulk {
  return { ...texts(...rows), rows: rows.length, side };
}

const signal = new AbortController().signal;
const today = (): string => new Date().toISOString().slice(0, 10).replaceAll('-', '.');

test('rows become documents with ids, for one index that stands in the path', async (t) => {
  const { url, seen } = await serve(t, () => ({}));
  const { sink } = await open(t, { http_hosts: [{ ...hostOf(url), path: '/search/' }], pipeline: 'a b' });
  assert.equal(await sink.send(bulk(['{"a":"ü"}', '{"b":2} '], texts('id-1', 'q"\\')), signal), undefined);
  assert.deepEqual(
    [seen[0]!.path, seen[0]!.headers['content-type'], seen[0]!.text],
    [
      '/search/rows/_bulk',
      'application/x-ndjson',
      '{"index":{"_id":"id-1"}}\n{"a":"ü"}\n{"index":{"_id":"q\\"\\\\"}}\n{"b":2}\n',
    ],
  );
});

test('an id cannot be more than an id, whatever it holds', async (t) => {
  const { url, seen } = await serve(t, () => ({}));
  const { sink } = await open(t, { http_hosts: [hostOf(url)] });
  const ids = ['a","_index":"other', 'back\\slash', 'tab\tand \u0001', 'ü\u2028', '"'.repeat(400)];
  await sink.send(
    bulk(
      ids.map(() => '{}'),
      texts(...ids),
    ),
    signal,
  );
  const actions = seen[0]!.text.split('\n').filter((_, at) => at % 2 === 0 && at < ids.length * 2);
  assert.deepEqual(
    actions.map((line) => JSON.parse(line)),
    ids.map((_id) => ({ index: { _id } })),
  );
});

test('bodies and answers are compressed where that is asked for', async (t) => {
  const { url, seen } = await serve(t, () => ({}));
  const { sink } = await open(t, {
    http_hosts: [hostOf(url)],
    compression: true,
    document: { ...documentDefaults, id_column: '' },
  });
  assert.equal(await sink.send(bulk(['{"a":1}']), signal), undefined);
  assert.deepEqual([seen[0]!.headers['content-encoding'], seen[0]!.text], ['gzip', '{"index":{}}\n{"a":1}\n']);
});

test('the index is that of a day and of a column, and rows that lead elsewhere are refused', async (t) => {
  const { url, seen } = await serve(t, () => ({}));
  const { sink } = await open(t, {
    http_hosts: [hostOf(url)],
    index: {
      type: 'daily',
      prefix: 'other',
      prefix_column: 'type',
      time_column: 'time',
      whitelist: ['apache', '.kibana', 'Big'],
    } as unknown as OpenSearchSettings['index'],
    document: { ...documentDefaults, id_column: '' },
  });
  const types = texts('apache', '', 'secret', '.kibana', 'apache', 'apache', 'Big');
  const times = texts('2026-01-02T23:00:00-02:00', '0', '0', '0', 'yesterday', '86400000', '0');
  const rows = [1, 2, 3, 4, 5, 6, 7].map((n) => `{"n":${n}}`);
  assert.deepEqual(await sink.send(bulk(rows, types, times), signal), {
    refused: [
      { row: 2, reason: 'its "type" is "secret", expected one of index.whitelist' },
      {
        row: 3,
        reason: 'its index would be ".kibana-1970.01.01": an index cannot begin with "-", "_", "+", and none of ours with "."',
      },
      { row: 4, reason: 'its "time" is "yesterday", expected ISO 8601 or milliseconds since 1970' },
      { row: 6, reason: 'its index would be "Big-1970.01.01": an index has only small letters' },
    ],
  });
  assert.equal(seen[0]!.path, '/_bulk');
  assert.deepEqual(
    seen[0]!.text.split('\n').filter((_, at) => at % 2 === 0),
    [
      '{"index":{"_index":"apache-2026.01.03"}}',
      '{"index":{"_index":"other-1970.01.01"}}',
      '{"index":{"_index":"apache-1970.01.02"}}',
      '',
    ],
  );
});

test('without a column of times the day is today', async (t) => {
  const { url, seen } = await serve(t, () => ({}));
  const index = { type: 'daily', prefix: 'logs' } as OpenSearchSettings['index'];
  const before = today();
  const { sink } = await open(t, { http_hosts: [hostOf(url)], index });
  await sink.send(bulk(['{}'], texts('1')), signal);
  assert.ok([before, today()].map((day) => `/logs-${day}/_bulk`).includes(seen[0]!.path), seen[0]!.path);
});

test('a document can be the text of a column, some of the columns, and have fields more', async (t) => {
  const { url, seen } = await serve(t, () => ({}));
  const extra_fields = [{ type: 'date', name: 'ts', format: 'yyyy' }] as const;
  const ofColumn = { ...documentDefaults, id_column: '', json_column: 'log', extra_fields };
  const column = await open(t, { http_hosts: [hostOf(url)], document: ofColumn });
  const logs = texts('{"a": 1}', 'no object', '', '{ }');
  // As it stands in shared memory: with a line break inside of the document.
  logs.bytes[5] = 10;
  assert.deepEqual(await column.sink.send(bulk(['{}', '{}', '{}', '{}'], logs), signal), {
    refused: [
      { row: 1, reason: 'its document is no JSON object' },
      { row: 2, reason: 'its document is no JSON object' },
    ],
  });
  const ofFields = { ...documentDefaults, id_column: '', column_fields: ['b', 'd"'] };
  const fields = await open(t, { http_hosts: [hostOf(url)], document: ofFields });
  await fields.sink.send(bulk(['{"a":1,"b":{"a":[1,",}\\""]},"c":3, "d\\"" : "x" }', '{"a":1}', '{}']), signal);
  const year = new Date().getUTCFullYear();
  assert.deepEqual(
    seen.map(({ text }) => text.split('\n').filter((_, at) => at % 2 === 1)),
    [
      [`{"a": 1,"ts":"${year}"}`, `{"ts":"${year}"}`],
      ['{"b":{"a":[1,",}\\""]}, "d\\"" : "x"}', '{}', '{}'],
    ],
  );
});

test('of a bulk that is taken in part the others are sent again, or refused with the reason of the server', async (t) => {
  const error = (type: string, reason: string): object => ({ type, reason });
  const statuses: Item[] = [
    { index: { status: 201 } },
    { index: { status: 429, error: error('es_rejected_execution_exception', 'queue is full') } },
    {
      index: {
        status: 400,
        error: { ...error('mapper_parsing_exception', 'failed to parse'), caused_by: { reason: 'no number' } },
      },
    },
    { index: { status: 403, error: error('cluster_block_exception', 'disk usage exceeded') } },
    { index: { status: 403, error: error('security_exception', 'no permissions') } },
    { index: { status: 503, error: error('unavailable_shards_exception', 'primary shard is not active') } },
    { index: { status: 409, error: error('version_conflict_engine_exception', 'exists') } },
  ];
  const { url } = await serve(t, ({ text }) => ({
    items: text.startsWith('{"create"') ? [{ create: statuses[6]!.index! }] : statuses,
  }));
  const { sink } = await open(t, { http_hosts: [hostOf(url)] });
  const rows = statuses.map(() => '{}');
  const ids = texts(...statuses.map((_, at) => String(at)));
  assert.deepEqual(await sink.send(bulk(rows, ids), signal), {
    refused: [
      { row: 2, reason: '400 mapper_parsing_exception: failed to parse: no number' },
      { row: 6, reason: '409 version_conflict_engine_exception: exists' },
    ],
    again: [1, 3, 4, 5],
    againReason: '429 es_rejected_execution_exception: queue is full',
  });
  const stream = await open(t, {
    http_hosts: [hostOf(url)],
    index: { type: 'data_stream', name: 'logs' } as OpenSearchSettings['index'],
  });
  assert.equal(await stream.sink.send(bulk(['{}'], texts('6')), signal), undefined, 'it was added by an earlier try');
  const dropping = await open(t, { http_hosts: [hostOf(url)], document_failure_action: 'drop' });
  assert.deepEqual((await dropping.sink.send(bulk(rows, ids), signal))?.refused, []);
  await dropping.sink.close('finished');
  assert.match(dropping.log.warnings.join('\n'), /drops documents that are refused.*no number\n.*dropped 2 documents/);
});

test('numbers of rows are those of the bulk, also behind rows that were not sent', async (t) => {
  const { url } = await serve(t, () => ({
    items: [{ index: { status: 201 } }, { index: { status: 400, error: { type: 'a', reason: 'b' } } }],
  }));
  const { sink } = await open(t, {
    http_hosts: [hostOf(url)],
    document: { ...documentDefaults, id_column: '', json_column: 'log' },
  });
  const said = await sink.send(bulk(['{}', '{}', '{}', '{}'], texts('', '{}', '', '{}')), signal);
  assert.deepEqual(
    said?.refused?.map(({ row }) => row),
    [0, 2, 3],
  );
});

test('what is refused as a whole is halved, or sent again, or refused where that was asked for', async (t) => {
  let status = 413;
  let headers = {};
  const { url } = await serve(t, () => ({ status, headers, text: '{"error":"why"}' }));
  const one = bulk(['{}'], texts('1'));
  const { sink } = await open(t, { http_hosts: [hostOf(url)] });
  assert.deepEqual(await sink.send(one, signal), { split: `${url} answers 413: {"error":"why"}` });
  for (status of [401, 403, 404, 429, 500, 503]) {
    headers = { 'retry-after': '3' };
    await assert.rejects(sink.send(one, signal), (error: ReefError) => {
      assert.deepEqual(
        [error.retry, error.retryAfterMs, error.message],
        [true, 3000, `Cannot send to sink "out": ${url} answers ${status}: {"error":"why"}`],
      );
      return true;
    });
  }
  const failing = await open(t, { http_hosts: [hostOf(url)], bulk_failure_action: 'fail' });
  status = 401;
  assert.deepEqual(await failing.sink.send(one, signal), { refusedAll: `${url} answers 401: {"error":"why"}` });
  status = 200;
  await assert.rejects(sink.send(one, signal), /answers 200 with what is no answer to a bulk: \{"error":"why"\}/);
});

test('a server that is away is passed over, and rests', async (t) => {
  const one = await serve(t, () => ({}));
  const two = await serve(t, () => ({}));
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const nobody = hostOf(`http://127.0.0.1:${(gone.address() as AddressInfo).port}`);
  await new Promise((resolve) => gone.close(resolve));
  const { sink } = await open(t, { http_hosts: [nobody, hostOf(one.url), hostOf(two.url)] });
  for (let count = 0; count < 6; count++) await sink.send(bulk(['{}'], texts('1')), signal);
  assert.deepEqual([one.seen.length + two.seen.length, one.seen.length > 1, two.seen.length > 1], [6, true, true]);
  const alone = await open(t, { http_hosts: [nobody] });
  await assert.rejects(alone.sink.send(bulk(['{}'], texts('1')), signal), (error: ReefError) => error.retry);
});

test('servers take turns; one that failed is asked last until its time is over, which grows', () => {
  let now = 0;
  const clients = ['a', 'b', 'c'].map((name) => ({ name }) as unknown as HttpClient);
  const hosts = new Hosts(clients, () => now);
  const order = (): string =>
    hosts
      .inTurn()
      .map(({ client }) => (client as unknown as { name: string }).name)
      .join('');
  assert.deepEqual([order(), order(), order()], ['abc', 'bca', 'cab']);
  const [a] = hosts.inTurn();
  hosts.failed(a!);
  assert.deepEqual([order(), order(), order()], ['bca', 'cba', 'bca']);
  now = 1000;
  assert.equal(order(), 'bca');
  hosts.failed(a!);
  now = 2999;
  assert.deepEqual([order(), order()], ['cba', 'bca']);
  now = 3000;
  assert.deepEqual([order(), order(), order()], ['bca', 'cab', 'abc']);
});

test('credentials go where these servers look for them', async (t) => {
  const { url, seen } = await serve(t, () => ({}));
  const auth = { type: 'api_key', key: 'id:secret', header: 'X-API-Key' } as OpenSearchSettings['auth'];
  const punch = { credentials: { username: 'me', password: 'secret' } } as unknown as OpenSearchSettings['security'];
  const token = { credentials: { token: 'abc', token_type: 'Bearer' } } as unknown as OpenSearchSettings['security'];
  for (const given of [{ auth }, { security: punch }, { security: token }])
    await (await open(t, { http_hosts: [hostOf(url)], ...given })).sink.send(bulk(['{}'], texts('1')), signal);
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  assert.deepEqual(
    seen.map(({ headers }) => headers.authorization),
    [`ApiKey ${base64('id:secret')}`, `Basic ${base64('me:secret')}`, 'Bearer abc'],
  );
});

test('a probe says what each server is, or why it cannot be used', async (t) => {
  let status = 200;
  const text = '{"version":{"distribution":"opensearch","number":"3.2.0"}}';
  const { url, seen } = await serve(t, () => ({ status, text }));
  const context = {
    id: 'out',
    settings: withDefaults(settings, { http_hosts: [hostOf(url)], index: fixed }),
    folder: '/',
    punchlineKind: 'StreamPunchline',
    log: new TestLog(),
    count() {},
    codec: { name: 'json' },
    signal,
  } as const;
  assert.deepEqual(await sinkSpec.probe!(context), [`reaches ${url}, OpenSearch 3.2.0`]);
  // It knows no users, so it cannot say what this one may do.
  const asked = `/${fixed.name}/_doc`;
  assert.deepEqual(
    seen.map(({ path, text }) => [path, text]),
    [
      ['/', ''],
      [asked, '{}'],
    ],
  );
  status = 401;
  await assert.rejects(sinkSpec.probe!(context), /^ReefError: Cannot reach sink "out": http:\S+ answers 401: /);
});

test('settings that do not fit are refused', () => {
  const issues = (given: Partial<OpenSearchSettings>): string[] =>
    checkSettings(
      withDefaults(settings, {
        http_hosts: [{ host: 'localhost', port: 9200, scheme: 'http', path: '' }],
        index: fixed,
        ...given,
      }),
    ).map(({ path, message }) => `${path.join('.')} ${message}`);
  assert.deepEqual(issues({}), []);
  const index = (given: object): OpenSearchSettings['index'] => given as OpenSearchSettings['index'];
  assert.deepEqual(issues({ index: index({ type: 'daily' }) }), [
    'index.prefix is missing, expected it or "prefix_column" with type "daily"',
  ]);
  assert.deepEqual(issues({ index: index({ type: 'fixed', name: 'A', time_column: 't', prefix: 'x' }) }), [
    'index.name is "A": an index has only small letters',
    'index.prefix has no meaning with type "fixed", expected "name"',
    'index.time_column has no meaning with type "fixed"',
  ]);
  const far: ServerSettings = { host: 'far.example', port: 9200, scheme: 'http', path: '' };
  assert.deepEqual(
    issues({
      http_hosts: [
        { ...far, host: 'http://x' },
        { ...far, host: '::1' },
      ],
    }),
    ['http_hosts.0.host is "http://x", expected a name or an address'],
  );
  const auth = { type: 'basic', username: 'a', password: 'b', header: 'X' } as OpenSearchSettings['auth'];
  assert.match(issues({ http_hosts: [far], auth })[0]!, /^auth is sent without TLS/);
  const document = { ...documentDefaults, json_column: 'a', column_fields: ['b'] };
  assert.deepEqual(issues({ document }), ['document.column_fields stands beside "json_column", expected one of both']);
});
