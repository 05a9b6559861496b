/** What becomes of a topic while it is read: compaction, deletion, values that are no rows. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Admin } from '@platformatic/kafka';
import { wholeFile } from '../../testing/owner.ts';
import { reef, temporaryFolder } from '../../testing/reef-process.ts';
import { type Kafka, startKafka } from '../../testing/servers/kafka.ts';
import { kafka } from '../../testing/servers/kafka-command.ts';
import { missing } from '../../testing/servers/needs.ts';
import { columns, numbers, punchline, rowsOf, said, start, stop } from './testing/punchlines.ts';
import { produce, TopicReader } from './testing/topics.ts';

const skip = await missing(...kafka);
const cleaner = ['log.cleaner.enable=true', 'log.cleaner.backoff.ms=100', 'log.cleaner.threads=1'];
const server = skip === false ? await startKafka(wholeFile, { more: cleaner }) : undefined;
const shared = (): Kafka => server!;
const values = (count: number, from = 0) => numbers(count, from).map((value) => ({ value }));

test('of a compacted topic what is left comes in order, its gaps are stepped over, tombstones are rows where that is set', {
  skip,
  timeout: 120_000,
}, async (t) => {
  const broker = shared();
  const address = broker.address('plain');
  await broker.createTopic('compacted', 1, {
    'cleanup.policy': 'compact',
    'segment.ms': '100',
    'min.cleanable.dirty.ratio': '0.001',
    'min.compaction.lag.ms': '0',
  });
  // What stands alone stays where it is, between what goes.
  const keyed = numbers(300).map((value, n) => ({ value, key: n % 20 === 0 ? `only${n}` : `k${n % 7}` }));
  await produce(address, 'compacted', keyed.slice(0, 150));
  await produce(address, 'compacted', [{ value: null, key: 'k3' }]);
  // A segment is closed when it is old, with the next record.
  await pause(200);
  await produce(
    address,
    'compacted',
    keyed.slice(150).filter(({ key }) => key !== 'k3'),
  );
  await pause(200);
  await produce(address, 'compacted', [{ value: '{"n":1000}', key: 'last' }]);
  const left = async (): Promise<number> => {
    const reader = await new TopicReader(t, address).open('compacted');
    await reader.until(() => reader.received.some(({ key }) => key === 'last'));
    return reader.received.length;
  };
  // The cleaner works when it wants to.
  while ((await left()) > 100) await pause(200);
  const run = async (more: object): Promise<Record<string, unknown>[]> => {
    const settings = { 'bootstrap.servers': address, topics: 'compacted', stop_at_end: true, ...more };
    const out = { columns: columns({ n: 'long', _ppf_key: 'string', _ppf_partition_offset: 'long' }) };
    const nodes = { source: { type: 'kafka', settings }, out, sink: { type: 'stdout' } };
    const done = await reef(t, ['run', punchline(t, 'BatchPunchline', nodes)]);
    assert.equal(done.code, 0, done.stderr);
    return rowsOf(done.stdout);
  };
  const rows = await run({ 'group.id': 'skip' });
  const offsets = rows.map((row) => row._ppf_partition_offset as number);
  assert.deepEqual(
    offsets,
    [...offsets].sort((one, other) => one - other),
    'in order',
  );
  assert.ok(
    offsets.some((offset, i) => i > 0 && offset > offsets[i - 1]! + 1),
    'there are gaps',
  );
  const newest = new Map(rows.map(({ _ppf_key, n }) => [_ppf_key, n]));
  for (const key of ['k0', 'k1', 'k2', 'k4', 'k5', 'k6'])
    assert.equal(newest.get(key), JSON.parse(keyed.findLast((each) => each.key === key)!.value).n);
  assert.ok(
    rows.every(({ n }) => n !== undefined),
    'no row is a tombstone',
  );
  const all = await run({ 'group.id': 'row', tombstones: 'row' });
  assert.deepEqual(
    all.filter(({ n }) => n === undefined || n === null).map(({ _ppf_key }) => _ppf_key),
    ['k3'],
  );
  assert.equal((await run({ 'group.id': 'skip' })).length, 0, 'the end of the topic is committed');
});

test('a topic that is deleted and made again while it is read is read from its beginning, however many rows it has then', {
  skip,
  timeout: 120_000,
}, async (t) => {
  const broker = shared();
  const address = broker.address('plain');
  await broker.createTopic('again');
  await broker.createTopic('again-out');
  await produce(address, 'again', values(10));
  const process = start(
    t,
    punchline(t, 'StreamPunchline', {
      source: { type: 'kafka', settings: { 'bootstrap.servers': address, topics: 'again', metadata_refresh_secs: 0.5 } },
      sink: { type: 'kafka', settings: { 'bootstrap.servers': address, topic: 'again-out' } },
    }),
  );
  const reader = await new TopicReader(t, address).open('again-out');
  await reader.until(() => reader.received.length >= 10);
  const admin = new Admin({ clientId: 'tests', bootstrapBrokers: [address] });
  t.after(() => admin.close());
  const lost = said(process, /UNKNOWN_TOPIC_OR_PARTITION|Unknown topic|no leader|there is no topic/);
  await admin.deleteTopics({ topics: ['again'] });
  await lost;
  const anew = said(process, /again\/0 is a new topic, going on at 0/);
  await broker.createTopic('again');
  // More than were read of the old one: its offsets would be good here, too.
  await produce(address, 'again', values(50, 100));
  await anew;
  await reader.until(() => reader.received.length >= 60);
  await stop(process);
  assert.deepEqual(reader.values(), [...numbers(10), ...numbers(50, 100)]);
});

test('values that are no JSON or no UTF-8 stand in the error table with their offset and the reason, the others go on', {
  skip,
}, async (t) => {
  const broker = shared();
  const address = broker.address('plain');
  await broker.createTopic('broken');
  const wrong = [
    Buffer.from('{"n":1,"text":"\xff\xfe"}', 'latin1'),
    Buffer.from([0, 1, 2, 0xff]),
    Buffer.from('{"n":2'),
    Buffer.from('{"n":3,"text":"\xed\xa0\x80"}', 'latin1'),
    Buffer.from([0x1f, 0x8b, 8, 0, 10, 13, 0]),
  ];
  const all = wrong.flatMap((value, i) => [{ value }, { value: `{"n":${100 + i}}` }]);
  await produce(address, 'broken', all);
  const errors = join(temporaryFolder(t), 'errors.jsonl');
  const nodes = {
    source: { type: 'kafka', settings: { 'bootstrap.servers': address, topics: 'broken', stop_at_end: true } },
    out: { columns: columns({ n: 'long', text: 'string' }) },
    sink: { type: 'stdout' },
    errors,
  };
  const done = await reef(t, ['run', punchline(t, 'BatchPunchline', nodes)]);
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual(
    rowsOf(done.stdout).map(({ n }) => n),
    [100, 101, 102, 103, 104],
  );
  const documents = readFileSync(errors, 'utf8').trim().split('\n');
  assert.equal(documents.length, wrong.length, documents.join('\n'));
  for (const [i, document] of documents.entries()) {
    assert.ok(document.includes(`in:broken/0:${2 * i}`), document);
    assert.match(document, /JSON|UTF-8/);
  }
  t.diagnostic(documents.join('\n'));
});
