import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { withDefaults } from '../testing/test-context.ts';
import { type KafkaLibrary, loadLibrary } from './client.ts';
import { compress, decompress } from './compression.ts';
import { brokersOf, checkConnection, connectionSettings } from './connection-settings.ts';
import { batchesIn, compressions, RecordCursor } from './record-batch.ts';
import { BatchWriter, encodeHeaders, finishBatch } from './sink/batch-writer.ts';
import { murmur2 } from './sink/murmur2.ts';
import { OffsetIndex } from './source/offset-index.ts';
import { checkSettings, settings, topicsOf } from './source/settings.ts';

const library: KafkaLibrary = await loadLibrary();

test("keys are hashed as Java's clients hash them", () => {
  // Of Kafka's own UtilsTest.
  const known = {
    '21': -973932308,
    foobar: -790332482,
    'a-little-bit-long-string': -985981536,
    'a-little-bit-longer-string': -1486304829,
    lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
    abc: 479470107,
  };
  for (const [key, hash] of Object.entries(known)) assert.equal(murmur2(Buffer.from(key)), hash, key);
});

function batchOf(rows: readonly { key?: string; value: Buffer; headers?: [string, string | null][] }[], time: number): Buffer {
  const writer = new BatchWriter(0);
  for (const { key, value, headers = [] } of rows)
    writer.add(value, 0, value.length, key === undefined ? undefined : Buffer.from(key), encodeHeaders(headers));
  return finishBatch(Buffer.from(writer.records()), {
    rows: rows.length,
    time,
    compression: 'none',
    numbering: { producerId: 2n ** 40n, epoch: 3, sequence: 7 },
    crc32c: library.crc32c,
  });
}

test('a batch is read as it was written: keys, values, headers, of all lengths of their lengths', () => {
  const rows = [0, 1, 63, 64, 8191, 8192, 2_000_000].map((length, i) => ({
    value: randomBytes(length),
    ...(i % 2 === 0 ? { key: `key ${i}` } : {}),
    ...(i % 3 === 0
      ? {
          headers: [
            ['a', `é${i}`],
            ['b', null],
          ] as [string, string | null][],
        }
      : {}),
  }));
  const time = 1_800_000_000_000;
  const [batch, ...others] = batchesIn(Buffer.concat([batchOf(rows, time), batchOf(rows, time).subarray(0, 1000)]));
  assert.equal(others.length, 0, 'one that is cut off is left out');
  assert.ok(batch);
  assert.equal(library.crc32c(batch.summed), batch.crc);
  assert.equal(batch.producerId, 2n ** 40n);
  const cursor = new RecordCursor(batch, batch.records);
  for (const [i, { key, value, headers }] of rows.entries()) {
    assert.ok(cursor.next());
    assert.equal(cursor.offset, i);
    assert.equal(cursor.time, time);
    assert.ok(cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd).equals(value));
    assert.equal(cursor.keyStart < 0 ? undefined : cursor.bytes.toString('utf8', cursor.keyStart, cursor.keyEnd), key);
    assert.equal(cursor.headers(), headers && JSON.stringify(Object.fromEntries(headers)));
  }
  assert.equal(cursor.next(), false);
});

test('a batch that the client library writes is read the same', async () => {
  const { createRecordsBatch } = await import('@platformatic/kafka');
  const messages = Array.from({ length: 300 }, (_, i) => ({
    topic: 't',
    key: Buffer.from(`k${i}`),
    value: Buffer.from(`v${i}`),
    headers: new Map([[Buffer.from('h'), Buffer.from(String(i))]]),
    timestamp: 1_700_000_000_000n + BigInt(i * 1_000_003) - 5000n,
  }));
  for (const compression of compressions) {
    const [batch] = batchesIn(createRecordsBatch(messages as never, { compression } as never).buffer);
    assert.ok(batch);
    assert.equal(batch.compression, compression);
    const cursor = new RecordCursor(batch, await decompress(library, batch.compression, batch.records));
    for (const [i, { timestamp }] of messages.entries()) {
      assert.ok(cursor.next());
      assert.equal(cursor.time, Number(timestamp));
      assert.equal(cursor.bytes.toString('utf8', cursor.valueStart, cursor.valueEnd), `v${i}`);
      assert.equal(cursor.headers(), `{"h":"${i}"}`);
    }
  }
});

