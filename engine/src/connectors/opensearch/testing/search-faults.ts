/** What real servers refuse, and what becomes of it: what may pass is sent again, what is a document's own fault costs that one. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Undelivered } from '../../../spec/bulk-sink.ts';
import type { Json } from '../../../spec/plan.ts';
import { makeCertificate } from '../../../testing/certificates.ts';
import { type Owner, wholeFile } from '../../../testing/owner.ts';
import { reef, startReef, temporaryFolder, writePunchline } from '../../../testing/reef-process.ts';
import { missing, type Need } from '../../../testing/servers/needs.ts';
import { nginx, startNginx } from '../../../testing/servers/nginx.ts';
import type { SearchServer } from '../../../testing/servers/search-server.ts';
import { openSink } from '../../../testing-nodes.ts';
import { asSecret } from '../../testing/conformance/as-secret.ts';
import sinkSpec from '../sink.ts';

/** Small bounds, so that they are met. */
const SMALL = ['http.max_content_length: 1mb', 'indexing_pressure.memory.limit: 600kb'];

export interface FaultySearch {
  readonly name: string;
  readonly needs: readonly Need[];
  start(owner: Owner, more: readonly string[]): Promise<SearchServer>;
  /** It has data streams. */
  readonly streams: boolean;
}

interface Found {
  readonly hits: { readonly total: { readonly value: number } };
}

async function count(server: SearchServer, index: string): Promise<number> {
  await server.ask('POST', `/${index}/_refresh`);
  return (await server.ask<Found>('GET', `/${index}/_search?size=0&track_total_hits=true`)).hits.total.value;
}

async function write(port: number, settings: Record<string, Json>, rows: readonly Record<string, Json>[]) {
  const sink = await openSink(sinkSpec, { settings: { http_hosts: [{ host: '127.0.0.1', port }], ...settings } });
  try {
    return (await sink.write(rows)) as Undelivered | undefined;
  } finally {
    await sink.close();
  }
}

const into = (name: string): Record<string, Json> => ({ index: { type: 'fixed', name } });
const numbered = (rows: number, more: Record<string, Json> = {}): Record<string, Json>[] =>
  Array.from({ length: rows }, (_, n) => ({ _ppf_id: String(n), n, ...more }));

interface Job {
  readonly folder: string;
  readonly args: readonly string[];
}

/** A punchline that sends so many rows to the index. */
function job(t: TestContext, port: number, rows: readonly object[], settings: object): Job {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const own = { http_hosts: [{ host: '127.0.0.1', port }], retry: { initial_ms: 50, max_ms: 500 }, ...settings };
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'opensearch', settings: own },
  ]);
  return { folder, args: ['run', file, '--state', join(folder, 'state')] };
}

