import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgetSecret, keepSecret, keptSecrets, redacted } from './secrets.ts';

test('a secret is not said, in none of its spellings', () => {
  const secret = 'p4ss/"w ö+rd';
  keepSecret(secret);
  for (const form of [
    secret,
    JSON.stringify(secret),
    encodeURIComponent(secret),
    secret.replace('"', '&quot;'),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
  ]) {
    const said = redacted(`cannot log in with ${form} at the server`);
    assert.match(said, /^cannot log in with "?\*\*\*"? at the server$/, form);
  }
  assert.ok(keptSecrets().includes(secret));
});

test('a password is not said as part of what goes over the wire either', () => {
  keepSecret('open-sesame-42');
  for (const user of ['a', 'me', 'ann', 'reef', 'somebody']) {
    const header = Buffer.from(`${user}:open-sesame-42`).toString('base64');
    const said = redacted(`refused: Basic ${header}`);
    assert.doesNotMatch(said, /b3Blbi1zZXNhbWUtNDI|9wZW4tc2VzYW1lLT|vcGVuLXNlc2FtZS00/, said);
    assert.match(said, /^refused: Basic .*\*\*\*/);
  }
});

test('a secret that was cut off for a message is not said either', () => {
  keepSecret('correct-horse-battery-staple');
  assert.equal(redacted('is "correct-horse-ba…", expected'), 'is "***…", expected');
  assert.equal(redacted('is "correct-horse...'), 'is "***...');
  assert.equal(redacted('is "correction…"'), 'is "correction…"');
  assert.equal(redacted('correct-horse...correct-ho… cor…'), '***...***… cor…');
});

test('a long row without blanks is searched in linear time', () => {
  keepSecret('correct-horse-battery-staple');
  const before = process.cpuUsage();
  const row = 'corr'.repeat(250_000);
  assert.equal(redacted(row), row);
  assert.equal(redacted(`${row}…`), `${row}…`.replace(/corr…$/, '***…'));
  assert.ok(process.cpuUsage(before).user < 3_000_000);
});

test('each line of a key is a secret by itself', () => {
  keepSecret('-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nshort\n-----END KEY-----');
  assert.equal(redacted('bad line: MIIEvQIBADANBgkqhkiG9w0BAQEFAASC, short'), 'bad line: ***, short');
});

test('where one secret holds another, nothing of the longer one is left', () => {
  keepSecret('inner-word');
  keepSecret('outer-inner-word-outer');
  assert.equal(redacted('outer-inner-word-outer inner-word'), '*** ***');
});

test('a secret that is none any more may be said again, the others still not', () => {
  keepSecret('token-of-today');
  keepSecret('token-of-yesterday');
  forgetSecret('token-of-yesterday');
  assert.equal(redacted('token-of-yesterday, token-of-today'), 'token-of-yesterday, ***');
});

test('what is too short to be told apart is not looked for', () => {
  keepSecret('a');
  keepSecret('');
  assert.equal(redacted('a banana'), 'a banana');
});
