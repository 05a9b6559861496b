/** Whom the HTTP sink trusts, and how it shows who it is. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { ReefError } from '../../../errors.ts';
import type { ClientAuth } from '../../../net/client-auth.ts';
import type { ClientTls } from '../../../net/client-tls.ts';
import type { Bulk, BulkSink } from '../../../spec/bulk-sink.ts';
import { makeCertificate } from '../../../testing/certificates.ts';
import { sharedBytes, TestLog, temporaryFolder, withDefaults } from '../../testing/test-context.ts';
import { checkSettings, type HttpSinkSettings, settings } from './settings.ts';
import httpSink from './sink.ts';

const authority = makeCertificate({ name: 'Test authority', authority: true });
const bulk: Bulk = { bytes: sharedBytes('{}\n'), rows: 1, offsets: Uint32Array.of(0, 3), side: [] };
const signal = new AbortController().signal;
const usualTls = settings.tls.default as ClientTls;

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

async function serveTls(
  t: TestContext,
  options: ServerOptions,
  listener: Listener = (_, response) => response.end(),
): Promise<number> {
  const server = createServer(options, listener).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => {});
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function serve(t: TestContext, listener: Listener): Promise<string> {
  const server = createPlainServer(listener).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function open(
  t: TestContext,
  folder: string,
  given: Partial<HttpSinkSettings> & { url: string },
): Promise<{ sink: BulkSink; log: TestLog }> {
  const log = new TestLog();
  const context = {
    id: 'out',
    folder,
    punchlineKind: 'StreamPunchline',
    log,
    count() {},
    codec: { name: 'json' },
    resume: undefined,
    memory: '/nowhere',
  } as const;
  const sink = await httpSink.open({ ...context, settings: withDefaults(settings, given) });
  t.after(() => sink.close('stopped'));
  return { sink, log };
}

async function outcome(sink: BulkSink): Promise<string> {
  try {
    return (await sink.send(bulk, signal))?.refusedAll ?? 'taken';
  } catch (error) {
    assert.ok((error as ReefError).retry, String(error));
    return (error as Error).message;
  }
}

test('a server is taken only with a certificate of a known authority, for its name, that is good now', async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(join(folder, 'ca.pem'), authority.certificate);
  const day = 86_400_000;
  const past = new Date(Date.now() - 2 * day);
  const certificates = {
    right: makeCertificate({ name: 'a', issuer: authority }),
    'of another name': makeCertificate({ name: 'a', issuer: authority, hosts: ['other.example'] }),
    expired: makeCertificate({ name: 'a', issuer: authority, from: new Date(0), to: past }),
    'not valid yet': makeCertificate({ name: 'a', issuer: authority, from: new Date(Date.now() + day) }),
    'signed by itself': makeCertificate({ name: 'a' }),
  };
  const outcomes: Record<string, string> = {};
  for (const [what, { certificate, key }] of Object.entries(certificates)) {
    const port = await serveTls(t, { cert: certificate, key });
    const { sink } = await open(t, folder, { url: `https://localhost:${port}/`, tls: { ...usualTls, ca_file: 'ca.pem' } });
    outcomes[what] = (await outcome(sink)).replace(/^.*localhost:\d+: /, '');
  }
  assert.deepEqual(outcomes, {
    right: 'taken',
    'of another name': 'its certificate is for another name (DNS:other.example), expected "tls.server_name" where that is right',
    expired: 'its certificate has expired',
    'not valid yet': 'its certificate is not valid yet',
    'signed by itself':
      'its certificate is signed by itself, expected one of a known authority, or its authority in "tls.ca_file"',
  });
  // Without the authority's file.
  const port = await serveTls(t, { cert: certificates.right.certificate, key: certificates.right.key });
  const { sink } = await open(t, folder, { url: `https://127.0.0.1:${port}/` });
  assert.match(
    await outcome(sink),
    /its certificate is of an authority that is not known here, expected that in "tls\.ca_file"$/,
  );
});

test('the name can be another one, and both checks can be left out, which is said aloud', async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(join(folder, 'ca.pem'), authority.certificate);
  const { certificate, key } = makeCertificate({ name: 'a', issuer: authority, hosts: ['other.example'] });
  const url = `https://127.0.0.1:${await serveTls(t, { cert: certificate, key })}/`;
  const named = await open(t, folder, { url, tls: { ...usualTls, ca_file: 'ca.pem', server_name: 'other.example' } });
  assert.equal(await outcome(named.sink), 'taken');
  assert.deepEqual(named.log.warnings, []);
  const nameless = await open(t, folder, { url, tls: { ...usualTls, ca_file: 'ca.pem', verify: 'authority' } });
  assert.equal(await outcome(nameless.sink), 'taken');
  assert.match(nameless.log.warnings[0]!, /^sink "out": setting "tls\.verify" is "authority", so anyone with a certificate/);
  const trusting = await open(t, folder, { url, tls: { ...usualTls, verify: 'none' } });
  assert.equal(await outcome(trusting.sink), 'taken');
  assert.match(trusting.log.warnings[0]!, /^sink "out": setting "tls\.verify" is "none", so anyone can pass for the server/);
  const without = await open(t, folder, { url, tls: { ...usualTls, verify: 'authority' } });
  assert.match(await outcome(without.sink), /an authority that is not known here/);
});

test('it shows its own certificate, and takes a renewed one for new connections', async (t) => {
  const folder = await temporaryFolder(t);
  const server = makeCertificate({ name: 'server', issuer: authority });
  const names: string[] = [];
  const options = { cert: server.certificate, key: server.key, ca: authority.certificate, requestCert: true };
  const port = await serveTls(t, options, (request, response) => {
    const { CN } = (request.socket as TLSSocket).getPeerCertificate().subject;
    names.push(Array.isArray(CN) ? CN[0]! : CN!);
    response.writeHead(200, { connection: 'close' }).end();
  });
  const write = (name: string): void => {
    const { certificate, key } = makeCertificate({ name, issuer: authority });
    writeFileSync(join(folder, 'own.pem'), certificate);
    writeFileSync(join(folder, 'own.key'), key);
  };
  writeFileSync(join(folder, 'ca.pem'), authority.certificate);
  write('first');
  const tls = { ...usualTls, ca_file: 'ca.pem', certificate_file: 'own.pem', key_file: 'own.key' };
  const { sink, log } = await open(t, folder, { url: `https://localhost:${port}/`, tls });
  assert.equal(await outcome(sink), 'taken');
  write('the second');
  assert.equal(await outcome(sink), 'taken');
  writeFileSync(join(folder, 'own.key'), 'none');
  assert.equal(await outcome(sink), 'taken');
  assert.deepEqual(names, ['first', 'the second', 'the second']);
  assert.match(log.warnings.join(), /"own\.key" holds no PEM, .*; the files that were read before are used on/);
  const nobody = await open(t, folder, { url: `https://localhost:${port}/`, tls: { ...usualTls, ca_file: 'ca.pem' } });
  assert.match(await outcome(nobody.sink), /^Cannot send to HTTP sink "out": https:\/\/localhost/);
});

test('a server that only speaks an old TLS, or none, is not spoken with', async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(join(folder, 'ca.pem'), authority.certificate);
  const { certificate, key } = makeCertificate({ name: 'a', issuer: authority });
  const port = await serveTls(t, { cert: certificate, key, maxVersion: 'TLSv1.2' });
  const tls = { ...usualTls, ca_file: 'ca.pem', min_version: '1.3' } as const;
  const { sink } = await open(t, folder, { url: `https://localhost:${port}/`, tls });
  assert.match(await outcome(sink), /protocol version/i);
  const plain = await serve(t, (_, response) => response.end());
  const { sink: other } = await open(t, folder, { url: plain.replace('http:', 'https:') });
  assert.match(await outcome(other), /^Cannot send to HTTP sink "out": https:/);
});

test('files that cannot be used are an error at the start, by name', async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(join(folder, 'text'), 'no certificate');
  const url = 'https://localhost:1/';
  await assert.rejects(
    open(t, folder, { url, tls: { ...usualTls, ca_file: 'none.pem' } }),
    /Cannot read setting "tls\.ca_file": ENOENT/,
  );
  await assert.rejects(
    open(t, folder, { url, tls: { ...usualTls, ca_file: 'text' } }),
    /Cannot use setting "tls\.ca_file": "text" holds no PEM/,
  );
});

const usualAuth = { header: 'X-API-Key' } as ClientAuth;

test('basic, bearer and API key are sent as headers', async (t) => {
  const seen: IncomingMessage['headers'][] = [];
  const url = await serve(t, (request, response) => {
    seen.push(request.headers);
    response.end();
  });
  for (const auth of [
    { ...usualAuth, type: 'basic', username: 'ann', password: 'p:ä' },
    { ...usualAuth, type: 'bearer', token: 'abc' },
    { ...usualAuth, type: 'api_key', key: 'k1' },
    { ...usualAuth, type: 'api_key', key: 'k2', header: 'X-Own' },
  ] as ClientAuth[]) {
    assert.equal(await outcome((await open(t, '/', { url, auth })).sink), 'taken');
  }
  assert.deepEqual(
    seen.map((headers) => headers.authorization ?? headers['x-api-key'] ?? headers['x-own']),
    [`Basic ${Buffer.from('ann:p:ä').toString('base64')}`, 'Bearer abc', 'k1', 'k2'],
  );
});

/** A server of tokens, and one that takes only the latest of them. */
async function oauth(t: TestContext, { lifeSecs = 3600 } = {}) {
  const asked: { form: URLSearchParams; authorization: string | undefined }[] = [];
  const state = { good: 0, answer: undefined as { status: number; body: string } | undefined, rows: 0, refused: 0 };
  const tokenUrl = await serve(t, async (request, response) => {
    const text = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
    asked.push({ form: new URLSearchParams(text), authorization: request.headers.authorization });
    if (state.answer) response.writeHead(state.answer.status).end(state.answer.body);
    else {
      state.good++;
      response.end(JSON.stringify({ access_token: `t${state.good}`, token_type: 'Bearer', expires_in: lifeSecs }));
    }
  });
  const url = await serve(t, (request, response) => {
    request.resume();
    const right = request.headers.authorization === `Bearer t${state.good}`;
    state[right ? 'rows' : 'refused']++;
    response.writeHead(right ? 200 : 401).end();
  });
  const auth: ClientAuth = {
    ...usualAuth,
    type: 'oauth2',
    token_url: tokenUrl,
    client_id: 'reef',
    client_secret: 's/1',
    scope: 'rows.write more',
    audience: 'collector',
  };
  return { asked, state, sink: (await open(t, '/', { url, auth })).sink };
}

