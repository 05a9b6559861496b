/** Documents of rejected rows say where the row stood and hold it as it was read, wherever on its way it failed. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder, writePunchline } from '../testing/reef-process.ts';
import { runInProcess } from '../testing/run-in-process.ts';
import { writeFunction } from '../testing/user-function.ts';

const input = '{"n":1}\n{"n": 2}\n{"n":3}\n{"n": 4}\n';

interface DeadLetter {
  readonly node: string;
  readonly id: string;
  readonly position: number;
  readonly origin: { readonly text?: string };
  readonly entered: { readonly text?: string; readonly bytes?: number };
}

async function deadLetters(t: TestContext, body: string, ...more: object[]): Promise<DeadLetter[]> {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), input);
  writeFunction(folder, 'never.js', `for (const row of batch.rows) batch.reject(row, 'never');`, ['_ppf_error_document']);
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'work' }] },
    {
      id: 'work',
      kind: 'function',
      type: writeFunction(folder, 'work.js', body, ['n'], ['seen', 'large']),
      out: [{ id: 'out' }, ...(more.length > 0 ? [{ id: 'never', table: '_ppf_errors' }] : [])],
    },
    ...more,
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.jsonl' } },
  ]);
  const tuning = { slotBytes: 4096, maxRowBytes: 1 << 16 };
  const { result } = await runInProcess(file, { stateFolder: join(folder, 'state'), workers: 1, tuning });
  assert.equal(result.outcome, 'finished');
  const letters = readFileSync(join(folder, 'state/dead-letters.ndjson'), 'utf8').split('\n').slice(0, -1);
  return letters.map((line) => JSON.parse(line));
}

test('of a row that fails on its way to the error table too', async (t) => {
  const body = `batch.set('seen', { constant: true });
    const n = batch.column('n').f64();
    for (const row of batch.rows) if (n[row] % 2 === 0) batch.reject(row, 'even');`;
  const never = { id: 'never', kind: 'function', type: './never.js', out: [{ id: 'lost' }] };
  const lost = { id: 'lost', kind: 'sink', type: 'blackhole' };
  const letters = await deadLetters(t, body, never, lost);
  assert.deepEqual(
    letters.map(({ node, id, position, origin }) => [node, id, position, origin.text]),
    [
      ['never', 'in:in.jsonl:8', 8, '{"n": 2}'],
      ['never', 'in:in.jsonl:25', 25, '{"n": 4}'],
    ],
  );
  for (const { entered, position } of letters) {
    const first = JSON.parse(JSON.parse(entered.text!)._ppf_error_document);
    assert.deepEqual([first.node, first.reason, first.position], ['work', 'even', position]);
  }
});

test('of a row that has become too large for any sink', async (t) => {
  const body = `const n = batch.column('n').f64();
    const large = Array.from({ length: batch.size }, (_, row) => n[row] === 4 ? 'x'.repeat(400_000) : 'x');
    batch.set('large', { strings: large });`;
  const letters = await deadLetters(t, body);
  assert.deepEqual(
    letters.map(({ node, id, position, origin }) => [node, id, position, origin.text]),
    [['out', 'in:in.jsonl:25', 25, '{"n": 4}']],
  );
  const [{ entered }] = letters as [DeadLetter];
  assert.ok(entered.bytes! > 400_000);
  assert.equal(entered.text!.length, 64 * 1024);
});
