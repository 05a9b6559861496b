/** The source in whole punchlines, run by the built command. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type ReefProcess, startReef, temporaryFolder, writePunchline } from '../../../testing/reef-process.ts';
import { writeFunction } from '../../../testing/user-function.ts';
import { post, RawClient } from './testing.ts';

const engine = new URL('../../../../dist/index.js', import.meta.url);

/** Waits until the log has the text; resolves with all of it. */
function logged({ child, ended }: ReefProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (piece: string) => {
      text += piece;
      const found = pattern.exec(text);
      if (found) resolve(found);
    });
    void ended.then(({ stderr }) => reject(new Error(`reef ended: ${stderr}`)));
  });
}

async function startPunchline(t: TestContext, folder: string, nodes: readonly object[]): Promise<ReefProcess & { port: number }> {
  const file = writePunchline(folder, 'StreamPunchline', nodes);
  const started = startReef(t, ['run', file, '--state', join(folder, 'state')]);
  const [, port] = await logged(started, /listens on http:\/\/127\.0\.0\.1:(\d+)/);
  return { ...started, port: Number(port) };
}

const source = (settings: object, out: readonly object[]): object => ({
  id: 'in',
  kind: 'source',
  type: 'http',
  settings: { port: 0, ...settings },
  out,
});

