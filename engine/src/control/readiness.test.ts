/** What `/readyz` says of nodes that cannot do their work for now, and that `/healthz` does not mind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { temporaryFolder, writePunchline } from '../testing/reef-process.ts';
import { freePort } from '../testing/servers/free-port.ts';
import { metricsUrl, startWatched, until, type WatchedProcess } from './testing/watched-process.ts';

interface State {
  readonly ready: boolean;
  readonly punchlines: readonly { readonly name: string; readonly phase: string; readonly unready: readonly Why[] }[];
}
type Why = { readonly node: string; readonly why: string };

const blackhole = { id: 'out', kind: 'sink', type: 'blackhole' };

async function start(
  t: TestContext,
  source: object,
  sink: object = blackhole,
): Promise<{ url: string; process: WatchedProcess }> {
  const nodes = [{ id: 'in', kind: 'source', out: [{ id: 'out' }], ...source }, sink];
  const process = startWatched(t, writePunchline(temporaryFolder(t), 'StreamPunchline', nodes));
  return { url: await metricsUrl(process), process };
}

/** The reason that the one node is not ready for, once it is `wanted`. */
async function reason(url: string, wanted: RegExp): Promise<Why> {
  const text = await until(`${url}/readyz`, (body, status) => status === 503 && wanted.test(body));
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  return (JSON.parse(text) as State).punchlines[0]!.unready[0]!;
}

test('a broker that is away, or says nothing, makes its source not ready and the process no less alive', async (t) => {
  const port = await freePort();
  for (const source of [
    { type: 'mqtt', settings: { url: `mqtt://127.0.0.1:${port}`, topics: ['a'] } },
    { type: 'kafka', settings: { 'bootstrap.servers': `127.0.0.1:${port}`, topics: 'a' } },
    { type: 'http_poller', settings: { requests: [{ url: `http://127.0.0.1:${port}/` }] } },
  ]) {
    const { url, process } = await start(t, source);
    const { node, why } = await reason(url, /refused/i);
    assert.equal(node, 'in');
    assert.match(why, /^reads nothing for now: .*refused/i, source.type);
    process.child.kill('SIGTERM');
    assert.equal((await process.ended).code, 0);
  }
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  t.after(() => silent.close());
  await once(silent, 'listening');
  const at = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const { url } = await start(t, { type: 'mqtt', settings: { url: `mqtt://${at}`, topics: ['a'] } });
  assert.deepEqual(await reason(url, /not connected/), { node: 'in', why: 'reads nothing for now: is not connected yet' });
});

test('a source that fails is not ready until it feeds again', async (t) => {
  let up = false;
  const server = (await import('node:http')).createServer((_, response) => {
    response.writeHead(up ? 200 : 503).end(up ? '[{"n":1}]' : 'down for now');
  });
  server.listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const settings = { interval_secs: 0.05, requests: [{ url: `http://127.0.0.1:${port}/` }] };
  const { url } = await start(t, { type: 'http_poller', settings });
  assert.match((await reason(url, /503/)).why, /answers 503/);
  up = true;
  await until(`${url}/readyz`, (_, status) => status === 200);
});

test('a punchline that drains is not ready, and says so', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  t.after(() => silent.close());
  await once(silent, 'listening');
  const settings = { url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/` };
  const { url, process } = await start(t, { type: 'stdin' }, { id: 'out', kind: 'sink', type: 'http', settings });
  process.child.stdin.write('{"n":1}\n');
  await until(`${url}/metrics`, (body) => /reef_sink_waiting_chunks\{[^}]*"out"\} 1/.test(body));
  process.child.kill('SIGTERM');
  const text = await until(`${url}/readyz`, (_, status) => status === 503);
  assert.equal((JSON.parse(text) as State).punchlines[0]!.phase, 'draining');
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  process.child.kill('SIGTERM');
  await process.ended;
});