test('OAuth2: one token serves all requests, however many wait for it', async (t) => {
  const { asked, state, sink } = await oauth(t);
  assert.deepEqual(await Promise.all(Array.from({ length: 8 }, () => outcome(sink))), new Array(8).fill('taken'));
  assert.equal(await outcome(sink), 'taken');
  assert.equal(state.rows, 9);
  assert.equal(asked.length, 1);
  assert.deepEqual(Object.fromEntries(asked[0]!.form), {
    grant_type: 'client_credentials',
    scope: 'rows.write more',
    audience: 'collector',
  });
  assert.equal(asked[0]!.authorization, `Basic ${Buffer.from('reef:s%2F1').toString('base64')}`);
});

test('OAuth2: a token that ends is replaced before, one that is not taken any more at once', async (t) => {
  t.mock.method(performance, 'now', () => now);
  let now = 1000;
  const { asked, state, sink } = await oauth(t, { lifeSecs: 100 });
  assert.equal(await outcome(sink), 'taken');
  now += 89_000;
  assert.equal(await outcome(sink), 'taken');
  assert.equal(asked.length, 1);
  now += 2000;
  assert.equal(await outcome(sink), 'taken');
  assert.deepEqual([asked.length, state.refused], [2, 0]);
  // Withdrawn on the server.
  state.good = 7;
  assert.equal(await outcome(sink), 'taken');
  assert.deepEqual([asked.length, state.refused], [3, 1]);
});

