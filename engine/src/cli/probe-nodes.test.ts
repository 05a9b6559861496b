import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { reef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';
import { freePort } from '../testing/servers/free-port.ts';

test('check --connect says what each node reaches, and moves no row', async (t) => {
  const folder = temporaryFolder(t);
  const methods: string[] = [];
  const server = createServer((request, response) => {
    methods.push(request.method!);
    response.writeHead(405).end();
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  t.after(() => {
    server.close();
  });
  const { port } = server.address() as { port: number };
  const source = await freePort();
  writeFileSync(join(folder, 'in.jsonl'), '{"a":1}\n');
  const file = writePunchline(folder, 'StreamPunchline', [
    { id: 'in', kind: 'source', type: 'http', settings: { port: source }, out: [{ id: 'out' }, { id: 'kept' }, { id: 'none' }] },
    { id: 'read', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'http', settings: { url: `http://127.0.0.1:${port}/rows` } },
    { id: 'kept', kind: 'sink', type: 'file', settings: { path: 'deep/down/out.jsonl' } },
    { id: 'none', kind: 'sink', type: 'blackhole' },
  ]);
  const { code, stdout, stderr } = await reef(t, ['check', '--connect', file]);
  assert.equal(code, 0, stderr);
  assert.ok(stdout.includes(`source "in" may listen on port ${source}\n`), stdout);
  assert.ok(stdout.includes(`source "read" may read ${join(folder, 'in.jsonl')}\n`), stdout);
  assert.ok(stdout.includes(`sink "out" reaches http://127.0.0.1:${port}, which answers 405 to OPTIONS\n`), stdout);
  assert.ok(stdout.includes(`sink "kept" may make ${join(folder, 'deep/down/out.jsonl')}\n`), stdout);
  assert.match(stdout, /sink "none" connects to nothing/);
  assert.deepEqual(methods, ['OPTIONS']);
  assert.equal(existsSync(join(folder, 'deep')), false);
});

test('check --connect tells by line and column what cannot be reached, and ends with 1', async (t) => {
  const folder = temporaryFolder(t);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen({ port: 0, host: '127.0.0.1' }, resolve));
  t.after(() => {
    taken.close();
  });
  const { port } = taken.address() as { port: number };
  const file = writePunchline(folder, 'StreamPunchline', [
    { id: 'in', kind: 'source', type: 'http', settings: { port }, out: [{ id: 'out' }] },
    { id: 'read', kind: 'source', type: 'file', settings: { path: 'none.jsonl', mode: 'whole' }, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'http', settings: { url: `http://127.0.0.1:${await freePort()}/` } },
  ]);
  const { code, stderr } = await reef(t, ['check', '--connect', file]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /:1:\d+: .*source "in".*in use/);
  assert.match(stderr, /:1:\d+: .*none\.jsonl/);
  assert.match(stderr, /:1:\d+: .*Cannot reach HTTP sink "out".*refused/);
});

test('check --connect sees that a server does not let it in', async (t) => {
  const folder = temporaryFolder(t);
  const server = createServer((_, response) => {
    response.writeHead(401).end();
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  t.after(() => {
    server.close();
  });
  const { port } = server.address() as { port: number };
  const file = writePunchline(folder, 'StreamPunchline', [
    { id: 'in', kind: 'source', type: 'generator', settings: { messages: ['a'] }, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'http', settings: { url: `http://127.0.0.1:${port}/` } },
  ]);
  const { code, stderr } = await reef(t, ['check', '--connect', file]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /sink "out": .*answers 401, expected that `auth` lets it in/);
});
