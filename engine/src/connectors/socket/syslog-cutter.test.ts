import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { syslogCutter } from './syslog-cutter.ts';
import { chunkLengths, messages } from './testing/cut-messages.ts';

test('both framings of syslog may come over one connection', () => {
  const message = fc.string({ maxLength: 30, unit: fc.constantFrom('x', ' ', '7', '<') }).map((text) => `<13>${text}`);
  fc.assert(
    fc.property(fc.array(fc.tuple(message, fc.boolean()), { maxLength: 10 }), chunkLengths, (all, lengths) => {
      // The first says that lengths come here.
      const sent = [['<13>first', true] as const, ...all];
      const bytes = Buffer.from(sent.map(([text, counted]) => (counted ? `${text.length} ${text}` : `${text}\n`)).join(''));
      assert.deepEqual(
        messages(syslogCutter(1000, { counts: true }), bytes, lengths),
        sent.map(([text]) => text),
      );
    }),
  );
});

test('what only looks like a length is a line', () => {
  const lines = ['2023-10-11T22:14:15Z h a: x', '12 apples', '7', '0 <13>x', '99999999999999 <13>x'];
  for (const line of lines) assert.deepEqual(messages(syslogCutter(1000, { counts: true }), Buffer.from(`${line}\n`)), [line]);
  assert.deepEqual(messages(syslogCutter(1000, { counts: true }), Buffer.from('5 <1>ab\n5 <2>cd')), ['<1>ab', '<2>cd']);
});

test('of a message that is too long the head goes on in its place, and what follows it is whole', () => {
  const long = `<13>${'x'.repeat(200)}`;
  const sent = `8 <13>abcd204 ${long}6 <13>ef${long}\n7 <13>ghi`;
  for (const lengths of [[1000], [50], [7], [1]]) {
    const cutter = syslogCutter(64, { counts: true });
    const expected = ['<13>abcd', long.slice(0, 64), '<13>ef', long.slice(0, 64), '<13>ghi'];
    assert.deepEqual(messages(cutter, Buffer.from(sent), lengths), expected, `chunks of ${lengths}`);
    assert.equal(cutter.truncated, 2);
    assert.equal(cutter.begun, false);
  }
});

test('messages that come together go on as one piece', () => {
  const cutter = syslogCutter(64, { counts: true });
  const pieces = Array.from(cutter.cut(Buffer.from('5 <1>ab5 <2>cd6 <3>e')), ({ bytes }) => Buffer.from(bytes).toString());
  assert.deepEqual(pieces, ['5 <1>ab5 <2>cd']);
  assert.ok(cutter.begun);
  assert.deepEqual(
    Array.from(cutter.cut(Buffer.from('fg7 <4>hijk')), ({ bytes }) => Buffer.from(bytes).toString()),
    ['6 <3>efg', '7 <4>hijk'],
  );
});

test('a connection that ends within a message gives what has come of it', () => {
  assert.deepEqual(messages(syslogCutter(64, { counts: true }), Buffer.from('5 <1>ab9 <2>cd')), ['<1>ab', '<2>cd']);
  assert.deepEqual(messages(syslogCutter(64, { counts: true }), Buffer.from('5 <1>ab<2>cd')), ['<1>ab', '<2>cd']);
});

test('any bytes at all are cut without a fault', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('1', '2', '0', ' ', '<', '\n', 'x')), chunkLengths, (given, lengths) => {
      const all = Buffer.from(`3 <1>${given.join('')}`);
      const found = messages(syslogCutter(8, { counts: true }), all, lengths);
      for (const message of found) assert.ok(message.length > 0 && message.length <= 8, JSON.stringify(message));
      assert.deepEqual(messages(syslogCutter(8, { counts: true }), all), found, 'as in one chunk');
    }),
    { numRuns: 2000 },
  );
});