test('OAuth2: while there is no token the rows wait, and the reason is said without the secret', async (t) => {
  const { state, sink } = await oauth(t);
  for (const [answer, what] of [
    [
      { status: 401, body: '{"error":"invalid_client","error_description":"no such client"}' },
      /answers 401: invalid_client \(no such client\)$/,
    ],
    [{ status: 503, body: 'busy' }, /answers 503$/],
    [{ status: 200, body: '{}' }, /holds no access_token$/],
    [{ status: 200, body: '{"access_token":"a\\nb"}' }, /holds no access_token$/],
    [{ status: 200, body: '{"access_token":"a","token_type":"mac"}' }, /gives a token of type "mac", expected "bearer"$/],
  ] as const) {
    state.answer = answer;
    const message = await outcome(sink);
    assert.match(message, /^Cannot get an OAuth2 token for sink "out": /);
    assert.match(message, what);
    assert.doesNotMatch(message, /s\/1|s%2F1/);
  }
  state.answer = undefined;
  assert.equal(await outcome(sink), 'taken');
});

test('settings that do not fit are refused, and risks are warned of', () => {
  const problems = (given: Partial<HttpSinkSettings>): string[] =>
    checkSettings(withDefaults(settings, { url: 'https://a.example/', ...given })).map(
      ({ path, message, severity = 'error' }) => `${severity} ${path.join('.')} ${message}`,
    );
  assert.deepEqual(problems({}), []);
  const one = (given: Partial<HttpSinkSettings>, expected: RegExp): void => {
    const found = problems(given);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0]!, expected);
  };
  one({ url: 'ftp://a/' }, /^error url is "ftp:\/\/a\/", expected http:\/\/ or https:\/\/$/);
  one({ url: 'a.example' }, /^error url is "a\.example", expected a URL such as/);
  one({ url: 'https://u:p@a.example/' }, /^error url holds a user name or password, expected them in "auth"$/);
  one({ url: 'https://a.example/#x' }, /^error url .*"#"/);
  one({ headers: { Authorization: 'Basic x' } }, /^error headers\.Authorization would show a secret, expected it in "auth"$/);
  one({ headers: { 'a b': 'x' } }, /^error headers\.a b is no name of a header/);
  one({ headers: { a: 'x\r\nb: c' } }, /^error headers\.a holds characters that a header cannot/);
  one({ headers: { 'Content-Length': '1' } }, /^error headers\.Content-Length is set by the client itself/);
  one({ transient_statuses: '429 503' }, /^error transient_statuses is "429 503", expected numbers/);
  one({ bulk_size: 5, batch: { rows: 7, bytes: 1, timeout_ms: 20 } }, /^error bulk_size stands beside "batch\.rows"/);
  one({ bulk_interval: 5, batch: { rows: 1000, bytes: 1, timeout_ms: 7 } }, /^error bulk_interval stands beside/);
  one({ body: 'object', bulk_size: 5 }, /^error body is "object", which sends one row at a time/);
  one({ tls: { ...usualTls, verify: 'none' } }, /^warning tls\.verify is "none", so anyone can pass/);
  one({ tls: { ...usualTls, key_file: 'a' } }, /^error tls\.certificate_file is missing/);
  one({ auth: { ...usualAuth, type: 'basic', username: 'a' } as ClientAuth }, /^error auth\.password is missing/);
  one({ auth: { ...usualAuth, type: 'bearer', token: 'a', key: 'b' } as ClientAuth }, /^error auth\.key has no meaning/);
  one({ auth: { ...usualAuth, type: 'bearer', token: 'a\nb' } as ClientAuth }, /^error auth cannot be sent/);
  one(
    { url: 'http://a.example', auth: { ...usualAuth, type: 'bearer', token: 'a' } as ClientAuth },
    /^warning auth is sent without TLS/,
  );
  assert.deepEqual(problems({ url: 'http://127.0.0.1:1', auth: { ...usualAuth, type: 'bearer', token: 'a' } as ClientAuth }), []);
});
