/** Over the wire with what is used in the field: rsyslog, syslog-ng and `logger`, from Debian. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Json } from '../../spec/plan.ts';
import { makeCertificate } from '../../testing/certificates.ts';
import { reef, temporaryFolder, writePunchline } from '../../testing/reef-process.ts';
import { missing, program } from '../../testing/servers/needs.ts';
import { rsyslog, rsyslogTls, startRsyslog } from '../../testing/servers/rsyslog.ts';
import { runProgram } from '../../testing/servers/run-program.ts';
import { startSyslogNg, syslogNg } from '../../testing/servers/syslog-ng.ts';
import { type Listening, startListening } from '../socket/testing/start-listening.ts';

const logger = program('logger', 'bsdutils');
const noLogger = await missing(logger);
const noRsyslog = await missing(logger, rsyslog);
const noRsyslogTls = await missing(logger, rsyslog, rsyslogTls);
const noSyslogNg = await missing(logger, syslogNg);

const POLL_MS = 20;
const PATIENCE_MS = 20_000;
const TEXT = 'Ünïcödé "quoted" \\ back\tslash';
const COUNT = 200;
const texts = Array.from({ length: COUNT }, (_, n) => `${n} ${TEXT}`);
const STRUCTURED = ['--sd-id', 'seen@32473', '--sd-param', 'by="a \\"b\\" c"'];

/** One message a line of standard input, as RFC 5424 with structured data; `more`: where to. */
function log(lines: readonly string[], ...more: readonly string[]): Promise<string> {
  const args = ['--server', '127.0.0.1', '-p', 'local3.warning', '-t', 'shop', '--id=77', '--msgid', 'ORDER', ...more];
  return runProgram(['logger', ...args], { input: `${lines.join('\n')}\n`, timeoutMs: PATIENCE_MS });
}

const octets = (port: number): string[] => ['--tcp', '--octet-count', '--rfc5424=notq', ...STRUCTURED, '--port', String(port)];

/** What is the same for all messages, however they came. */
const EXPECTED = { facility: 'local3', severity: 'warning', appname: 'shop', procid: '77' } as const;

async function arrived({ written, stop }: Listening, count = COUNT): Promise<Readonly<Record<string, Json>>[]> {
  const late = pause(PATIENCE_MS, 'late', { ref: false });
  const first = await Promise.race([written(count), late]);
  const { rows, errors, log: said } = await stop();
  assert.equal(first, undefined, `${rows.length} of ${count} rows came within ${PATIENCE_MS / 1000} s:\n${said}`);
  assert.deepEqual(errors, []);
  return rows;
}

function look(
  rows: readonly Readonly<Record<string, Json>>[],
  more: Readonly<Record<string, Json>>,
  { ordered = true, wanted = texts }: { ordered?: boolean; wanted?: readonly string[] } = {},
): void {
  const messages = rows.map(({ message }) => message as string);
  const sorted = (list: readonly string[]): readonly string[] => (ordered ? list : [...list].sort());
  assert.deepEqual(sorted(messages), sorted(wanted));
  for (const row of rows) {
    const expected = { ...EXPECTED, ...more };
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, row[key]])), expected);
    assert.match(String(row.timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
    assert.ok(Math.abs(Date.parse(String(row.timestamp)) - Date.now()) < 120_000, `it was sent now, not at ${row.timestamp}`);
  }
}

const MODERN = { version: 1, msgid: 'ORDER', structured_data: { 'seen@32473': { by: 'a "b" c' } } };

const listening = (t: TestContext, settings: object = {}, files: Readonly<Record<string, string>> = {}): Promise<Listening> =>
  startListening(t, { type: 'syslog', settings: { port: 0, ...settings } }, { files });

test('logger over TCP: octet counting and lines, RFC 5424 and RFC 3164', { skip: noLogger }, async (t) => {
  const counted = await listening(t);
  await log(texts, ...octets(counted.port));
  look(await arrived(counted), MODERN);
  const lines = await listening(t);
  await log(texts, '--tcp', '--rfc3164', '--port', String(lines.port));
  // Times say neither year nor zone.
  const rows = await arrived(lines);
  look(rows, {});
});

test('logger over UDP', { skip: noLogger }, async (t) => {
  const source = await listening(t, { proto: 'udp' });
  await log(texts.slice(0, 20), '--udp', '--rfc5424=notq', ...STRUCTURED, '--port', String(source.port));
  look(await arrived(source, 20), MODERN, { ordered: false, wanted: texts.slice(0, 20) });
});

