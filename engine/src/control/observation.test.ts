/** Running punchlines seen from outside: what is counted, who is told, and that nobody who looks can do harm. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { get } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { processSeries } from '../observe/process-series.ts';
import { series } from '../observe/series.ts';
import { makeCertificate } from '../testing/certificates.ts';
import { type ReefProcess, reef, startReef, temporaryFolder } from '../testing/reef-process.ts';
import { ask } from './ask.ts';
import { controlSocketPath } from './socket-path.ts';
import { metricsUrl, until } from './testing/watched-process.ts';

const stdin = { id: 'in', kind: 'source', type: 'stdin', out: [{ id: 'some' }] };
const even = { column: 'n', op: 'ne', value: 2 };
const some = { id: 'some', kind: 'function', type: 'filter', settings: { condition: even }, out: [{ id: 'out' }] };
const stdout = { id: 'out', kind: 'sink', type: 'stdout' };

function write(folder: string, nodes: readonly object[], annotations: object = {}): string {
  const file = join(folder, 'punchline.yaml');
  writeFileSync(file, JSON.stringify({ kind: 'StreamPunchline', metadata: { name: 'test', annotations }, spec: { dag: nodes } }));
  return file;
}

/** Sends rows and waits until so many lines have come out. */
async function send({ child }: ReefProcess, rows: string, lines: number): Promise<void> {
  let seen = 0;
  const done = new Promise<void>((resolve) => {
    const count = (text: string): void => {
      seen += text.split('\n').length - 1;
      if (seen < lines) return;
      child.stdout.off('data', count);
      resolve();
    };
    child.stdout.on('data', count);
  });
  child.stdin.write(rows);
  await done;
}

const has =
  (...lines: string[]) =>
  (text: string): boolean =>
    lines.every((line) => text.includes(`\n${line}\n`));

