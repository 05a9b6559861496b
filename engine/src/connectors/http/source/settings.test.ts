import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDefaults } from '../../testing/test-context.ts';
import { checkSettings, type HttpSourceSettings, listenAt, settings, tablesOf } from './settings.ts';

const tls = { certificate_file: 'a', key_file: 'b', key_password: undefined, ca_file: undefined, min_version: '1.2' } as const;
const bare = { username: undefined, password: undefined, tokens: undefined, keys: undefined, header: 'X-API-Key' };
const auth = { ...bare, type: 'bearer', tokens: ['t'] } as const;

function check(given: Partial<HttpSourceSettings>): string[] {
  const issues = checkSettings(withDefaults(settings, given));
  return issues.map(({ path, message, severity }) => `${severity ?? 'error'} ${path.join('.')} ${message}`);
}

test('it listens where host and port or the url say, and on this machine only by default', () => {
  const at = (given: Partial<HttpSourceSettings>): object => listenAt(withDefaults(settings, given));
  assert.deepEqual(at({}), { host: '127.0.0.1', port: 8080 });
  assert.deepEqual(at({ host: '::', port: 0 }), { host: '::', port: 0 });
  assert.deepEqual(at({ url: 'http://0.0.0.0:8090' }), { host: '0.0.0.0', port: 8090 });
  assert.deepEqual(at({ url: 'https://[::1]' }), { host: '::1', port: 443 });
  assert.deepEqual(at({ url: 'http://localhost/' }), { host: 'localhost', port: 80 });
});

test('what is safe is taken without a word', () => {
  assert.deepEqual(check({}), []);
  assert.deepEqual(check({ url: 'http://localhost:8090', ssl: false }), []);
  assert.deepEqual(check({ host: '0.0.0.0', tls, auth }), []);
  assert.deepEqual(check({ url: 'https://0.0.0.0:8443', ssl: true, tls: { ...tls, ca_file: 'c' } }), []);
});

test('what anyone can reach is warned of, at the setting that says so', () => {
  assert.match(check({ host: '0.0.0.0' })[0]!, /^warning host is "0\.0\.0\.0", so .* expected "tls" and "auth" beside it/);
  assert.match(check({ url: 'http://10.0.0.1:80', auth })[0]!, /^warning url is "10\.0\.0\.1", .* expected "tls"/);
  assert.match(check({ host: '::', tls })[0]!, /^warning host .* expected "auth"/);
});

test('settings that contradict each other are errors, all at once', () => {
  const wrong: readonly [Partial<HttpSourceSettings>, RegExp][] = [
    [{ url: 'ftp://x' }, /^error url is no address/],
    [{ url: 'localhost:80' }, /^error url is no address/],
    [{ url: 'http://x:80/rows' }, /^error url holds more than host and port/],
    [{ url: 'http://x:80', port: 81 }, /^error url stands beside port/],
    [{ url: 'https://x:80' }, /^error url asks for TLS/],
    [{ ssl: true }, /^error ssl asks for TLS/],
    [{ ssl: false, tls }, /^error ssl says that there is no TLS/],
    [{ url: 'http://x:80', tls }, /^error url says that there is no TLS/],
    [{ paths: {} }, /^error paths is empty/],
    [{ paths: { logs: 'a' } }, /^error paths\.logs is no path/],
    [{ paths: { '/a?b': 'a' } }, /^error paths\.\/a\?b is no path/],
    [{ auth: { ...bare, type: 'basic', username: 'a' } }, /^error auth\.password is missing/],
  ];
  for (const [given, message] of wrong) assert.match(check(given)[0] ?? '', message);
  assert.equal(check({ url: 'http://x:80/rows', port: 1, ssl: true, paths: {} }).length, 4);
});

test('its tables are those of its paths', () => {
  assert.deepEqual(tablesOf(withDefaults(settings, {})), []);
  assert.deepEqual(tablesOf(withDefaults(settings, { paths: { '/a': 'x', '/b': '' } })), ['x', '']);
});
