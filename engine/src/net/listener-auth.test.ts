import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkListenerAuth, type ListenerAuth, openGate } from './listener-auth.ts';

function auth(given: Partial<ListenerAuth> & Pick<ListenerAuth, 'type'>): ListenerAuth {
  return { username: undefined, password: undefined, tokens: undefined, keys: undefined, header: 'X-API-Key', ...given };
}

test('basic admits the one name and password, whatever case the scheme is written in', () => {
  const gate = openGate(auth({ type: 'basic', username: 'ann', password: 'p:ä' }));
  const value = Buffer.from('ann:p:ä').toString('base64');
  assert.ok(gate.admits({ authorization: `Basic ${value}` }));
  assert.ok(gate.admits({ authorization: `bASIC ${value}` }));
  for (const authorization of [value, `Bearer ${value}`, 'Basic', 'Basic ', `Basic ${Buffer.from('ann:p').toString('base64')}`])
    assert.ok(!gate.admits({ authorization }), authorization);
  assert.ok(!gate.admits({}));
});

test('bearer admits every token of the list and nothing else', () => {
  const gate = openGate(auth({ type: 'bearer', tokens: ['one-token', 'two-token'] }));
  assert.ok(gate.admits({ authorization: 'Bearer one-token' }));
  assert.ok(gate.admits({ authorization: 'bearer  two-token' }));
  assert.ok(!gate.admits({ authorization: 'Bearer one-toke' }));
  assert.ok(!gate.admits({ authorization: 'Bearer one-token2' }));
  assert.ok(!gate.admits({ authorization: 'Bearer ' }));
});

test('an API key is looked for in its own header', () => {
  const gate = openGate(auth({ type: 'api_key', keys: ['secret-key'], header: 'X-Reef-Key' }));
  assert.ok(gate.admits({ 'x-reef-key': 'secret-key' }));
  assert.ok(!gate.admits({ 'x-api-key': 'secret-key' }));
  assert.ok(!gate.admits({ authorization: 'secret-key' }));
});

test('what a type needs is asked for, what it has no use for is refused', () => {
  assert.deepEqual(checkListenerAuth(undefined), []);
  assert.deepEqual(checkListenerAuth(auth({ type: 'basic', username: 'a', password: 'b' })), []);
  const paths = (given: ListenerAuth): string[] => checkListenerAuth(given).map(({ path }) => path.join('.'));
  assert.deepEqual(paths(auth({ type: 'basic', username: 'a' })), ['auth.password']);
  assert.deepEqual(paths(auth({ type: 'bearer', tokens: [], keys: ['k'] })), ['auth.tokens', 'auth.keys']);
  assert.deepEqual(paths(auth({ type: 'api_key', keys: ['k', ''] })), ['auth.keys']);
});
