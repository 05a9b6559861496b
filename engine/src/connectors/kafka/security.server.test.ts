/** What brokers and Reef show each other: SASL, certificates, tokens. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { wholeFile } from '../../testing/owner.ts';
import { reef, temporaryFolder } from '../../testing/reef-process.ts';
import { type Kafka, startKafka } from '../../testing/servers/kafka.ts';
import { kafka } from '../../testing/servers/kafka-command.ts';
import { missing } from '../../testing/servers/needs.ts';
import { bearer, sasl, secret, secrets } from './testing/credentials.ts';
import { punchline, said, start } from './testing/punchlines.ts';
import { newTopic, produce, TopicReader } from './testing/topics.ts';

const skip = await missing(...kafka);
/** One for the whole file; tests have topics of their own. */
const server = skip === false ? await startKafka(wholeFile) : undefined;
const shared = (): Kafka => server!;

test('every way to say who one is, over TLS and without', { skip }, async (t) => {
  const broker = shared();
  const topic = await newTopic(broker);
  await produce(broker.address('plain'), topic, [{ value: '{"n":1}' }]);
  const folder = temporaryFolder(t);
  const pem = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const { makeCertificate } = await import('../../testing/certificates.ts');
  const own = makeCertificate({ name: 'client', issuer: broker.authority });
  const ca_file = pem('ca.pem', broker.authority.certificate);
  const pair = { certificate_file: pem('own.pem', own.certificate), key_file: pem('own.key', own.key) };
  const stranger = makeCertificate({ name: 'stranger', authority: true });
  const ways: [string, 'sasl' | 'tls' | 'mutual' | 'saslTls' | 'saslMutual', object, RegExp?][] = [
    ...['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'].map((mechanism): [string, 'sasl', object] => [
      mechanism,
      'sasl',
      { 'security.protocol': 'SASL_PLAINTEXT', auth: sasl(mechanism) },
    ]),
    ['token', 'sasl', { 'security.protocol': 'SASL_PLAINTEXT', auth: { mechanism: 'OAUTHBEARER', token: secret('TOKEN') } }],
    ['TLS', 'tls', { 'security.protocol': 'SSL', tls: { ca_file } }],
    ['mutual TLS', 'mutual', { 'security.protocol': 'SSL', tls: { ca_file, ...pair } }],
    ['both', 'saslTls', { 'security.protocol': 'SASL_SSL', tls: { ca_file }, auth: sasl('SCRAM-SHA-512') }],
    [
      'mutual TLS and SCRAM',
      'saslMutual',
      { 'security.protocol': 'SASL_SSL', tls: { ca_file, ...pair }, auth: sasl('SCRAM-SHA-256') },
    ],
    ['wrong password', 'sasl', { 'security.protocol': 'SASL_PLAINTEXT', auth: sasl('PLAIN', 'WRONG') }, /authenticat/i],
    ['wrong SCRAM', 'sasl', { 'security.protocol': 'SASL_PLAINTEXT', auth: sasl('SCRAM-SHA-256', 'WRONG') }, /authenticat/i],
    [
      'stranger',
      'tls',
      { 'security.protocol': 'SSL', tls: { ca_file: pem('stranger.pem', stranger.certificate) } },
      /certificate/i,
    ],
    ['no certificate', 'mutual', { 'security.protocol': 'SSL', tls: { ca_file } }, /certificate/i],
  ];
  for (const [name, listener, security, refusal] of ways) {
    const settings = {
      ...security,
      'bootstrap.servers': broker.address(listener),
      topics: topic,
      'group.id': `g ${name}`.replaceAll(' ', '-'),
      stop_at_end: true,
    };
    const sink = { type: 'kafka', settings: { ...security, 'bootstrap.servers': broker.address(listener), topic } };
    const file = punchline(t, 'BatchPunchline', {
      source: { type: 'kafka', settings },
      sink: refusal ? { type: 'stdout' } : sink,
    });
    const { child, ended } = start(t, file, secrets());
    // Without a certificate the connection ends only once it is used: that may pass, so it is tried again.
    let said = '';
    child.stderr.on('data', (text: string) => {
      said += text;
      if (name === 'no certificate' && /certificate/i.test(said)) child.kill('SIGTERM');
    });
    const { code, stderr } = await ended;
    if (refusal) {
      assert.match(stderr, refusal, name);
      if (name !== 'no certificate') assert.notEqual(code, 0, name);
    } else assert.equal(code, 0, `${name}: ${stderr}`);
  }
  const reader = await new TopicReader(t, broker.address('plain')).open(topic);
  await reader.until(() => reader.received.length >= 9);
});

test('tokens come from `token_url`; a token server that refuses is told of', { skip }, async (t) => {
  const broker = shared();
  const [from, to] = [await newTopic(broker), await newTopic(broker)];
  await produce(broker.address('plain'), from, [{ value: '{"n":1}' }]);
  const asked: string[] = [];
  const tokens = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += String(piece);
    asked.push(body);
    const good = `${request.headers.authorization ?? ''}${body}`.includes(
      Buffer.from(`reef:${secrets().RIGHT}`).toString('base64'),
    );
    response.writeHead(good ? 200 : 401, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(good ? { access_token: bearer(), token_type: 'Bearer', expires_in: 3600 } : { error: 'invalid_client' }),
    );
  });
  await once(tokens.listen({ port: 0, host: '127.0.0.1' }), 'listening');
  t.after(() => {
    tokens.closeAllConnections();
    tokens.close();
  });
  const { port } = tokens.address() as { port: number };
  const nodes = (variable: string) => {
    const auth = {
      mechanism: 'OAUTHBEARER',
      token_url: `http://127.0.0.1:${port}/token`,
      client_id: 'reef',
      client_secret: secret(variable),
      scope: 'kafka',
    };
    const given = { 'bootstrap.servers': broker.address('sasl'), 'security.protocol': 'SASL_PLAINTEXT', auth };
    return {
      source: { type: 'kafka', settings: { ...given, topics: from, 'group.id': `${from}-${variable}`, stop_at_end: true } },
      sink: { type: 'kafka', settings: { ...given, topic: to } },
    };
  };
  const done = await reef(t, ['run', punchline(t, 'BatchPunchline', nodes('RIGHT'))], secrets());
  assert.equal(done.code, 0, done.stderr);
  const reader = await new TopicReader(t, broker.address('plain')).open(to);
  await reader.until(() => reader.received.length >= 1);
  assert.ok(asked.length > 0 && asked.every((body) => /grant_type=client_credentials/.test(body) && /scope=kafka/.test(body)));
  const refused = start(t, punchline(t, 'BatchPunchline', nodes('WRONG')), secrets());
  await said(refused, /OAuth2 token for Kafka (source|sink).*401/);
  refused.child.kill('SIGKILL');
  await refused.ended;
});