test('every row that is answered for is in the output once, however requests come', async (t) => {
  const folder = temporaryFolder(t);
  const { port, child, ended } = await startPunchline(t, folder, [
    source({}, [{ id: 'out' }, { id: 'errors', table: '_ppf_errors' }]),
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.ndjson' } },
    { id: 'errors', kind: 'sink', type: 'file', settings: { path: 'errors.ndjson' } },
  ]);
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  t.after(() => agent.destroy());
  const sent: string[] = [];
  const send = async (request: number): Promise<void> => {
    const count = [1, 1, 1, 7, 100, 5000][request % 6]!;
    const rows = Array.from({ length: count }, (_, n) => `{"id":"${request}-${n}","text":"${'x'.repeat((request * n) % 300)}"}`);
    sent.push(...rows);
    const bad = request % 4 === 0 ? 2 : 0;
    const lines = [...rows, ...Array<string>(bad).fill('{"bad"')];
    const kind = request % 5;
    const answer =
      bad === 0 && kind === 1
        ? await post(port, `[${rows.join(',\n')}]`, { agent, headers: { 'content-type': 'application/json' } })
        : kind === 2
          ? await post(port, gzipSync(lines.join('\n')), { agent, headers: { 'content-encoding': 'gzip' } })
          : await post(port, lines.join('\n'), { agent });
    assert.deepEqual(JSON.parse(answer.text), { accepted: count, rejected: bad }, `request ${request}`);
  };
  await Promise.all(Array.from({ length: 240 }, (_, request) => send(request)));
  child.kill('SIGTERM');
  assert.equal((await ended).code, 0);
  const got = readFileSync(join(folder, 'out.ndjson'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(got.sort(), sent.sort());
  assert.equal(readFileSync(join(folder, 'errors.ndjson'), 'utf8').trimEnd().split('\n').length, 120);
});

test('CSV becomes rows, and its bad rows are counted for whoever sent them', async (t) => {
  const folder = temporaryFolder(t);
  const { port, child, ended } = await startPunchline(t, folder, [
    source({}, [{ id: 'out' }]),
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.ndjson' } },
  ]);
  const headers = { 'content-type': 'text/csv' };
  const bodies = ['a,b\n1,"two\nlines"\n', 'a,b\nx,y\nx"y,bad\n1,2,3\n', 'b\nother\n'];
  const answers = await Promise.all(bodies.map((body) => post(port, body, { headers })));
  assert.deepEqual(
    answers.map(({ text }) => JSON.parse(text) as unknown),
    [
      { accepted: 1, rejected: 0 },
      { accepted: 1, rejected: 2 },
      { accepted: 1, rejected: 0 },
    ],
  );
  child.kill('SIGTERM');
  assert.equal((await ended).code, 0);
  const rows = readFileSync(join(folder, 'out.ndjson'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(rows.sort(), ['{"a":"1","b":"two\\nlines"}', '{"a":"x","b":"y"}', '{"b":"other"}']);
});

test('encoding says what bodies are that say nothing of themselves', async (t) => {
  const folder = temporaryFolder(t);
  const csv = { codec: 'csv', separator: ';', header: false, columns: ['a', 'b'] };
  const start = async (encoding: object): Promise<Awaited<ReturnType<typeof startPunchline>>> =>
    startPunchline(t, folder, [
      source({ encoding }, [{ id: 'out' }]),
      { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.ndjson' } },
    ]);
  for (const [encoding, body] of [
    [csv, '1;"2"\n'],
    [{ codec: 'json', form: 'document' }, '{"a":"1",\n"b":"2"}'],
  ] as const) {
    const { port, child, ended } = await start(encoding);
    assert.equal((await post(port, body)).text, '{"accepted":1,"rejected":0}\n');
    const asJson = await post(port, '[{"a":"1","b":"2"}]', { headers: { 'content-type': 'application/json' } });
    assert.equal(asJson.text, '{"accepted":1,"rejected":0}\n');
    child.kill('SIGTERM');
    assert.equal((await ended).code, 0);
  }
  const rows = readFileSync(join(folder, 'out.ndjson'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    rows.map((row) => JSON.parse(row) as unknown),
    Array(4).fill({ a: '1', b: '2' }),
  );
});

test('rows take the way of their path, and what functions reject is counted for whoever sent it', async (t) => {
  const folder = temporaryFolder(t);
  const reject = writeFunction(
    folder,
    'reject.js',
    `const n = batch.column('n').f64(); for (const row of batch.rows) if (n[row] % 2 === 1) batch.reject(row, 'odd');`,
    ['n'],
  );
  const file = (id: string): object => ({ id, kind: 'sink', type: 'file', settings: { path: `${id}.ndjson` } });
  const { port, child, ended } = await startPunchline(t, folder, [
    source({ paths: { '/odd': 'odd', '/all': 'all', '/either': '' } }, [
      { id: 'reject', table: 'odd' },
      { id: 'all', table: 'all' },
      { id: 'plain' },
    ]),
    { id: 'reject', kind: 'function', type: reject, out: [{ id: 'one' }, { id: 'two' }] },
    ...['one', 'two', 'all', 'plain'].map(file),
  ]);
  const body = '{"n":1}\n{"n":2}\n{"n":3}\n';
  const answers = await Promise.all(['/odd', '/all', '/either'].map((path) => post(port, body, { path })));
  assert.deepEqual(
    answers.map(({ text }) => JSON.parse(text) as unknown),
    [
      { accepted: 1, rejected: 2 },
      { accepted: 3, rejected: 0 },
      { accepted: 3, rejected: 0 },
    ],
  );
  child.kill('SIGTERM');
  assert.equal((await ended).code, 0);
  for (const [name, text] of [
    ['one', '{"n":2}\n'],
    ['two', '{"n":2}\n'],
    ['all', body],
    ['plain', body],
  ])
    assert.equal(readFileSync(join(folder, `${name}.ndjson`), 'utf8'), text);
});

test('at SIGTERM a request whose rows a slow sink still has is answered when it has taken them', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(
    join(folder, 'gate.js'),
    `import { sink } from '${engine}';
export default sink({
  summary: 'Takes rows when it is sent a signal.', settings: {}, codecs: ['json'], delivery: 'For tests.', examples: [],
  open: ({ log }) => ({
    write: () => new Promise((resolve) => { process.once('SIGUSR2', () => resolve(undefined)); log.info('the gate is shut'); }),
    close: async () => {},
  }),
});
`,
  );
  const started = await startPunchline(t, folder, [source({}, [{ id: 'out' }]), { id: 'out', kind: 'sink', type: './gate.js' }]);
  const { port, child, ended } = started;
  const shut = logged(started, /the gate is shut/);
  const client = await RawClient.open(t, port);
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{"a":1}');
  await shut;
  const stopping = logged(started, /delivering what was read/);
  child.kill('SIGTERM');
  await stopping;
  assert.equal(client.received, '');
  child.kill('SIGUSR2');
  assert.match(await client.ended(), /^HTTP\/1\.1 200 OK.*Connection: close.*"accepted":1/s);
  assert.equal((await ended).code, 0);
});

test('what a connection says of its sender stands beside the rows of every request, however they come', async (t) => {
  const folder = temporaryFolder(t);
  const columns = ['_ppf_id', '_ppf_remote_host', '_ppf_remote_port', '_ppf_local_port', 'n'].map((name) => ({
    name,
    type: 'any',
  }));
  const { port, child, ended } = await startPunchline(t, folder, [
    source({}, [{ id: 'out', columns }, { id: 'plain' }, { id: 'errors', table: '_ppf_errors' }]),
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.ndjson' } },
    { id: 'plain', kind: 'sink', type: 'file', settings: { path: 'plain.ndjson' } },
    { id: 'errors', kind: 'sink', type: 'file', settings: { path: 'errors.ndjson' } },
  ]);
  const agents = [new Agent({ keepAlive: true, maxSockets: 1 }), new Agent({ keepAlive: true, maxSockets: 1 })];
  t.after(() => agents.map((agent) => agent.destroy()));
  const counts = [1, 3, 40_000];
  const ports: number[] = [];
  let n = 0;
  await Promise.all(
    Array.from({ length: 30 }, async (_, request) => {
      const count = counts[request % 3]!;
      const rows = Array.from({ length: count }, () => ({ n: n++, sender: request % 2 }));
      const whole = request % 5 === 0;
      const body = whole ? JSON.stringify(rows) : `${rows.map((row) => JSON.stringify(row)).join('\n')}\n{bad`;
      const headers = { 'X-Forwarded-For': '203.0.113.9', ...(whole ? { 'content-type': 'application/json' } : {}) };
      const answer = await post(port, body, { agent: agents[request % 2]!, headers });
      assert.deepEqual(JSON.parse(answer.text), { accepted: count, rejected: whole ? 0 : 1 });
    }),
  );
  for (const agent of agents)
    ports.push(...Object.values(agent.freeSockets).flatMap((sockets) => sockets!.map((socket) => socket.localPort!)));
  child.kill('SIGTERM');
  assert.equal((await ended).code, 0);
  const read = (name: string): { n: number; sender: number; [column: string]: unknown }[] =>
    readFileSync(join(folder, name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  const plain = new Map(read('plain.ndjson').map((row) => [row.n, row]));
  const rows = read('out.ndjson');
  assert.equal(rows.length, n);
  assert.equal(plain.size, n);
  assert.equal(new Set(rows.map(({ _ppf_id }) => _ppf_id)).size, n);
  for (const row of rows) {
    const own = plain.get(row.n)!;
    assert.deepEqual(Object.keys(own), ['n', 'sender']);
    const { _ppf_remote_host, _ppf_remote_port, _ppf_local_port } = row;
    assert.deepEqual([_ppf_remote_host, _ppf_remote_port, _ppf_local_port], ['127.0.0.1', ports[own.sender], port]);
  }
  assert.equal(read('errors.ndjson').length, 24);
});

test('raw bodies are rows with their bytes, and go out again as they came in', async (t) => {
  const folder = temporaryFolder(t);
  const received: { bytes: Buffer; type: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push({ bytes: Buffer.concat(parts), type: request.headers['content-type'] });
      response.end();
    });
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const columns = ['_ppf_remote_host', 'content'].map((name) => ({ name, type: name === 'content' ? 'bytes' : 'string' }));
  writeFileSync(join(folder, 'out.bin'), 'before');
  const { port, child, ended } = await startPunchline(t, folder, [
    source({ encoding: 'raw' }, [{ id: 'json', columns }, { id: 'again' }, { id: 'file', columns }]),
    { id: 'json', kind: 'sink', type: 'file', settings: { path: 'out.ndjson' } },
    { id: 'file', kind: 'sink', type: 'file', settings: { path: 'out.bin', encoding: 'raw', mode: 'append' } },
    { id: 'again', kind: 'sink', type: 'http', settings: { url, encoding: 'raw' } },
  ]);
  const bodies = [
    Buffer.from([0xef, 0xbb, 0xbf, 0x00, 0xff, 0x0a, 0x0a, 0xfe]),
    Buffer.from('[{"not":"read"}]\n'),
    Buffer.alloc(0),
    Buffer.from(Array.from({ length: 200_001 }, (_, n) => (n * 7) & 255)),
  ];
  for (const body of bodies) {
    const gzip = body.length > 1000;
    const headers = { 'content-type': 'application/json', ...(gzip ? { 'content-encoding': 'gzip' } : {}) };
    const answer = await post(port, gzip ? gzipSync(body) : body, { headers });
    assert.equal(answer.text, '{"accepted":1,"rejected":0}\n');
  }
  child.kill('SIGTERM');
  assert.equal((await ended).code, 0);
  const lines = readFileSync(join(folder, 'out.ndjson'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    bodies.map((body) => ({ _ppf_remote_host: '127.0.0.1', content: body.toString('base64') })),
  );
  assert.deepEqual(
    received.map(({ bytes }) => bytes),
    bodies,
  );
  assert.deepEqual(new Set(received.map(({ type }) => type)), new Set(['application/octet-stream']));
  assert.deepEqual(readFileSync(join(folder, 'out.bin')), Buffer.concat([Buffer.from('before'), ...bodies]));
});

test('who has sent a row of CSV stands beside it, whatever its fields hold and however long the body is', async (t) => {
  const folder = temporaryFolder(t);
  const columns = ['_ppf_remote_host', '_ppf_remote_port', '_ppf_id', 'n', 'text'].map((name) => ({ name, type: 'any' }));
  const { port, child, ended } = await startPunchline(t, folder, [
    source({}, [{ id: 'out', columns }]),
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.ndjson' } },
  ]);
  const texts = Array.from({ length: 30_000 }, (_, n) => (n % 3 ? `t${n}` : `a\n"${'x'.repeat(n % 50)}",\n`));
  const rows = texts.map((text, n) => `${n},"${text.replaceAll('"', '""')}"\r\n`);
  rows.splice(100, 0, '1,2,3\n', 'x"y,1\n');
  const headers = { 'content-type': 'text/csv' };
  const answer = await post(port, `n,text\n${rows.join('')}`, { headers });
  assert.equal(answer.text, '{"accepted":30000,"rejected":2}\n');
  assert.equal((await post(port, 'text\n"only\nthis"\n', { headers })).text, '{"accepted":1,"rejected":0}\n');
  child.kill('SIGTERM');
  assert.equal((await ended).code, 0);
  const lines = readFileSync(join(folder, 'out.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ n, text }) => [n, text]),
    [...texts.map((text, n) => [String(n), text]), [undefined, 'only\nthis']],
  );
  assert.ok(lines.every((row) => row._ppf_remote_host === '127.0.0.1' && row._ppf_remote_port > 0));
  assert.equal(new Set(lines.map(({ _ppf_id }) => _ppf_id)).size, lines.length);
});
