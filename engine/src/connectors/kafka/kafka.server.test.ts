import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { binarySamples } from '../../testing/binary-samples.ts';
import { wholeFile } from '../../testing/owner.ts';
import { reef, temporaryFolder } from '../../testing/reef-process.ts';
import { type Kafka, startKafka } from '../../testing/servers/kafka.ts';
import { kafka } from '../../testing/servers/kafka-command.ts';
import { missing, program } from '../../testing/servers/needs.ts';
import { runProgram } from '../../testing/servers/run-program.ts';
import { sasl, secrets } from './testing/credentials.ts';
import { columns, numbers, punchline, rowsOf, said, start, stop } from './testing/punchlines.ts';
import { newTopic, produce, TopicReader } from './testing/topics.ts';

const skip = await missing(...kafka);
const skipKcat = skip || (await missing(program('kcat', 'kcat')));
/** One for the whole file; tests have topics of their own. */
const server = skip === false ? await startKafka(wholeFile) : undefined;
const shared = (): Kafka => server!;

test('all compressions, keys, headers and offsets come as columns; a second run finds nothing left', { skip }, async (t) => {
  const broker = shared();
  const topic = await newTopic(broker, 2);
  const how = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
  for (const [i, compression] of how.entries())
    await produce(
      broker.address('plain'),
      topic,
      [{ value: `{"n":${i}}`, key: `é${i}`, partition: i % 2, headers: { h: '"x"' } }],
      compression,
    );
  await produce(broker.address('plain'), topic, [{ value: null, key: 'gone', partition: 0 }]);
  const out = {
    columns: columns({
      n: 'long',
      _ppf_topic: 'string',
      _ppf_partition_id: 'long',
      _ppf_partition_offset: 'long',
      _ppf_key: 'string',
      _ppf_headers: 'string',
      _ppf_id: 'string',
    }),
  };
  const settings = { 'bootstrap.server': broker.address('plain'), topics: topic, stop_at_end: true, tombstones: 'row' };
  const file = punchline(t, 'BatchPunchline', { source: { type: 'kafka', settings }, out, sink: { type: 'stdout' } });
  const first = await reef(t, ['run', file]);
  assert.equal(first.code, 0, first.stderr);
  const rows = rowsOf(first.stdout).sort((one, other) => Number(one.n ?? 9) - Number(other.n ?? 9));
  assert.deepEqual(
    rows.slice(0, 5),
    how.map((_, i) => ({
      n: i,
      _ppf_topic: topic,
      _ppf_partition_id: i % 2,
      _ppf_partition_offset: Math.floor(i / 2),
      _ppf_key: `é${i}`,
      _ppf_headers: '{"h":"\\"x\\""}',
      _ppf_id: `in:${topic}/${i % 2}:${Math.floor(i / 2)}`,
    })),
  );
  assert.equal(rows[5]!._ppf_key, 'gone');
  assert.equal(rows[5]!.n, undefined);
  const second = await reef(t, ['run', file]);
  assert.equal(second.stdout, '');
});

test('with encoding raw values go from topic to topic byte for byte, whatever they hold', { skip }, async (t) => {
  const broker = shared();
  const address = broker.address('plain');
  const [from, to] = [await newTopic(broker), await newTopic(broker)];
  const values = binarySamples();
  await produce(
    address,
    from,
    values.map((value, i) => ({ value, key: `k${i}` })),
  );
  const source = {
    type: 'kafka',
    settings: { 'bootstrap.servers': address, topics: [from], stop_at_end: true, encoding: 'raw' },
  };
  const out = { columns: columns({ content: 'bytes', _ppf_key: 'string' }) };
  const settings = { 'bootstrap.servers': address, topic: to, key_column: '_ppf_key', ordered: true, encoding: 'raw' };
  const file = punchline(t, 'BatchPunchline', { source, out, sink: { type: 'kafka', settings } });
  const { code, stderr } = await reef(t, ['run', file]);
  assert.equal(code, 0, stderr);
  const reader = await new TopicReader(t, address).open(to);
  await reader.until(() => reader.received.length >= values.length);
  assert.deepEqual(
    reader.received.map(({ key, bytes }) => [key, bytes]),
    values.map((value, i) => [`k${i}`, value]),
  );
});

