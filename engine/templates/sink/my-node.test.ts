// node --test my-node.test.ts
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSink } from '@reef/engine/testing';
import spec from './my-node.ts';

test('rows are in the file, in their order', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'my-node-'));
  t.after(() => rm(folder, { recursive: true }));
  const sink = await openSink(spec, { folder, settings: { path: 'out.jsonl' } });
  await sink.write([{ n: 1 }, { n: 2 }]);
  await sink.write([{ n: 3 }]);
  await sink.close();
  assert.equal(await readFile(join(folder, 'out.jsonl'), 'utf8'), '{"n":1}\n{"n":2}\n{"n":3}\n');
});

test('a wrong folder ends the punchline with a sentence', async () => {
  const sink = await openSink(spec, { settings: { path: '/no/such/folder/out.jsonl' } });
  await assert.rejects(sink.write([{ n: 1 }]), { name: 'ReefError', retry: false, message: /Cannot write to sink "test"/ });
});
