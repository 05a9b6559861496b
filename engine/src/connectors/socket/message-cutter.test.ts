import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutterFor } from './cutter-for.ts';
import { delimiterBytes, type Framing } from './framing.ts';
import { FramingError } from './message-cutter.ts';
import { chunkLengths, messages } from './testing/cut-messages.ts';

const framing = (given: Partial<Framing>): Framing => ({
  by: 'line',
  length_bytes: '4',
  byte_order: 'big',
  delimiter: '\\0',
  ...given,
});

const number = (length: number, width: 1 | 2 | 4, order: 'big' | 'little'): Buffer => {
  const bytes = Buffer.alloc(width);
  if (order === 'big') bytes.writeUIntBE(length, 0, width);
  else bytes.writeUIntLE(length, 0, width);
  return bytes;
};

test('messages are the same however their bytes come', () => {
  const text = fc.string({ minLength: 1, maxLength: 60, unit: fc.constantFrom('a', '<', '1', ' ', '\r', '\u00ff') });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 12 }), chunkLengths, (all, lengths) => {
      const bytes = (part: (message: string) => Uint8Array): Buffer => Buffer.concat(all.map(part));
      const latin = (message: string): Buffer => Buffer.from(message, 'latin1');
      const lines = bytes((message) => latin(`${message}\n`));
      assert.deepEqual(messages(cutterFor(framing({}), 1000), lines, lengths), all);
      const delimited = bytes((message) => latin(`${message}\x1f\n`));
      assert.deepEqual(messages(cutterFor(framing({ by: 'delimiter', delimiter: '\\x1f\\n' }), 1000), delimited, lengths), all);
      for (const width of [1, 2, 4] as const) {
        for (const order of ['big', 'little'] as const) {
          const cutter = cutterFor(framing({ by: 'length', length_bytes: `${width}`, byte_order: order }), 1000);
          const counted = bytes((message) => Buffer.concat([number(message.length, width, order), latin(message)]));
          assert.deepEqual(messages(cutter, counted, lengths), all);
        }
      }
      const octets = bytes((message) => latin(`${message.length} ${message}`));
      assert.deepEqual(messages(cutterFor(framing({ by: 'octets' }), 1000), octets, lengths), all);
    }),
  );
});

test('of a message that is too long the head goes on, and what follows it is whole', () => {
  const long = 'x'.repeat(100);
  for (const lengths of [[1000], [7], [1]]) {
    const delimited = cutterFor(framing({ by: 'delimiter', delimiter: '||' }), 64);
    assert.deepEqual(messages(delimited, Buffer.from(`${long}||b||`), lengths), [long.slice(0, 64), 'b']);
    assert.equal(delimited.truncated, 1);
    const counted = cutterFor(framing({ by: 'length' }), 64);
    const bytes = Buffer.concat([number(100, 4, 'big'), Buffer.from(long), number(1, 4, 'big'), Buffer.from('b')]);
    assert.deepEqual(messages(counted, bytes, lengths), [long.slice(0, 64), 'b']);
  }
  for (const lengths of [[7], [1]]) {
    const lines = messages(cutterFor(framing({}), 64), Buffer.from(`${long}\nb\nc\n`), lengths);
    assert.deepEqual([lines[0]!.slice(0, 64), ...lines.slice(1)], [long.slice(0, 64), 'b', 'c']);
    assert.ok(lines[0]!.length <= 64);
  }
  const giant = cutterFor(framing({ by: 'length' }), 64);
  assert.deepEqual(messages(giant, Buffer.concat([number(4_000_000_000, 4, 'big'), Buffer.from(long)]), [10]), [
    long.slice(0, 64),
  ]);
});

test('a delimiter that comes in two parts ends a message that was too long', () => {
  const delimiter = '<'.padEnd(100, '=');
  for (const long of [64, 65, 100]) {
    for (let cut = 1; cut < long + 2 * delimiter.length; cut++) {
      const cutter = cutterFor(framing({ by: 'delimiter', delimiter }), 64);
      const bytes = Buffer.from(`${'x'.repeat(long)}${delimiter}b${delimiter}`);
      assert.deepEqual(messages(cutter, bytes, [cut, bytes.length]), ['x'.repeat(64), 'b'], `${long} bytes, cut at ${cut}`);
    }
  }
});

test('a long message that comes in many parts is copied a few times, not at each part', (t) => {
  const part = Buffer.alloc(1024, 'x');
  const parts = 4096;
  let copied = 0;
  const counts = (bytes: Buffer): Buffer => {
    copied += bytes.length;
    return bytes;
  };
  const { allocUnsafe, concat, from } = Buffer;
  t.mock.method(Buffer, 'allocUnsafe', (length: number) => counts(allocUnsafe(length)));
  t.mock.method(Buffer, 'concat', (list: readonly Uint8Array[], length?: number) => counts(concat(list, length)));
  t.mock.method(Buffer, 'from', (...given: Parameters<typeof from>) => counts(from(...given)));
  for (const by of ['line', 'delimiter', 'length'] as const) {
    copied = 0;
    const cutter = cutterFor(framing({ by }), part.length * parts);
    if (by === 'length') [...cutter.cut(number(part.length * parts, 4, 'big'))];
    for (let i = 0; i < parts; i++) [...cutter.cut(part)];
    if (by !== 'length') [...cutter.cut(Buffer.from('\n\0'))];
    assert.ok(copied < 8 * part.length * parts, `${by}: ${copied} bytes for a message of ${part.length * parts}`);
  }
});

test('octet counting without a count cannot go on', () => {
  assert.throws(() => messages(cutterFor(framing({ by: 'octets' }), 64), Buffer.from('hello')), FramingError);
});

test('any bytes at all are cut without a fault', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(bytes, chunkLengths, (given, lengths) => {
      const all = Buffer.from(given);
      messages(cutterFor(framing({ by: 'length', length_bytes: '1' }), 64), all, lengths);
      messages(cutterFor(framing({ by: 'delimiter' }), 64), all, lengths);
      const lines = messages(cutterFor(framing({}), 1000), all, lengths).join('\n');
      assert.equal(lines, all.toString('latin1').replace(/\n$/, ''));
    }),
  );
});

test('a delimiter is written with escapes', () => {
  assert.deepEqual(delimiterBytes('\\r\\n\\x1f;\\0\\\\é'), Buffer.from('\r\n\x1f;\0\\é'));
  for (const wrong of ['', '\\q', '\\']) assert.equal(delimiterBytes(wrong), undefined, wrong);
});