test('what is compressed comes back', async () => {
  const bytes = Buffer.concat([Buffer.alloc(100_000, 'ab'), randomBytes(1000)]);
  for (const how of compressions)
    assert.ok((await decompress(library, how, await compress(library, how, bytes))).equals(bytes), how);
});

test('a batch that is damaged is an error, not other rows', async () => {
  const [batch] = batchesIn(batchOf([{ value: Buffer.from('row') }], 1));
  const damaged = Buffer.from(batch!.records);
  damaged[0] = 200;
  damaged[1] = 1;
  assert.throws(() => new RecordCursor(batch!, damaged).next(), /longer than its batch/);
  await assert.rejects(decompress(library, 'gzip', Buffer.from('nothing')), /gzip says/);
});

test('offsets are found by the byte behind which they stand, gaps and new beginnings included', () => {
  const index = new OffsetIndex(5);
  assert.equal(index.at(0), 5);
  for (let i = 0; i < 5000; i++) index.add((i + 1) * 10, 6 + i * 2);
  assert.equal(index.at(9), 5);
  assert.equal(index.at(10), 6);
  assert.equal(index.at(25), 8);
  assert.equal(index.at(50_000), 6 + 4999 * 2);
  index.skipTo(20_000);
  assert.equal(index.at(50_000), 20_000);
  index.forget(8);
  assert.equal(index.at(25), 8);
  assert.equal(index.at(30), 10);
  for (let i = 0; i < 5000; i++) index.add(50_010 + i, 20_001 + i);
  assert.equal(index.at(30), 10);
  assert.equal(index.at(60_000), 25_000);
});

test('topics are a list, or text with commas between', () => {
  assert.deepEqual(topicsOf('a, b,a'), ['a', 'b']);
  assert.deepEqual(topicsOf(['a', 'b']), ['a', 'b']);
  for (const wrong of [3, [], '', [1], { a: 1 }]) assert.equal(topicsOf(wrong as never), undefined);
});

test('what is wrong with the settings is said before anything starts', () => {
  const messages = (given: object): string[] =>
    checkSettings(withDefaults(settings, { topics: 'a', 'bootstrap.servers': 'localhost', ...given } as never)).map(
      ({ path, message }) => `${path.join('.')} ${message}`,
    );
  assert.deepEqual(messages({}), []);
  assert.match(messages({ 'bootstrap.servers': undefined })[0]!, /^bootstrap.servers is missing/);
  assert.match(messages({ 'bootstrap.server': 'other' })[0]!, /stands beside/);
  assert.match(messages({ 'bootstrap.servers': 'http://a' })[0]!, /expected host:port/);
  assert.match(messages({ topics: 'a b' })[0]!, /^topics has "a b"/);
  assert.match(messages({ 'security.protocol': 'SASL_SSL' })[0]!, /^auth is missing/);
  assert.match(messages({ auth: { mechanism: 'PLAIN' } })[0]!, /"auth" is not used/);
  const auth = { mechanism: 'PLAIN', username: 'u', password: 'p' };
  assert.match(messages({ 'security.protocol': 'SASL_PLAINTEXT', auth })[0]!, /can read the password/);
  assert.match(messages({ 'security.protocol': 'SASL_SSL', auth: { ...auth, token: 't' } })[0]!, /^auth.token has no meaning/);
  assert.deepEqual(messages({ 'security.protocol': 'SASL_SSL', auth }), []);
});

test("Punch's older word for the brokers counts as well", () => {
  const given = withDefaults(connectionSettings, { 'bootstrap.server': 'a:1, b:2,' });
  assert.deepEqual(brokersOf(given), ['a:1', 'b:2']);
  assert.deepEqual(checkConnection(given), []);
});