test('rows go from topic to topic in order, with key, headers, topic and partition of columns', { skip }, async (t) => {
  const broker = shared();
  const [from, to, byName] = [await newTopic(broker, 1), await newTopic(broker, 3), await newTopic(broker, 4)];
  const address = broker.address('plain');
  const sent = numbers(3000).map((value, i) => ({ value, key: `key${i % 7}`, headers: { i: String(i) } }));
  await produce(address, from, sent);
  const source = { type: 'kafka', settings: { 'bootstrap.servers': address, topics: [from], stop_at_end: true } };
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const sink = {
      type: 'kafka_sink',
      settings: {
        'bootstrap.servers': address,
        topic: to,
        key_column: '_ppf_key',
        headers_column: '_ppf_headers',
        headers: { by: 'reef' },
        'producer.compression.type': compression,
        'producer.batch.size': 5000,
      },
    };
    const settings = { ...source.settings, 'group.id': `${from}-${compression}` };
    const done = await reef(t, ['run', punchline(t, 'BatchPunchline', { source: { ...source, settings }, sink })]);
    assert.equal(done.code, 0, done.stderr);
  }
  const reader = await new TopicReader(t, address).open(to);
  await reader.until(() => reader.received.length >= sent.length * 5);
  for (const key of new Set(sent.map(({ key }) => key))) {
    const got = reader.received.filter((record) => record.key === key);
    assert.equal(new Set(got.map(({ partition }) => partition)).size, 1);
    const once = sent.filter((record) => record.key === key).map(({ value }) => value);
    assert.deepEqual(
      got.map(({ value }) => value),
      Array(5).fill(once).flat(),
    );
  }
  assert.deepEqual(Object.keys(reader.received[0]!.headers).sort(), ['by', 'i']);

  const sink = {
    type: 'kafka',
    settings: { 'bootstrap.servers': address, topic_column: 't', partition_column: 'p', unknown_topic: 'refuse' },
  };
  const folder = temporaryFolder(t);
  const lines = [{ t: byName, p: 3 }, { t: 'no-such-topic', p: 0 }, { t: byName, p: 4 }, { t: byName, p: 'x' }, { p: 1 }];
  writeFileSync(join(folder, 'in.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const errors = join(folder, 'errors.jsonl');
  const file = { type: 'file', settings: { path: join(folder, 'in.jsonl') } };
  const done = await reef(t, ['run', punchline(t, 'BatchPunchline', { source: file, sink, errors })]);
  assert.equal(done.code, 0, done.stderr);
  const third = await new TopicReader(t, address).open(byName);
  await third.until(() => third.received.length > 0);
  assert.deepEqual(
    third.received.map(({ partition, value }) => [partition, JSON.parse(value!)]),
    [[3, lines[0]]],
  );
  assert.equal(readFileSync(errors, 'utf8').trim().split('\n').length, 4);
});

test('of a batch that is too large for the topic only the guilty row goes to the error table', { skip }, async (t) => {
  const broker = shared();
  const topic = await newTopic(broker, 1, { 'max.message.bytes': '20000' });
  const folder = temporaryFolder(t);
  const rows = Array.from({ length: 50 }, (_, i) => JSON.stringify({ n: i, text: 'x'.repeat(i === 17 ? 30_000 : 1000) }));
  writeFileSync(join(folder, 'in.jsonl'), `${rows.join('\n')}\n`);
  const errors = join(folder, 'errors.jsonl');
  const done = await reef(t, [
    'run',
    punchline(t, 'BatchPunchline', {
      source: { type: 'file', settings: { path: join(folder, 'in.jsonl') } },
      sink: { type: 'kafka', settings: { 'bootstrap.servers': broker.address('plain'), topic } },
      errors,
    }),
  ]);
  assert.equal(done.code, 0, done.stderr);
  const refused = rowsOf(readFileSync(errors, 'utf8'));
  assert.equal(refused.length, 1);
  assert.match(JSON.stringify(refused[0]), /RECORD_LIST_TOO_LARGE|MESSAGE_TOO_LARGE/);
  const reader = await new TopicReader(t, broker.address('plain')).open(topic);
  await reader.until(() => reader.received.length >= 49);
  assert.deepEqual(
    reader.values(),
    rows.filter((_, i) => i !== 17),
  );
});

test('rows of aborted transactions never come, markers cost nothing', { skip }, async (t) => {
  const broker = shared();
  const topic = await newTopic(broker);
  const { Producer } = await import('@platformatic/kafka');
  const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({
    clientId: 'outside',
    bootstrapBrokers: [broker.address('plain')],
    transactionalId: 'tests',
    idempotent: true,
  });
  t.after(() => producer.close());
  for (const [from, commit] of [
    [0, true],
    [10, false],
    [20, true],
    [30, false],
  ] as const) {
    const transaction = await producer.beginTransaction();
    await transaction.send({ messages: numbers(10, from).map((value) => ({ topic, value: Buffer.from(value) })) });
    await (commit ? transaction.commit() : transaction.abort());
  }
  const settings = { 'bootstrap.servers': broker.address('plain'), topics: topic, stop_at_end: true };
  const run = async (more: object): Promise<number[]> => {
    const source = { type: 'kafka', settings: { ...settings, ...more } };
    const done = await reef(t, ['run', punchline(t, 'BatchPunchline', { source, sink: { type: 'stdout' } })]);
    assert.equal(done.code, 0, done.stderr);
    return rowsOf(done.stdout).map(({ n }) => n as number);
  };
  const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);
  assert.deepEqual(await run({ 'group.id': 'committed' }), [...range(0, 10), ...range(20, 10)]);
  assert.deepEqual(await run({ 'group.id': 'all', isolation_level: 'read_uncommitted' }), range(0, 40));
});

