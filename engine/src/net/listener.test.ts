import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { checkExposure, hostAndPort, isLoopback, listen } from './listener.ts';

test('only addresses of this machine itself are loopback', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost', 'LOCALHOST', 'a.localhost', '::ffff:127.0.0.1'])
    assert.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.evil.example', '1127.0.0.1', 'localhost.example'])
    assert.ok(!isLoopback(host), host);
});

test('what others can reach is warned of until it is protected', () => {
  const path = ['host'];
  const open = { host: '0.0.0.0', path };
  assert.deepEqual(checkExposure({ ...open, host: '127.0.0.1', tls: false, authenticated: false }), []);
  assert.deepEqual(checkExposure({ ...open, tls: true, authenticated: true }), []);
  const [issue] = checkExposure({ ...open, tls: false, authenticated: false });
  assert.equal(issue?.severity, 'warning');
  assert.match(issue!.message, /can read what is sent and may send: expected "tls" and "auth" beside it/);
  assert.match(
    checkExposure({ ...open, tls: true, authenticated: false })[0]!.message,
    /reaches this machine may send: expected "auth"/,
  );
});

test('a port that is in use is said, with who wanted it', async (t) => {
  const first = createServer();
  const second = createServer();
  t.after(() => {
    first.close();
    second.close();
  });
  const { port } = await listen(first, { host: '127.0.0.1', port: 0 }, 'source "in"');
  assert.ok(port > 0);
  await assert.rejects(listen(second, { host: '127.0.0.1', port }, 'source "in"'), (error: Error) => {
    assert.equal(error.name, 'ReefError');
    assert.equal(
      error.message,
      `Cannot listen for source "in" on 127.0.0.1:${port}: the port is in use, expected a free one (0: any)`,
    );
    return true;
  });
});

test('an IPv6 address stands in brackets', () => {
  assert.equal(hostAndPort('::1', 80), '[::1]:80');
  assert.equal(hostAndPort('a', 80), 'a:80');
});