for (const transport of ['tcp', 'udp'] as const) {
  test(`rsyslog forwards over ${transport}, RFC 5424 and its own form of RFC 3164`, { skip: noRsyslog }, async (t) => {
    for (const [template, expected] of [
      ['RSYSLOG_SyslogProtocol23Format', MODERN],
      ['RSYSLOG_ForwardFormat', {}],
      ['RSYSLOG_TraditionalForwardFormat', {}],
    ] as const) {
      const source = await listening(t, { proto: transport });
      const framing = transport === 'tcp' ? 'tcp_framing="octet-counted"' : '';
      const server = await startRsyslog(t, {
        actions: [
          `action(type="omfwd" target="127.0.0.1" port="${source.port}" protocol="${transport}" ${framing} template="${template}")`,
        ],
      });
      await log(texts, ...octets(server.ports.tcp));
      look(await arrived(source), expected, { ordered: transport === 'tcp' });
      await server.stop();
    }
  });
}

test('rsyslog forwards over TLS, to who has a certificate that it believes', { skip: noRsyslogTls }, async (t) => {
  const authority = makeCertificate({ name: 'authority', authority: true });
  const server = makeCertificate({ name: 'localhost', issuer: authority });
  const files = { 'server.pem': server.certificate, 'server.key': server.key };
  const source = await listening(t, { tls: { certificate_file: 'server.pem', key_file: 'server.key' } }, files);
  const sender = await startRsyslog(t, {
    authority: authority.certificate,
    actions: [
      `action(type="omfwd" target="127.0.0.1" port="${source.port}" protocol="tcp" tcp_framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format" streamDriver="gtls" streamDriverMode="1" streamDriverAuthMode="x509/name" streamDriverPermittedPeers="localhost")`,
    ],
  });
  await log(texts, ...octets(sender.ports.tcp));
  look(await arrived(source), MODERN);
});

for (const [title, destination, settings, expected] of [
  ['its syslog driver over TCP', 'syslog("127.0.0.1" transport("tcp") port(PORT))', {}, MODERN],
  ['its syslog driver over UDP', 'syslog("127.0.0.1" transport("udp") port(PORT))', { proto: 'udp' }, MODERN],
  ['its network driver, RFC 3164 in lines', 'network("127.0.0.1" transport("tcp") port(PORT))', {}, {}],
] as const) {
  test(`syslog-ng forwards with ${title}`, { skip: noSyslogNg }, async (t) => {
    const source = await listening(t, settings);
    const sender = await startSyslogNg(t, { destination: destination.replace('PORT', String(source.port)) });
    await log(texts, ...octets(sender.ports.tcp));
    look(await arrived(source), expected, { ordered: !('proto' in settings) });
  });
}

test('syslog-ng forwards over TLS, to who has a certificate that it believes', { skip: noSyslogNg }, async (t) => {
  const authority = makeCertificate({ name: 'authority', authority: true });
  const server = makeCertificate({ name: 'localhost', issuer: authority });
  const files = { 'server.pem': server.certificate, 'server.key': server.key };
  const source = await listening(t, { tls: { certificate_file: 'server.pem', key_file: 'server.key' } }, files);
  const tls = 'tls(ca-file("authority.pem") peer-verify(required-trusted))';
  const sender = await startSyslogNg(t, {
    destination: `syslog("localhost" transport("tls") port(${source.port}) ${tls})`,
    files: { 'authority.pem': authority.certificate },
  });
  await log(texts, ...octets(sender.ports.tcp));
  look(await arrived(source), MODERN);
});

test('rsyslog reads from the sink what went into it', { skip: noRsyslog }, async (t) => {
  const server = await startRsyslog(t);
  const folder = temporaryFolder(t);
  const input = texts.map((message, n) => ({
    facility: 'local5',
    severity: 'err',
    timestamp: `2026-10-11T22:14:15.${String(n).padStart(3, '0')}Z`,
    hostname: 'web.example',
    appname: 'shop',
    procid: '12',
    msgid: 'ORDER',
    structured_data: { 'seen@32473': { by: 'a "b" ] c', n: String(n) } },
    message,
  }));
  writeFileSync(join(folder, 'in.jsonl'), input.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'syslog', settings: { port: server.ports.tcp } },
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  const deadline = performance.now() + PATIENCE_MS;
  while (server.received().length < COUNT && performance.now() < deadline) await pause(POLL_MS);
  assert.deepEqual(
    server.received(),
    input.map(({ timestamp, hostname, appname, procid, msgid, message }, n) => ({
      pri: String(21 * 8 + 3),
      timereported: timestamp,
      hostname,
      'app-name': appname,
      procid,
      msgid,
      'structured-data': `[seen@32473 by="a \\"b\\" \\] c" n="${n}"]`,
      msg: message,
    })),
    server.log,
  );
});