test('two processes share partitions; one is killed, comes back, another leaves: nothing is lost, each partition is in order', {
  skip,
  timeout: 240_000,
}, async (t) => {
  const broker = shared();
  const [from, to] = [await newTopic(broker, 4), await newTopic(broker, 4)];
  const address = broker.address('plain');
  const file = (): string =>
    punchline(t, 'StreamPunchline', {
      source: {
        type: 'kafka',
        settings: {
          'bootstrap.servers': address,
          topics: from,
          'group.id': from,
          // Longer than a busy machine makes heartbeats wait, as short as the killed one may be missed.
          session_timeout_secs: 4,
          fetch_bytes: 20_000,
        },
      },
      sink: { type: 'kafka', settings: { 'bootstrap.servers': address, topic: to, key_column: '_ppf_key' } },
    });
  const [one, other] = [file(), file()];
  const reader = await new TopicReader(t, address).open(to);
  // Rows of a key stay together on both sides.
  let sent = 0;
  const send = async (count: number): Promise<void> => {
    const rows = numbers(count, sent).map((value, i) => ({ value, key: `k${(sent + i) % 11}` }));
    sent += count;
    await produce(address, from, rows);
  };
  const seen = (): Set<string> => new Set(reader.values());
  await send(4000);
  let first = start(t, one);
  await reader.until(() => seen().size >= 1000);
  const second = start(t, other);
  await send(4000);
  await reader.until(() => seen().size >= 5000);
  first.child.kill('SIGKILL');
  await first.ended;
  await send(4000);
  await reader.until(() => seen().size >= 9000);
  first = start(t, one);
  await send(4000);
  await reader.until(() => seen().size >= 13_000);
  await stop(second);
  await send(1000);
  await reader.until(() => seen().size >= sent);
  await stop(first);
  const byKey = Map.groupBy(reader.received, ({ key }) => key);
  assert.equal(seen().size, sent);
  for (const [key, records] of byKey) {
    // The first time that each comes is in order; a row that comes again is one of a stretch that is repeated in order.
    const firsts = [...new Set(records.map(({ value }) => (JSON.parse(value!) as { n: number }).n))];
    assert.deepEqual(
      firsts,
      [...firsts].sort((a, b) => a - b),
      `key ${key}`,
    );
  }
  t.diagnostic(`${reader.received.length - sent} of ${sent} rows came twice`);
});