test('the endpoint counts rows as they are, by node', async (t) => {
  const folder = temporaryFolder(t);
  const args = ['run', write(folder, [stdin, some, stdout]), '--state', join(folder, 'state'), '--metrics', '0'];
  const process = startReef(t, args);
  const url = await metricsUrl(process);
  await send(process, '{"n":1}\n{"n":2}\nbad\n[3]\n{"n":4}\n', 2);
  const labels = (node: string): string => `{punchline="test",node="${node}"}`;
  const text = await until(
    `${url}/metrics`,
    has(
      `reef_source_rows_total${labels('in')} 5`,
      `reef_source_bytes_total${labels('in')} 32`,
      `reef_source_undecodable_rows_total${labels('in')} 2`,
      `reef_function_rows_in_total${labels('some')} 3`,
      `reef_function_rows_out_total${labels('some')} 2`,
      `reef_filtered_rows_total{punchline="test"} 1`,
      `reef_rejected_rows_total${labels('in')} 2`,
      `reef_sink_rows_in_total${labels('out')} 2`,
      `reef_sink_rows_delivered_total${labels('out')} 2`,
      `reef_sink_bytes_total${labels('out')} 16`,
      `reef_sink_waiting_chunks${labels('out')} 0`,
      `reef_sink_rows_delivered_total${labels('_dead_letters')} 2`,
      `reef_source_delivery_seconds_count${labels('in')} 1`,
      'reef_running{punchline="test"} 1',
    ),
  );
  const cpu = Number(/^reef_function_cpu_seconds_total\{.*\} (.+)$/m.exec(text)?.[1]);
  // Of three rows it may be less than the clock shows.
  assert.ok(cpu >= 0 && cpu < 5, text);
  const buckets = [...text.matchAll(/^reef_source_delivery_seconds_bucket\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
  assert.deepEqual(
    buckets,
    buckets.toSorted((a, b) => a - b),
  );
  assert.equal(buckets.at(-1), 1);
  assert.equal(await (await fetch(`${url}/healthz`)).text(), 'ok\n');
  const ready = await fetch(`${url}/readyz`);
  assert.deepEqual(
    [ready.status, await ready.json()],
    [200, { ready: true, punchlines: [{ name: 'test', phase: 'running', unready: [] }] }],
  );
  assert.equal((await fetch(`${url}/nothing`)).status, 404);
  assert.equal((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status, 405);
  process.child.stdin.end();
  assert.equal((await process.ended).code, 0);
});

test('every series that there is stands in the docs, and every one in the docs is there', () => {
  const docs = readFileSync(new URL('../../../docs/observing.md', import.meta.url), 'utf8');
  const named = new Set([...docs.matchAll(/^\| `((?:reef|process)_\w+)` \|/gm)].map(([, name]) => name));
  assert.deepEqual([...named].toSorted(), [...series, ...processSeries].map(({ name }) => name).toSorted());
});

test('a sink that refuses rows shows as not ready, with its retries and what waits for it', async (t) => {
  const folder = temporaryFolder(t);
  let refuse = true;
  const server = await serve(t, (status) => (refuse ? 503 : status));
  const settings = { url: server.url, retry: { initial_ms: 1, max_ms: 5 } };
  const file = write(folder, [
    { ...stdin, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'http', settings },
  ]);
  const process = startReef(t, ['run', file, '--state', join(folder, 'state'), '--metrics', '0']);
  const url = await metricsUrl(process);
  process.child.stdin.write('{"n":1}\n');
  const text = await until(`${url}/readyz`, (body) => body.includes('takes no rows'));
  const [{ node, why }] = JSON.parse(text).punchlines[0].unready;
  assert.equal(node, 'out');
  assert.match(why, /^takes no rows for now: Cannot send to HTTP sink "out": .* answers 503/);
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  await until(`${url}/metrics`, (metrics) => /reef_sink_retries_total\{[^}]*node="out"\} [1-9]/.test(metrics));
  await until(`${url}/metrics`, has('reef_sink_waiting_chunks{punchline="test",node="out"} 1'));
  refuse = false;
  await until(`${url}/readyz`, (_, status) => status === 200);
  await until(`${url}/metrics`, has('reef_sink_waiting_chunks{punchline="test",node="out"} 0'));
});

test('a sink that has stopped answering shows by what waits for it', async (t) => {
  const folder = temporaryFolder(t);
  // Accepts connections, and says nothing.
  const silent = createTcpServer(() => {}).listen(0, '127.0.0.1');
  t.after(() => silent.close());
  await once(silent, 'listening');
  const settings = { url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/` };
  const file = write(folder, [
    { ...stdin, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'http', settings },
  ]);
  const process = startReef(t, ['run', file, '--state', join(folder, 'state'), '--metrics', '0']);
  const url = await metricsUrl(process);
  process.child.stdin.write('{"n":1}\n');
  await until(
    `${url}/metrics`,
    has(
      'reef_sink_waiting_chunks{punchline="test",node="out"} 1',
      'reef_sink_rows_delivered_total{punchline="test",node="out"} 0',
    ),
  );
  const { stdout } = await reef(t, ['top', '--state', folder, '--once']);
  assert.match(stdout, /^out +http +0 +0 +0 +0 +1 /m);
});

test('with a certificate and a token the endpoint answers by TLS, and only those who have the token', async (t) => {
  const folder = temporaryFolder(t);
  const [certificate, key, ca] = ['server.pem', 'server.key', 'ca.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const authority = makeCertificate({ name: 'test authority', authority: true });
  const made = makeCertificate({ name: 'server', issuer: authority });
  writeFileSync(certificate, made.certificate);
  writeFileSync(key, made.key);
  writeFileSync(ca, authority.certificate);
  const file = write(folder, [stdin, some, stdout]);
  const args = [
    'run',
    file,
    '--state',
    join(folder, 'state'),
    '--metrics',
    '0',
    '--metrics-cert',
    certificate,
    '--metrics-key',
    key,
  ];
  const token = 'a-token-for-metrics';
  const process = startReef(t, args, { REEF_METRICS_TOKEN: token });
  const url = await metricsUrl(process);
  assert.match(url, /^https:/);
  const ask = (path: string, headers: object = {}): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const request = get(`${url}${path}`, { ca: authority.certificate, headers: { ...headers } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
    });
  assert.equal(await ask('/healthz'), 200);
  for (const path of ['/metrics', '/readyz', '/top', '/nothing']) assert.equal(await ask(path), 401, path);
  assert.equal(await ask('/metrics', { authorization: 'Bearer another' }), 401);
  assert.equal(await ask('/metrics', { authorization: `Bearer ${token}` }), 200);
  await assert.rejects(fetch(url.replace('https', 'http')));

  const env = { REEF_METRICS_TOKEN: token, NODE_EXTRA_CA_CERTS: ca };
  const top = await reef(t, ['top', url, '--json'], env);
  assert.equal((JSON.parse(top.stdout) as { punchline: string }).punchline, 'test', top.stderr);
  const refused = await reef(t, ['top', url], { ...env, REEF_METRICS_TOKEN: '' });
  assert.deepEqual([refused.code, refused.stdout], [1, '']);
  assert.match(refused.stderr, /^reef top: Cannot ask https:.*: it answers 401: expected the token of REEF_METRICS_TOKEN/);
  process.child.stdin.end();
  const { code, stdout: rows, stderr } = await process.ended;
  assert.deepEqual([code, rows], [0, '']);
  assert.ok(!stderr.includes(token), stderr);
});

test('what the endpoint is to be protected by is said when it is not whole', async (t) => {
  const folder = temporaryFolder(t);
  const file = write(folder, [stdin, some, stdout]);
  const cases: readonly (readonly [string[], Readonly<Record<string, string>>, RegExp])[] = [
    [['--metrics-cert', 'c.pem'], {}, /--metrics-key is missing, expected the private key of --metrics-cert/],
    [['--metrics-key', 'k.pem'], {}, /--metrics-cert is missing, expected a certificate with --metrics-key/],
    [['--metrics-ca', 'a.pem'], {}, /--metrics-cert is missing, expected a certificate with --metrics-ca/],
    [[], { REEF_METRICS_TOKEN: 'abc' }, /REEF_METRICS_TOKEN has 3 characters, expected 4 or more/],
    [['--metrics-cert', 'c.pem', '--metrics-key', 'k.pem'], {}, /c\.pem/],
  ];
  for (const [args, env, message] of cases) {
    const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state'), '--metrics', '0', ...args], env);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});

test('top asks where nobody answers, and says so', async (t) => {
  const { code, stderr } = await reef(t, ['top', 'http://127.0.0.1:1']);
  assert.equal(code, 1);
  assert.match(stderr, /^reef top: Cannot ask http:\/\/127\.0\.0\.1:1: .+, expected the address of reef run --metrics\n$/);
  const wrong = await reef(t, ['top', 'localhost']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /"localhost" is no URL, expected http:\/\/HOST:PORT of reef run --metrics/);
});

test('who reads the endpoint slowly or not at all holds up nothing', async (t) => {
  const folder = temporaryFolder(t);
  const args = ['run', write(folder, [stdin, some, stdout]), '--state', join(folder, 'state'), '--metrics', '127.0.0.1:0'];
  const process = startReef(t, args);
  const { port } = new URL(await metricsUrl(process));
  const idle = connect(Number(port), '127.0.0.1');
  t.after(() => idle.destroy());
  idle.on('error', () => {});
  idle.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50));
  idle.pause();
  await send(process, '{"n":1}\n', 1);
  process.child.stdin.end();
  assert.equal((await process.ended).code, 0);
});

test('an address that cannot be listened on is said before anything starts', async (t) => {
  const folder = temporaryFolder(t);
  const file = write(folder, [stdin, some, stdout]);
  for (const [at, message] of [
    ['x', /--metrics is "x", expected a port from 0 to 65535, or HOST:PORT/],
    ['99999', /--metrics is "99999", expected a port/],
    ['203.0.113.1:1', /Cannot listen for metrics on 203\.0\.113\.1:1: this machine does not have the address/],
  ] as const) {
    const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state'), '--metrics', at]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});

test('annotations open the endpoint and push to a gateway, a last time at the end; a gateway that fails ends nothing', async (t) => {
  const folder = temporaryFolder(t);
  const gateway = await serve(t, (status, count) => (count === 1 ? 500 : status));
  const file = write(folder, [stdin, some, stdout], {
    'metrics.punchplatform.com/pushGatewayUrl': gateway.url.replace(/\/$/, ''),
    'metrics.punchplatform.com/pushIntervalSeconds': '0.1',
  });
  const process = startReef(t, ['run', file, '--state', join(folder, 'state')]);
  await send(process, '{"n":1}\n', 1);
  await gateway.until(3);
  await send(process, '{"n":5}\n{"n":6}\n', 2);
  process.child.stdin.end();
  const { code, stderr } = await process.ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Cannot push metrics: the push gateway answers 500/);
  assert.match(stderr, /the push gateway takes metrics again/);
  const last = gateway.requests.at(-1)!;
  assert.deepEqual([last.method, last.url], ['PUT', '/metrics/job/test']);
  assert.ok(has('reef_source_rows_total{punchline="test",node="in"} 3')(last.body), last.body);
});

test('the socket in the state folder is for its owner, answers what it knows, and outlives a kill', async (t) => {
  const folder = temporaryFolder(t);
  const state = join(folder, 'state');
  const args = ['run', write(folder, [stdin, some, stdout]), '--state', state];
  for (let round = 0; round < 2; round++) {
    const process = startReef(t, args);
    await send(process, '{"n":1}\n', 1);
    assert.equal(statSync(controlSocketPath(state)).mode & 0o777, 0o600);
    const answers = await Array.fromAsync(ask(state, { ask: 'metrics' }));
    assert.equal((answers[0] as { punchline: string }).punchline, 'test');
    await assert.rejects(Array.fromAsync(ask(state, { ask: 'more' })), /Cannot answer "more": expected one of metrics/);
    const once = await reef(t, ['top', '--state', folder, '--once']);
    assert.match(once.stdout, /^test: running {2}process \d+ .*\nnode +type +in\/s/);
    const json = await reef(t, ['top', '--state', state, '--json']);
    const { nodes } = JSON.parse(json.stdout) as { nodes: { id: string; rowsIn: number }[] };
    assert.deepEqual(
      nodes.map(({ id, rowsIn }) => [id, rowsIn]),
      [
        ['in', 1],
        ['some', 1],
        ['out', 1],
      ],
    );
    process.child.kill('SIGKILL');
    await process.ended;
    const none = await reef(t, ['top', '--state', state]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /no punchline runs with its state in/);
  }
});

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly body: string;
}

/** A server that keeps what it gets. `status`: what it answers, given 200 and how many requests there were. */
async function serve(
  t: TestContext,
  status: (usual: number, count: number) => number,
): Promise<{ url: string; requests: Received[]; until(count: number): Promise<void> }> {
  const requests: Received[] = [];
  const server: Server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
    requests.push({ method: request.method, url: request.url, body });
    response.writeHead(status(200, requests.length)).end();
    server.emit('received');
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    async until(count) {
      while (requests.length < count) await once(server, 'received');
    },
  };
}
