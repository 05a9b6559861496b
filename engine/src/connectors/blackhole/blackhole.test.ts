import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestLog } from '../testing/test-context.ts';
import blackhole from './sink.ts';

test('blackhole counts rows and asks for no bytes', async () => {
  const log = new TestLog();
  const codec = { name: 'json' } as const;
  const context = {
    id: 'out',
    settings: {},
    folder: '/',
    punchlineKind: 'BatchPunchline',
    log,
    count() {},
    codec,
    resume: undefined,
    memory: '/nowhere',
  } as const;
  const sink = await blackhole.open(context);
  const none = new Uint8Array();
  await sink.write({ bytes: none, rows: 3, partition: 'p' });
  await sink.write({ bytes: none, rows: 4, partition: 'p' });
  await sink.close('finished');
  assert.equal(blackhole.payload, false);
  assert.deepEqual(log.infos, ['Sink "out" threw 7 rows away']);
});