test('the broker restarts under load: rows wait, and stand in the topic once and in order', {
  skip,
  timeout: 120_000,
}, async (t) => {
  const broker = await startKafka(t);
  await broker.createTopic('from', 1);
  await broker.createTopic('to', 1);
  const address = broker.address('plain');
  await produce(
    address,
    'from',
    numbers(6000).map((value) => ({ value })),
  );
  const file = punchline(t, 'StreamPunchline', {
    source: { type: 'kafka', settings: { 'bootstrap.servers': address, topics: 'from', fetch_bytes: 10_000 } },
    sink: {
      type: 'kafka',
      settings: { 'bootstrap.servers': address, topic: 'to', 'producer.batch.size': 2000, request_timeout_secs: 5 },
    },
  });
  const process = start(t, file);
  const reader = await new TopicReader(t, address).open('to');
  await reader.until(() => reader.received.length >= 500);
  await broker.kill();
  await broker.start();
  const again = await new TopicReader(t, address).open('to');
  await again.until(() => again.received.length >= 6000);
  await stop(process);
  assert.deepEqual(again.values(), numbers(6000));
});

test('a topic that is not there is waited for, by the source and by the sink', { skip, timeout: 60_000 }, async (t) => {
  const broker = shared();
  const address = broker.address('plain');
  const file = punchline(t, 'StreamPunchline', {
    source: { type: 'kafka', settings: { 'bootstrap.servers': address, topics: ['late-from'], metadata_refresh_secs: 0.2 } },
    sink: { type: 'kafka', settings: { 'bootstrap.servers': address, topic: 'late-to', retry: { max_ms: 300 } } },
  });
  const process = start(t, file);
  await said(process, /there is no topic late-from/);
  await broker.createTopic('late-from', 2);
  await produce(
    address,
    'late-from',
    numbers(10).map((value) => ({ value })),
  );
  await said(process, /there is no topic "late-to"/);
  await broker.createTopic('late-to');
  const reader = await new TopicReader(t, address).open('late-to');
  await reader.until(() => reader.received.length >= 10);
  await stop(process);
});

test('an offset that the broker has deleted is stepped over aloud, or ends the punchline, as it is set', { skip }, async (t) => {
  const broker = shared();
  const topic = await newTopic(broker);
  const address = broker.address('plain');
  await produce(
    address,
    topic,
    numbers(10).map((value) => ({ value })),
  );
  const run = (more: object) =>
    reef(t, [
      'run',
      punchline(t, 'BatchPunchline', {
        source: { type: 'kafka', settings: { 'bootstrap.servers': address, topics: topic, stop_at_end: true, ...more } },
        sink: { type: 'stdout' },
      }),
    ]);
  for (const group of ['earliest', 'fail']) assert.equal(rowsOf((await run({ 'group.id': group })).stdout).length, 10);
  await produce(
    address,
    topic,
    numbers(20, 10).map((value) => ({ value })),
  );
  const { Admin } = await import('@platformatic/kafka');
  const admin = new Admin({ clientId: 'tests', bootstrapBrokers: [address] });
  t.after(() => admin.close());
  await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 25n }] }] });
  const gone = await run({ 'group.id': 'earliest' });
  assert.deepEqual(
    rowsOf(gone.stdout).map(({ n }) => n),
    [25, 26, 27, 28, 29],
  );
  assert.match(gone.stderr, /has no offset 10 any more, going on at 25/);
  const failed = await run({ 'group.id': 'fail', offset_out_of_range: 'fail' });
  assert.notEqual(failed.code, 0);
  assert.match(failed.stderr, /offset 10 of .* is not there, expected it or offset_out_of_range: earliest/);
});

