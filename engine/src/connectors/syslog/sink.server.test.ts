/** What rsyslog and syslog-ng, from Debian, read of what the sink sends. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Certificate, makeCertificate } from '../../testing/certificates.ts';
import { reef, temporaryFolder, writePunchline } from '../../testing/reef-process.ts';
import { missing } from '../../testing/servers/needs.ts';
import { rsyslog, rsyslogTls, startRsyslog } from '../../testing/servers/rsyslog.ts';
import { startSyslogNg, syslogNg } from '../../testing/servers/syslog-ng.ts';

const noRsyslog = await missing(rsyslog, rsyslogTls);
const noSyslogNg = await missing(syslogNg);

const POLL_MS = 20;
const PATIENCE_MS = 20_000;
const COUNT = 200;

type Standard = 'rfc5424' | 'rfc3164';
type Framing = 'octets' | 'line';
type Received = Readonly<Record<string, string>>;

/** RFC 3164 says no year, and the reader takes the last that fits: this is now, to the second. */
const now = new Date(Math.floor(Date.now() / 1000) * 1000);

function inputOf(n: number) {
  return {
    facility: 'local5',
    severity: 'err',
    timestamp: new Date(now.getTime() + n).toISOString(),
    hostname: 'web.example',
    appname: 'shop',
    procid: '12',
    msgid: 'ORDER',
    structured_data: { 'seen@32473': { by: 'a "b" ] c', n: String(n) } },
    message: `${n} Ünïcödé "quoted" \\ back${n % 10 === 0 ? '\nslash' : ''} <13> 12 x`,
  };
}

const input = Array.from({ length: COUNT }, (_, n) => inputOf(n));

async function send(t: TestContext, settings: object, authority?: Certificate): Promise<void> {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), input.map((row) => `${JSON.stringify(row)}\n`).join(''));
  if (authority) writeFileSync(join(folder, 'authority.pem'), authority.certificate);
  const tls = authority ? { tls: { ca_file: 'authority.pem' }, host: 'localhost' } : {};
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'syslog', settings: { ...settings, ...tls } },
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
}

interface Receiver {
  readonly log: string;
  received(): readonly Received[];
}

async function arrived(server: Receiver): Promise<readonly Received[]> {
  const deadline = performance.now() + PATIENCE_MS;
  while (server.received().length < COUNT && performance.now() < deadline) await pause(POLL_MS);
  const received = server.received();
  assert.equal(received.length, COUNT, server.log);
  return received;
}

/** What is left of a message: one line where newlines part messages, and in RFC 3164. */
function textOf(message: string, standard: Standard, framing: Framing): string {
  return standard === 'rfc5424' && framing === 'octets' ? message : message.replaceAll('\n', ' ');
}

const cases = (['rfc5424', 'rfc3164'] as const).flatMap((standard) =>
  (['octets', 'line'] as const).flatMap((framing) =>
    [false, true].map((secure) => ({ standard, framing, secure, title: `${standard}, ${framing}${secure ? ', TLS' : ''}` })),
  ),
);

function certificates(secure: boolean): { readonly authority?: Certificate; readonly certificate?: Certificate } {
  if (!secure) return {};
  const authority = makeCertificate({ name: 'authority', authority: true });
  return { authority, certificate: makeCertificate({ name: 'localhost', issuer: authority }) };
}

function seenByRsyslog(standard: Standard, framing: Framing): readonly Received[] {
  return input.map(({ timestamp, hostname, appname, procid, msgid, message }, n) => ({
    pri: String(21 * 8 + 3),
    timereported: standard === 'rfc5424' ? timestamp : timestamp.slice(0, 19),
    hostname,
    'app-name': appname,
    procid,
    msgid: standard === 'rfc5424' ? msgid : '-',
    'structured-data': standard === 'rfc5424' ? `[seen@32473 by="a \\"b\\" \\] c" n="${n}"]` : '-',
    msg: textOf(message, standard, framing),
  }));
}

for (const { standard, framing, secure, title } of cases) {
  test(`rsyslog reads what the sink sends: ${title}`, { skip: noRsyslog }, async (t) => {
    const { authority, certificate } = certificates(secure);
    const server = await startRsyslog(t, authority && certificate ? { authority: authority.certificate, certificate } : {});
    await send(t, { port: server.ports.tcp, standard, framing }, authority);
    const rows = (await arrived(server)).map((row) => ({
      ...row,
      // It keeps the blank behind the tag, and says in which zone it is itself.
      msg: row.msg!.replace(/^ /, ''),
      timereported: standard === 'rfc5424' ? row.timereported : row.timereported!.slice(0, 19),
    }));
    assert.deepEqual(rows, seenByRsyslog(standard, framing), server.log);
  });
}

for (const standard of ['rfc5424', 'rfc3164'] as const) {
  test(`rsyslog reads what the sink sends: ${standard} over UDP`, { skip: noRsyslog }, async (t) => {
    const server = await startRsyslog(t);
    await send(t, { proto: 'udp', port: server.ports.udp, standard });
    const numbers = (await arrived(server)).map(({ msg }) => Number.parseInt(msg!, 10));
    assert.deepEqual(
      numbers.sort((a, b) => a - b),
      input.map((_, n) => n),
    );
  });
}

/** Its driver for what is counted, and the one for lines. */
function syslogNgSource(standard: Standard, framing: Framing, secure: boolean): string {
  const tls = 'transport("tls") tls(key-file("server.key") cert-file("server.pem") peer-verify(optional-untrusted))';
  const at = `ip("127.0.0.1") port(PORT) ${secure ? tls : 'transport("tcp")'}`;
  if (framing === 'octets') return `syslog(${at})`;
  return `network(${at}${standard === 'rfc5424' ? ' flags(syslog-protocol)' : ''})`;
}

for (const { standard, framing, secure, title } of cases) {
  test(`syslog-ng reads what the sink sends: ${title}`, { skip: noSyslogNg }, async (t) => {
    const { authority, certificate } = certificates(secure);
    const files = certificate ? { 'server.pem': certificate.certificate, 'server.key': certificate.key } : {};
    const server = await startSyslogNg(t, { source: syslogNgSource(standard, framing, secure), files });
    await send(t, { port: server.ports.tcp, standard, framing }, authority);
    const rows = (await arrived(server)).map((row) => ({ ...row, timestamp: row.timestamp!.slice(0, 19) }));
    const expected = input.map(({ facility, severity, timestamp, hostname, appname, procid, msgid, message }, n) => ({
      facility,
      severity,
      timestamp: timestamp.slice(0, 19),
      hostname,
      appname,
      procid,
      message: textOf(message, standard, framing),
      msgid: standard === 'rfc5424' ? msgid : '',
      ...(standard === 'rfc5424' ? { _SDATA: { 'seen@32473': { by: 'a "b" ] c', n: String(n) } } } : {}),
    }));
    assert.deepEqual(rows, expected, server.log);
  });
}
