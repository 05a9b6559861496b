import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Encoder, RowView } from '../batch/row-batch.ts';
import type { Delivery } from './chain.ts';
import { Output } from './output.ts';
import type { OutRange, PlannedSink } from './protocol.ts';

const viewOf = (rows: number): RowView => ({ rows: Uint32Array.from({ length: rows }, (_, row) => row) }) as RowView;
/** Where the rows come from does not matter here. */
const delivery = (sink: number, rows: number): Delivery => ({ sink, view: viewOf(rows) }) as Delivery;
const sinkOf = (id: string, rowOffsets: boolean): PlannedSink => ({
  id,
  codec: { name: 'json' },
  payload: true,
  rowOffsets,
  origins: false,
  side: [],
  errors: undefined,
});

/** Rows of one length; gives up at a number of calls that no sound caller reaches. */
function encoderOf(rowBytes: number): Encoder {
  let calls = 0;
  return {
    encode(_view, _codec, _from, limit, out, outEnd) {
      if (++calls > 10_000) throw new Error('it goes round in circles');
      const rows = Math.min(limit, Math.floor((outEnd - out) / rowBytes));
      return { rows, bytes: rows * rowBytes };
    },
  };
}

test('rows with offsets that leave a little of a range go on in the next one', async () => {
  for (let rowBytes = 2; rowBytes < 40; rowBytes++) {
    let next = 0;
    const ranges: OutRange[] = [];
    const ask = async (sink: number): Promise<OutRange> => {
      if (ranges.length > 1000) throw new Error('it asks again and again');
      const range = { sink, start: next, end: next + 1024, largest: false };
      next += 2048;
      ranges.push(range);
      return range;
    };
    const output = new Output(encoderOf(rowBytes), [sinkOf('rows', true)], [], [-1], ask, () =>
      assert.fail('nothing is too large'),
    );
    await output.write(delivery(0, 500));
    assert.ok(ranges.length < 100);
  }
});

test('who asks for more gives up the largest range, as main takes it back', async () => {
  const asked: string[] = [];
  let next = 0;
  const ask = async (sink: number, _parts: unknown, bytes: number): Promise<OutRange> => {
    const largest = bytes > 100;
    asked.push(`${sink} ${largest ? 'large' : 'small'}`);
    next += 10_000;
    return { sink, start: next, end: next + (largest ? 1000 : 100), largest };
  };
  const sinks = [sinkOf('a', false), sinkOf('b', false)];
  const output = new Output(encoderOf(300), sinks, [], [-1, -1], ask, () => assert.fail('nothing is too large'));
  await output.write(delivery(0, 1));
  await output.write(delivery(1, 1));
  await output.write(delivery(0, 1));
  assert.deepEqual(asked, ['0 small', '0 large', '1 small', '1 large', '0 small', '0 large']);
});