test('a sink that blocks for longer than the session costs neither the membership nor a row', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const broker = shared();
  const topic = await newTopic(broker, 2);
  const address = broker.address('plain');
  const text = 'x'.repeat(1000);
  const rows = Array.from({ length: 40_000 }, (_, n) => JSON.stringify({ n, text }));
  await produce(
    address,
    topic,
    rows.map((value, i) => ({ value, partition: i % 2 })),
  );
  const file = punchline(t, 'StreamPunchline', {
    source: { type: 'kafka', settings: { 'bootstrap.servers': address, topics: topic, session_timeout_secs: 1 } },
    sink: { type: 'stdout' },
  });
  const { child, ended } = start(t, file);
  let stderr = '';
  child.stderr.on('data', (more: string) => {
    stderr += more;
  });
  child.stdout.pause();
  // What is tested is time: that three sessions' worth of it does nothing.
  await pause(3500);
  let lines = 0;
  child.stdout.on('data', (more: string) => {
    lines += more.split('\n').length - 1;
  });
  child.stdout.resume();
  while (lines < rows.length) await once(child.stdout, 'data');
  child.kill('SIGTERM');
  await ended;
  assert.equal(lines, rows.length, 'no row came twice');
  assert.equal(stderr.match(/reads 2 partitions/g)?.length, 1, stderr);
});

test('what kcat writes, with keys and headers, goes through, and kcat reads it on the other side', {
  skip: skipKcat,
}, async (t) => {
  const broker = shared();
  const [from, to] = [await newTopic(broker), await newTopic(broker)];
  const address = broker.address('plain');
  const rows = [
    ['é', '{"n":1,"text":"plain"}'],
    ['k', '{"n":2,"text":"Ünïcödé 👩‍👩‍👧"}'],
  ] as const;
  for (const [i, [key, value]] of rows.entries()) {
    const codec = ['none', 'lz4'][i]!;
    const command = ['kcat', '-P', '-b', address, '-t', from, '-K', '=', '-z', codec, '-H', `trace=t${i}`];
    await runProgram(command, { input: `${key}=${value}\n` });
  }
  const source = { type: 'kafka', settings: { 'bootstrap.servers': address, topics: from, stop_at_end: true } };
  const common = { 'bootstrap.servers': address, topic: to, key_column: '_ppf_key', headers_column: '_ppf_headers' };
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const own = { ...source, settings: { ...source.settings, 'group.id': `${from}-${compression}` } };
    const sink = { type: 'kafka', settings: { ...common, 'producer.compression.type': compression } };
    const done = await reef(t, ['run', punchline(t, 'BatchPunchline', { source: own, sink })]);
    assert.equal(done.code, 0, done.stderr);
  }
  const read = await runProgram(['kcat', '-C', '-b', address, '-t', to, '-e', '-q', '-f', '%k=%s %h\n']);
  const expected = rows.map(([key, value], i) => `${key}=${value} trace=t${i}`);
  assert.deepEqual(read.trimEnd().split('\n'), Array(5).fill(expected).flat());
});

test('check --connect names the cluster and its topics; a sink without its topic has failed', { skip }, async (t) => {
  const broker = shared();
  const topic = await newTopic(broker, 3);
  const address = broker.address('sasl');
  const check = (to: string, variable: 'RIGHT' | 'WRONG') => {
    const given = { 'bootstrap.servers': address, 'security.protocol': 'SASL_PLAINTEXT', auth: sasl('SCRAM-SHA-256', variable) };
    const source = { type: 'kafka', settings: { ...given, topics: [topic, 'not-yet'] } };
    const sink = { type: 'kafka', settings: { ...given, topic: to } };
    return reef(t, ['check', '--connect', punchline(t, 'StreamPunchline', { source, sink })], secrets());
  };
  const good = await check(topic, 'RIGHT');
  assert.equal(good.code, 0, good.stderr);
  const said = good.stdout + good.stderr;
  assert.ok(said.includes(`reaches ${address}, a cluster of 1 brokers`), said);
  assert.ok(said.includes(`finds topic "${topic}" with 3 partitions`), said);
  assert.ok(said.includes('finds no topic "not-yet" yet'), said);
  const without = await check('nowhere', 'RIGHT');
  assert.notEqual(without.code, 0);
  assert.match(without.stdout + without.stderr, /there is no topic "nowhere", expected it to be made/);
  const refused = await check(topic, 'WRONG');
  assert.notEqual(refused.code, 0);
  assert.match(refused.stdout + refused.stderr, /expected credentials and a mechanism that the broker knows/);
});
