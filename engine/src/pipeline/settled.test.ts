/** Whoever was told that rows are delivered may forget them: they must be there whatever happens next. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startReef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';

const ROUNDS = 12;

test('rows that a sender was answered for are in the file, also where the process was killed right after the answer', async (t) => {
  const folder = temporaryFolder(t);
  const file = writePunchline(folder, 'StreamPunchline', [
    { id: 'in', kind: 'source', type: 'http', settings: { port: 0 }, out: [{ id: 'out' }, { id: 'copy' }] },
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.jsonl' } },
    { id: 'copy', kind: 'sink', type: 'blackhole' },
  ]);
  for (let round = 0; round < ROUNDS; round++) {
    const { child, ended } = startReef(t, ['run', file, '--state', join(folder, 'state')]);
    let said = '';
    let address: string | undefined;
    while (!address) {
      said += (await once(child.stderr, 'data'))[0] as string;
      address = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
    }
    // The last of some that are sent at once is answered when all before it are safe.
    const answers = await Promise.all(
      Array.from({ length: 3 }, (_, n) => fetch(address, { method: 'POST', body: `{"n":${3 * round + n}}\n` })),
    );
    child.kill('SIGKILL');
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    await ended;
  }
  const written = readFileSync(join(folder, 'out.jsonl'), 'utf8').trimEnd().split('\n');
  const rows = written.map((line) => (JSON.parse(line) as { n: number }).n).toSorted((a, b) => a - b);
  assert.deepEqual(
    rows,
    Array.from({ length: 3 * ROUNDS }, (_, n) => n),
  );
});
