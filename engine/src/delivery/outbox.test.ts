import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReefError } from '../errors.ts';
import type { Sink, SinkChunk } from '../spec/sink.ts';
import { Outbox } from './outbox.ts';

const chunk = (text: string): SinkChunk => ({ bytes: Buffer.from(text), rows: 1, partition: 'in/p' });

function boxed(way: Sink['write'] | Pick<Sink, 'write' | 'writeAll'>, signal = new AbortController().signal) {
  const warnings: string[] = [];
  const failed = Promise.withResolvers<unknown>();
  const log = { info: () => {}, warn: (message: string) => warnings.push(message) };
  const sink = { ...(typeof way === 'function' ? { write: way } : way), close: async () => {} };
  return { outbox: new Outbox({ id: 'out', sink, log, signal, failed: failed.resolve }), warnings, failed: failed.promise };
}

const deliver = (outbox: Outbox, text: string): Promise<unknown> =>
  new Promise((resolve) => outbox.push({ chunk: chunk(text), delivered: resolve }));

test('a chunk is written again until the sink takes it, and later chunks wait their turn', async () => {
  const written: string[] = [];
  let refusals = 2;
  const { outbox, warnings } = boxed(async ({ bytes }) => {
    if (refusals-- > 0) throw new ReefError('io', 'Cannot write: the disk is full', { retry: true });
    written.push(Buffer.from(bytes).toString());
    return written.length;
  });
  const positions = await Promise.all([deliver(outbox, 'a'), deliver(outbox, 'b')]);
  assert.deepEqual(written, ['a', 'b']);
  assert.deepEqual(positions, [1, 2]);
  assert.match(warnings[0]!, /the disk is full; trying again until it works \(try 1\)/);
});

test('a failure for good stops the queue and is told once', async () => {
  let writes = 0;
  const { outbox, failed } = boxed(async () => {
    writes++;
    throw new ReefError('closed', 'Cannot write: the pipe was closed');
  });
  outbox.push({ chunk: chunk('a'), delivered: () => assert.fail('it was not delivered') });
  outbox.push({ chunk: chunk('b'), delivered: () => assert.fail('it was not delivered') });
  assert.match(String(await failed), /the pipe was closed/);
  assert.equal(writes, 1);
  assert.equal(outbox.waiting, 1);
});

test('an abort ends the waiting between tries', async () => {
  const stop = new AbortController();
  const { outbox, failed } = boxed(async () => {
    stop.abort(new Error('stopped'));
    throw new ReefError('io', 'Cannot write', { retry: true });
  }, stop.signal);
  outbox.push({ chunk: chunk('a'), delivered: () => {} });
  assert.match(String(await failed), /stopped/);
});

test('small chunks that have waited for each other are written at once, each with a position of its own', async () => {
  const calls: string[] = [];
  let written = 0;
  let refusals = 1;
  const { outbox } = boxed({
    async write({ bytes }) {
      calls.push(Buffer.from(bytes).toString());
      written += bytes.length;
      return written;
    },
    async writeAll(chunks) {
      calls.push(chunks.map(({ bytes }) => Buffer.from(bytes.subarray(0, 2)).toString()).join('+'));
      if (refusals-- > 0) throw new ReefError('io', 'Cannot write: the disk is full', { retry: true });
      return chunks.map(({ bytes }) => {
        written += bytes.length;
        return written;
      });
    },
  });
  const large = 'x'.repeat(200 * 1024);
  const positions = await Promise.all(['a', 'bb', 'cc', large, large].map((text) => deliver(outbox, text)));
  assert.deepEqual(calls, ['a', 'bb+cc+xx', 'bb+cc+xx', large]);
  assert.deepEqual(positions, [1, 3, 5, 5 + large.length, 5 + 2 * large.length]);
});
