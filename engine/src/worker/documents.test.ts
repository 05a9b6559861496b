import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder } from '../batch/decoder.ts';
import { loadKernelModule } from '../batch/kernel-module.ts';
import { Documents } from './documents.ts';
import type { ComputeRequest, WorkerPlan } from './protocol.ts';

test('a document has the id of the row that it is about, whatever batch the row was read with', () => {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
  const decoder = createDecoder({ memory, kernel: loadKernelModule(), maxRows: 16, arena: { start: 1 << 16, end: 1 << 21 } });
  const plan = { punchline: 'test', sources: [{ id: 'in' }] } as unknown as WorkerPlan;
  const request = { source: 0, partition: 'ключ "1"', offset: 1000, timestamp: 5 } as unknown as ComputeRequest;
  const offset = (row: number): number => 1000 + 10 * row;
  const origin = { raw: (row: number) => Buffer.from(`row ${row}`), offset, position: offset };
  const rejections = [3, 7].map((row) => ({ row, reason: 'bad' }));
  const failure = { node: 'f', errors: undefined, entered: undefined, rejections, origin };
  const { view, origin: behind } = new Documents(plan, decoder, request).make(failure, undefined, false);
  const ids = ['in:ключ "1":1030', 'in:ключ "1":1070'];
  assert.deepEqual(
    [0, 1].map((row) => view.column('_ppf_id').string(row)),
    ids,
  );
  assert.deepEqual(
    [0, 1].map((row) => view.column('id').string(row)),
    ids,
  );
  assert.deepEqual([0, 1].map(behind.offset), [1030, 1070]);
  assert.deepEqual(
    [0, 1].map((row) => Buffer.from(behind.raw(row)).toString()),
    ['row 3', 'row 7'],
  );
});
