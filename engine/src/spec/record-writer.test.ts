import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Feed } from './feed.ts';
import { RecordWriter } from './record-writer.ts';
import { type RecordValue, readRecords } from './records.ts';

/** What a writer wrote, into memory of this length each time. */
async function written(values: readonly RecordValue[], payloads: readonly string[], length = 1 << 16): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let room = new Uint8Array(0);
  const partition = {
    room: async () => {
      room = new Uint8Array(length);
      return room;
    },
    advance: (bytes: number) => pieces.push(Buffer.from(room.subarray(0, bytes))),
    flush() {},
  };
  const feed = { maxRowBytes: 1 << 20, partition: () => partition } as unknown as Feed;
  const columns = values.map((_, index) => `column${index}`);
  const writer = new RecordWriter(feed, 'p', { json: true, records: { columns, rows: 'one' } });
  for (const [position, payload] of payloads.entries()) await writer.add(position, values, Buffer.from(payload));
  writer.flush();
  assert.equal(writer.offset, Buffer.concat(pieces).length);
  return Buffer.concat(pieces);
}

test('numbers stand as JSON has them, of all lengths', async () => {
  const whole = Array.from({ length: 16 }, (_, power) => [10 ** power - 1, 10 ** power, 10 ** power + 1]).flat();
  const numbers = [
    ...whole,
    Number.MAX_SAFE_INTEGER,
    1_700_000_000_123,
    2 ** 31,
    2 ** 32 - 1,
    -0,
    -1,
    -(2 ** 40),
    0.5,
    1e21,
    7n,
    2n ** 63n,
  ];
  const [record] = readRecords(await written(numbers, ['{}']));
  assert.deepEqual(
    record!.values,
    numbers.map((number) => String(number)),
  );
});

test('bytes and texts of any length come as they are, what is none is absent', async () => {
  const texts = ['', 'é', 'x'.repeat(23), 'x'.repeat(24), 'x'.repeat(25), 'x'.repeat(5000)];
  const values = [...texts, ...texts.map((text) => Buffer.from(text)), Number.NaN, undefined, null];
  const [record] = readRecords(await written(values, ['{}']));
  assert.deepEqual(record!.values, [...texts, ...texts, undefined, undefined, undefined]);
});

test('newlines within JSON become white space, in no other record, wherever memory ends', async () => {
  const payloads = ['{"n":1}', '{\n"n":\n2}\n', '\n', '', '{"n":3}'];
  const expected = payloads.map((payload) => `${payload.replaceAll('\n', '\r')}\n`);
  for (const length of [1 << 16, 90, 40]) {
    const records = readRecords(await written([10], payloads, length));
    assert.deepEqual(
      records.map(({ payload }) => payload.toString()),
      expected,
    );
  }
});
