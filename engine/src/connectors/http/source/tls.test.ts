import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { keepTlsFresh, loadServerTls, serverTlsVersion } from '../../../net/server-tls.ts';
import { type Certificate, makeCertificate } from '../../../testing/certificates.ts';
import { TestLog, temporaryFolder } from '../../testing/test-context.ts';
import { eventually, openSource } from './testing.ts';

const authority = makeCertificate({ name: 'test authority', authority: true });
const server = makeCertificate({ name: 'server', issuer: authority });
const tls = {
  certificate_file: 'server.pem',
  key_file: 'server.key',
  key_password: undefined,
  ca_file: undefined,
  min_version: '1.2' as const,
};

async function certificateFolder(t: TestContext, { certificate, key }: Certificate = server): Promise<string> {
  const folder = await temporaryFolder(t);
  writeFileSync(join(folder, 'server.pem'), certificate);
  writeFileSync(join(folder, 'server.key'), key);
  writeFileSync(join(folder, 'ca.pem'), authority.certificate);
  return folder;
}

interface Seen {
  readonly status: number;
  /** Common name of the server's certificate. */
  readonly server: string;
}

function post(port: number, options: RequestOptions = {}): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, method: 'POST', ca: authority.certificate, agent: false, ...options },
      (response) => {
        const { CN } = (response.socket as TLSSocket).getPeerCertificate().subject;
        response.resume().on('end', () => resolve({ status: response.statusCode!, server: String(CN) }));
      },
    );
    sent.on('error', reject);
    sent.end('{}');
  });
}

test('rows are taken by TLS, from clients that know the authority', async (t) => {
  const folder = await certificateFolder(t);
  const { port, log } = await openSource(t, { tls }, { folder, settles: true });
  assert.deepEqual(await post(port), { status: 200, server: 'server' });
  await assert.rejects(post(port, { ca: makeCertificate({ name: 'other', authority: true }).certificate }));
  assert.deepEqual(log.infos, [`source "in" listens on https://127.0.0.1:${port}`]);
});

test('an old version of TLS is refused', async (t) => {
  const folder = await certificateFolder(t);
  const { port } = await openSource(t, { tls: { ...tls, min_version: '1.3' } }, { folder, settles: true });
  await assert.rejects(post(port, { maxVersion: 'TLSv1.2' }), /protocol version/i);
  assert.equal((await post(port)).status, 200);
});

test('where clients need a certificate, a missing, a wrong and an expired one are refused', async (t) => {
  const folder = await certificateFolder(t);
  const { feed, port } = await openSource(t, { tls: { ...tls, ca_file: 'ca.pem' } }, { folder, settles: true });
  const shown = ({ certificate, key }: Certificate): RequestOptions => ({ cert: certificate, key });
  const good = makeCertificate({ name: 'device', issuer: authority });
  const stranger = makeCertificate({ name: 'device', issuer: makeCertificate({ name: 'test authority', authority: true }) });
  const expired = makeCertificate({
    name: 'device',
    issuer: authority,
    from: new Date('2020-01-01'),
    to: new Date('2021-01-01'),
  });
  const early = makeCertificate({ name: 'device', issuer: authority, from: new Date('2120-01-01'), to: new Date('2121-01-01') });
  assert.equal((await post(port, shown(good))).status, 200);
  for (const options of [{}, shown(stranger), shown(expired), shown(early), shown(makeCertificate({ name: 'self' }))]) {
    await assert.rejects(post(port, options), { code: /^(ECONNRESET|EPIPE|ERR_SSL_.*)$/ });
  }
  assert.equal(feed.text, '{}\n');
});

test('a client that begins no handshake is let go', async (t) => {
  const folder = await certificateFolder(t);
  const { port } = await openSource(t, { tls, header_timeout_secs: 0.1 }, { folder });
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve).resume());
});

test('files that cannot be used are named before anything is listened to', async (t) => {
  const folder = await certificateFolder(t);
  writeFileSync(join(folder, 'text.pem'), 'no certificate');
  writeFileSync(join(folder, 'other.key'), makeCertificate({ name: 'other' }).key);
  const cases = [
    [{ certificate_file: 'nothing.pem' }, /^Cannot read setting "tls.certificate_file": ENOENT/],
    [{ key_file: 'text.pem' }, /^Cannot use setting "tls.key_file": "text.pem" holds no PEM/],
    [{ key_file: 'other.key' }, /^Cannot use TLS files "server.pem" and "other.key": .*mismatch/],
    [{ ca_file: 'nothing.pem' }, /^Cannot read setting "tls.ca_file"/],
  ] as const;
  for (const [given, message] of cases) {
    await assert.rejects(openSource(t, { tls: { ...tls, ...given } }, { folder }), { name: 'ReefError', message });
  }
});

test('a certificate that was renewed is shown to new connections; one that is broken is not', async (t) => {
  const folder = await certificateFolder(t);
  const { createServer } = await import('node:https');
  const { options, version } = await loadServerTls(tls, folder);
  const log = new TestLog();
  const listening = createServer(options, (_, response) => response.end());
  keepTlsFresh(listening, { tls, folder, version, log, everyMs: 0 });
  t.after(() => listening.close());
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as { port: number };
  const renewed = makeCertificate({ name: 'renewed', issuer: authority });
  writeFileSync(join(folder, 'server.key'), renewed.key);
  writeFileSync(join(folder, 'server.pem'), renewed.certificate);
  assert.notEqual(await serverTlsVersion(tls, folder), version);
  // The connection that finds it is still shown the old one.
  assert.equal((await post(port)).server, 'server');
  await eventually(() => log.infos.length === 1);
  assert.equal((await post(port)).server, 'renewed');
  writeFileSync(join(folder, 'server.pem'), `${readFileSync(join(folder, 'server.pem'), 'utf8')}broken`.replace('MII', 'XXX'));
  await post(port);
  await eventually(() => log.warnings.length > 0);
  assert.match(log.warnings[0]!, /the old ones are used on$/);
  assert.equal((await post(port)).server, 'renewed');
});