export async function searchFaults({ name, needs, start, streams }: FaultySearch): Promise<void> {
  const skip = await missing(...needs);
  const noNginx = skip || (await missing(nginx));
  const options = { skip, timeout: 90_000 };
  const server = skip ? (undefined as never) : await start(wholeFile, SMALL);

  test(`${name}: each document that does not fit is refused with the reason, the others are stored`, options, async () => {
    await server.ask('PUT', '/mapped', {
      settings: { 'index.mapping.total_fields.limit': 8 },
      mappings: { properties: { n: { type: 'integer' }, at: { type: 'date' }, deep: { type: 'object' } } },
    });
    const wide = Object.fromEntries(Array.from({ length: 10 }, (_, field) => [`f${field}`, 1]));
    const rows: Record<string, Json>[] = [
      { n: 1 },
      { n: 'many' },
      { n: 3_000_000_000 },
      { at: 'yesterday' },
      { deep: 7 },
      { n: { deeper: 1 } },
      wide,
      { n: 9 },
    ];
    const said = await write(
      server.port,
      into('mapped'),
      rows.map((row, at) => ({ _ppf_id: String(at), ...row })),
    );
    assert.deepEqual(said?.again, []);
    const reasons = new Map(said!.refused!.map(({ row, reason }) => [row, reason]));
    assert.deepEqual([...reasons.keys()], [1, 2, 3, 4, 5, 6]);
    assert.match(reasons.get(1)!, /^400 .*failed to parse field \[n\] of type \[integer\]/);
    assert.match(reasons.get(2)!, /out of range/);
    assert.match(reasons.get(3)!, /failed to parse field \[at\] of type \[date\]/);
    assert.match(reasons.get(4)!, /object mapping for \[deep\] tried to parse field/);
    assert.match(reasons.get(6)!, /Limit of total fields \[8\]/);
    assert.equal(await count(server, 'mapped'), 2);
  });

  test(`${name}: an index that its disk has made read-only is waited for`, options, async (t) => {
    await server.ask('PUT', '/full', { settings: { 'index.blocks.read_only_allow_delete': true } });
    const { args, folder } = job(t, server.port, numbered(500), { ...into('full'), batch: { rows: 50 } });
    const running = startReef(t, args);
    await says(running, /cluster_block_exception/);
    await server.ask('PUT', '/full/_settings', { 'index.blocks.read_only_allow_delete': null });
    const { code, stderr } = await running.ended;
    assert.equal(code, 0, stderr);
    assert.equal(await count(server, 'full'), 500);
    assert.doesNotMatch(stderr, /[1-9]\d* rejected/, folder);
  });

  test(
    `${name}: an index that is deleted meanwhile is made anew; where that is not allowed it is waited for`,
    options,
    async (t) => {
      assert.equal(await write(server.port, into('deleted'), numbered(10)), undefined);
      await server.ask('DELETE', '/deleted');
      assert.equal(await write(server.port, into('deleted'), numbered(5)), undefined);
      assert.equal(await count(server, 'deleted'), 5);
      await server.ask('PUT', '/_cluster/settings', { transient: { 'action.auto_create_index': '-forbidden' } });
      const { args } = job(t, server.port, numbered(100), into('forbidden'));
      const running = startReef(t, args);
      await says(running, /index_not_found_exception/);
      await server.ask('PUT', '/_cluster/settings', { transient: { 'action.auto_create_index': null } });
      const { code, stderr } = await running.ended;
      assert.equal(code, 0, stderr);
      assert.equal(await count(server, 'forbidden'), 100);
    },
  );

  test(`${name}: what it is too busy for is sent again, and is stored once`, options, async (t) => {
    // Bulks at the same time are more than it lets in, one alone is not.
    const rows = numbered(1600, { text: 'x'.repeat(2000) });
    const { args } = job(t, server.port, rows, { ...into('busy'), batch: { rows: 160 }, concurrency: 8, ordered: false });
    const { code, stderr } = await reef(t, args);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /429.*rejected execution/);
    assert.equal(await count(server, 'busy'), 1600);
  });

  test(
    `${name}: a bulk that is too long is halved; a document or an id that is too long by itself is refused`,
    options,
    async (t) => {
      const rows = numbered(8, { text: 'x'.repeat(200_000) });
      rows[3] = { ...rows[3]!, text: 'y'.repeat(1_200_000) };
      // For this the server refuses the whole bulk, too.
      rows[5] = { ...rows[5]!, _ppf_id: 'z'.repeat(600) };
      const { args, folder } = job(t, server.port, rows, { ...into('long'), batch: { rows: 8, bytes: 10_000_000 } });
      const { code, stderr } = await reef(t, args);
      assert.equal(code, 0, `${stderr}${folder}`);
      assert.match(stderr, /2 rejected/);
      assert.equal(await count(server, 'long'), 6);
    },
  );

  test(`${name}: a data stream is added to, and what was added before counts as taken`, {
    ...options,
    skip: skip || (streams ? false : undefined),
  }, async () => {
    if (!streams) {
      const said = await write(server.port, { ...into('none'), index: { type: 'data_stream', name: 'none' } }, [
        { _ppf_id: '1', n: 1 },
      ]);
      assert.equal(said, undefined, 'an index of that name takes what is added, too');
      return;
    }
    await server.ask('PUT', '/_index_template/events', { index_patterns: ['events*'], data_stream: {} });
    const settings = { index: { type: 'data_stream', name: 'events' }, document: { extra_fields: [{ name: '@timestamp' }] } };
    for (let times = 0; times < 2; times++) assert.equal(await write(server.port, settings, numbered(3)), undefined);
    assert.equal(await count(server, 'events'), 3);
    // It must have a time.
    const said = await write(server.port, { index: settings.index }, [{ _ppf_id: 'timeless', n: 1 }]);
    assert.match(said!.refused![0]!.reason, /@timestamp/);
  });

  test(`${name} behind TLS and a password: right ones are let in, a wrong one is waited for, and a 413 halves`, {
    ...options,
    skip: noNginx,
  }, async (t) => {
    const authority = makeCertificate({ name: 'authority', authority: true });
    const user = { name: 'reef', password: 'the right one' };
    const guard = await startNginx(t, {
      targetPort: server.port,
      user,
      certificate: makeCertificate({ name: 'localhost', issuer: authority }),
      mostBodyBytes: 100_000,
    });
    const secure = (password: string) => ({
      ...into('guarded'),
      http_hosts: [{ host: 'localhost', port: guard.ports.http, scheme: 'https' }],
      tls: { ca_file: 'authority.pem' },
      auth: { type: 'basic', username: user.name, password: asSecret(password) },
      batch: { rows: 200 },
    });
    const rows = numbered(200, { text: 'x'.repeat(1000) });
    const wrong = job(t, guard.ports.http, rows, secure('the wrong one'));
    writeFileSync(join(wrong.folder, 'authority.pem'), authority.certificate);
    const refused = startReef(t, wrong.args);
    await says(refused, /answers 401/);
    refused.child.kill('SIGKILL');
    assert.doesNotMatch((await refused.ended).stderr, /the wrong one/);
    const right = job(t, guard.ports.http, rows, secure(user.password));
    writeFileSync(join(right.folder, 'authority.pem'), authority.certificate);
    const { code, stderr } = await reef(t, right.args);
    assert.equal(code, 0, stderr);
    assert.equal(await count(server, 'guarded'), 200);
  });
}

/** Resolves once it has said this. */
function says({ child, ended }: ReturnType<typeof startReef>, pattern: RegExp): Promise<void> {
  let text = '';
  return new Promise((resolve, reject) => {
    child.stderr.on('data', (piece: string) => {
      text += piece;
      if (pattern.test(text)) resolve();
    });
    void ended.then(({ stderr }) => reject(new Error(`reef ended before it said ${pattern}:\n${stderr}`)));
  });
}
