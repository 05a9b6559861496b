/** Over the wire with what is used in the field: rsyslog, syslog-ng and `logger`, from Debian. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Json } from '../../spec/plan.ts';
import { makeCertificate } from '../../testing/certificates.ts';
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

/** Without `notq` it says how good its time is, too. */
const MODERN_WITH_QUALITY = { version: 1, msgid: 'ORDER' };

const listening = (t: TestContext, settings: object = {}, files: Readonly<Record<string, string>> = {}): Promise<Listening> =>
  startListening(t, { type: 'syslog', settings: { port: 0, ...settings } }, { files });

for (const { transport, standard, framing } of [
  { transport: '--tcp', standard: '--rfc5424', framing: ['--octet-count'] },
  { transport: '--tcp', standard: '--rfc5424', framing: [] },
  { transport: '--tcp', standard: '--rfc3164', framing: ['--octet-count'] },
  { transport: '--tcp', standard: '--rfc3164', framing: [] },
  { transport: '--udp', standard: '--rfc5424', framing: [] },
  { transport: '--udp', standard: '--rfc3164', framing: [] },
] as const) {
  test(`${['logger', transport, standard, ...framing].join(' ')}`, { skip: noLogger }, async (t) => {
    const udp = transport === '--udp';
    const wanted = udp ? texts.slice(0, 20) : texts;
    const source = await listening(t, udp ? { proto: 'udp' } : {});
    const data = standard === '--rfc5424' ? STRUCTURED : [];
    await log(wanted, transport, standard, ...framing, ...data, '--port', String(source.port));
    look(await arrived(source, wanted.length), standard === '--rfc5424' ? MODERN_WITH_QUALITY : {}, { ordered: !udp, wanted });
  });
}

test('logger says less of times and hosts than it could', { skip: noLogger }, async (t) => {
  const source = await listening(t);
  const common = ['--tcp', '--octet-count', '--port', String(source.port)];
  const snips = ['notime', 'notq', 'nohost', 'notime,notq,nohost'];
  for (const snip of snips) await log([snip], ...common, `--rfc5424=${snip}`);
  const rows = await arrived(source, snips.length);
  const said = rows.map(({ message, timestamp, hostname, structured_data }) => [
    message,
    timestamp !== undefined,
    hostname !== undefined,
    structured_data !== undefined,
  ]);
  // A time of which nothing is known has no quality either.
  assert.deepEqual(said, [
    ['notime', false, true, false],
    ['notq', true, true, false],
    ['nohost', true, false, true],
    ['notime,notq,nohost', false, false, false],
  ]);
});

test('logger to a Unix socket, of streams', { skip: noLogger }, async (t) => {
  const source = await listening(t, { proto: 'unix', path: 'log.sock' });
  const args = [
    '--tcp',
    '--socket-errors=on',
    '-p',
    'local3.warning',
    '-t',
    'shop',
    '--id=77',
    '--socket',
    join(source.folder, 'log.sock'),
  ];
  await runProgram(['logger', ...args], { input: `${texts.join('\n')}\n`, timeoutMs: PATIENCE_MS });
  look(await arrived(source), {});
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
