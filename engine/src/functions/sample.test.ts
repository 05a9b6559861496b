import assert from 'node:assert/strict';
import { test } from 'node:test';
import sample from './sample.ts';
import { run } from './testing.ts';

const ROWS = 1000;
const text = Array.from(
  { length: ROWS },
  (_, i) => `${JSON.stringify({ i, user: i % 100, level: i % 50 === 0 ? 'error' : 'info' })}\n`,
).join('');
const kept = async (given: Parameters<typeof run>[1], rows = text): Promise<{ i: number; user: number }[]> =>
  (await run(sample, given, rows)).rows as { i: number; user: number }[];

test('about the share that is asked for passes, the others are filtered', async () => {
  for (const [given, share] of [
    [{ rate: 0.3 }, 0.3],
    [{ one_of: 10 }, 0.1],
  ] as const) {
    const { rows, filtered } = await run(sample, given, text);
    assert.ok(Math.abs(rows.length / ROWS - share) < 0.05, String(rows.length));
    assert.equal(rows.length + filtered, ROWS);
  }
});

test('rate 0 lets nothing pass, rate 1 and one of one all', async () => {
  assert.equal((await kept({ rate: 0 })).length, 0);
  assert.equal((await kept({ rate: 1 })).length, ROWS);
  assert.equal((await kept({ one_of: 1 })).length, ROWS);
});

test('the same rows pass at every replay, others with another seed', async () => {
  const first = await kept({ rate: 0.2 });
  assert.deepEqual(await kept({ rate: 0.2 }), first);
  assert.notDeepEqual(await kept({ rate: 0.2, seed: 1 }), first);
});

test('a key is always in or always out, as a number or a string', async () => {
  const rows = await kept({ rate: 0.5, key_column: 'user' });
  const users = new Set(rows.map(({ user }) => user));
  assert.equal(rows.length, users.size * (ROWS / 100));
  assert.ok(users.size > 30 && users.size < 70, String(users.size));
  const strings = await kept({ rate: 0.5, key_column: 'user' }, text.replaceAll(/"user":(\d+)/g, '"user":"$1"'));
  assert.deepEqual(new Set(strings.map(({ user }) => Number(user))), users);
});

test('rows without the key are chosen one by one', async () => {
  const rows = await kept({ rate: 0.5, key_column: 'nowhere' });
  assert.ok(rows.length > 400 && rows.length < 600, String(rows.length));
  assert.deepEqual(rows, await kept({ rate: 0.5 }));
  assert.deepEqual(
    await kept({ rate: 0.5, key_column: 'user' }, '{"user":null}\n'.repeat(9)),
    await kept({ rate: 0.5 }, '{"user":null}\n'.repeat(9)),
  );
});

test('rows that always pass do so beside the others', async () => {
  const rows = await kept({ rate: 0, always: { column: 'level', op: 'eq', value: 'error' } });
  assert.equal(rows.length, ROWS / 50);
});

test('one share must be said, and only one', () => {
  const messages = (given: object): string[] => sample.check!(given as never).map(({ message }) => message);
  assert.deepEqual(messages({}), ['says no share, expected rate or one_of']);
  assert.deepEqual(messages({ rate: 0.5, one_of: 2 }), ['one_of stands beside rate, expected one of both']);
  assert.deepEqual(messages({ rate: 0.5, always: {} }), ['always has no column, expected a name']);
});
