import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../spec/plan.ts';
import { run } from '../testing.ts';
import parse from './spec.ts';

/** The batch's time is 2023-11-14T22:13:20Z. */
async function read(message: string, given: Readonly<Record<string, Json>> = {}): Promise<unknown> {
  const settings = { column: 'm', format: 'syslog', remove_column: true, ...given };
  const { rows, rejections } = await run(parse, settings, `${JSON.stringify({ m: message })}\n`);
  return rejections[0]?.reason ?? rows[0];
}

const priority = (number: number, facility: string, severity: string): object => ({ priority: number, facility, severity });

test('RFC 5424 with structured data and a byte order mark', async () => {
  const message =
    '<165>1 2003-10-11T22:14:15.003Z host.example evntslog 12 ID47 [ex@32473 iut="3" source="App\\]\\" \\\\\\n"][b x="é"][c] \ufeffAn event\n';
  assert.deepEqual(await read(message), {
    ...priority(165, 'local4', 'notice'),
    version: 1,
    timestamp: '2003-10-11T22:14:15.003Z',
    hostname: 'host.example',
    appname: 'evntslog',
    procid: '12',
    msgid: 'ID47',
    structured_data: { 'ex@32473': { iut: '3', source: 'App]" \\\\n' }, b: { x: 'é' }, c: {} },
    message: 'An event',
  });
});

test('RFC 5424 where nearly nothing is said', async () => {
  assert.deepEqual(await read('<13>1 - - - - - -'), { ...priority(13, 'user', 'notice'), version: 1 });
  assert.deepEqual(await read('<0>1 - - - - - - '), { ...priority(0, 'kern', 'emerg'), version: 1, message: '' });
});

test('RFC 5424 that is not right', async () => {
  const cases: [string, string][] = [
    ['<13>1 - - - - -', 'column "m" is no whole RFC 5424 header, at byte 16'],
    ['<13>1 2003-10-11 - - - - -', 'column "m" has no time where one is expected, at byte 7'],
    ['<13>1 2003-13-11T00:00:00Z - - - - -', 'column "m" has no time where one is expected, at byte 7'],
    ['<13>1 -  - - - -', 'column "m" is no whole RFC 5424 header, at byte 9'],
    ['<13>1 - - - - - [a', 'column "m" has structured data that is not well formed, at byte 19'],
    ['<13>1 - - - - - [a b="c]', 'column "m" has structured data that is not well formed, at byte 22'],
    ['<13>1 - - - - - [a b=c] x', 'column "m" has structured data that is not well formed, at byte 21'],
    ['<13>1 - - - - - [a]x', 'column "m" has structured data that is not well formed, at byte 20'],
  ];
  for (const [message, reason] of cases) assert.equal(await read(message), reason);
  const strict = { syslog: { standard: 'rfc5424' } };
  assert.equal(
    await read('Oct 11 22:14:15 h a: x', strict),
    'column "m" does not begin with a priority, expected one such as <13>, at byte 1',
  );
  assert.equal(await read('<13>Oct 11 22:14:15 h a: x', strict), 'column "m" is no whole RFC 5424 header, at byte 5');
});

test('RFC 3164 and what is sent as such', async () => {
  const common = { timestamp: '2023-10-11T22:14:15Z', hostname: 'h' };
  const cases: [string, object][] = [
    [
      '<34>Oct 11 22:14:15 h su[123]: failed',
      { ...priority(34, 'auth', 'crit'), ...common, appname: 'su', procid: '123', message: 'failed' },
    ],
    ['Oct 11 22:14:15 h kernel: [ 1.2] x', { ...common, appname: 'kernel', message: '[ 1.2] x' }],
    ['Oct 11 22:14:15 h no tag here', { ...common, message: 'no tag here' }],
    ['Oct 11 22:14:15 su: no host', { timestamp: common.timestamp, appname: 'su', message: 'no host' }],
    ['Oct 11 22:14:15.25 h a: x', { ...common, timestamp: '2023-10-11T22:14:15.250Z', appname: 'a', message: 'x' }],
    ['Oct 11 22:14:15 2021 h a: x', { timestamp: '2021-10-11T22:14:15Z', hostname: 'h', appname: 'a', message: 'x' }],
    ['Mon Oct 11 22:14:15 2021 h a: x', { timestamp: '2021-10-11T22:14:15Z', hostname: 'h', appname: 'a', message: 'x' }],
    ['2021 Oct 11 22:14:15 h a: x', { timestamp: '2021-10-11T22:14:15Z', hostname: 'h', appname: 'a', message: 'x' }],
    ['Oct 11 22:14:15 2001:db8::1 a: x', { timestamp: common.timestamp, hostname: '2001:db8::1', appname: 'a', message: 'x' }],
    ['*Oct 11 2021 22:14:15: %SYS-5: x', { timestamp: '2021-10-11T22:14:15Z', appname: '%SYS-5', message: 'x' }],
    [
      '2023-10-11T22:14:15.5+02:00 h a[b c]: x',
      { ...common, timestamp: '2023-10-11T20:14:15.500Z', appname: 'a', procid: 'b c', message: 'x' },
    ],
    ['Jan  3 01:02:03 h a:', { timestamp: '2023-01-03T01:02:03Z', hostname: 'h', appname: 'a', message: '' }],
    ['Oct 11 22:14:15', { timestamp: common.timestamp, message: '' }],
  ];
  for (const [message, expected] of cases) assert.deepEqual(await read(message), expected, message);
  assert.equal(await read('<13>hello'), 'column "m" has no time where one is expected, at byte 5');
  assert.equal(await read('<13>Feb 30 00:00:00 h x'), 'column "m" has no time where one is expected, at byte 5');
});

test('what Cisco devices send', async () => {
  const time = { timestamp: '2023-10-11T22:14:15.123Z' };
  const tag = { appname: '%SYS-5-CONFIG_I', msgid: 'CONFIG_I', message: 'Configured' };
  const text = '%SYS-5-CONFIG_I: Configured';
  const header = priority(189, 'local7', 'notice');
  const cases: [string, object][] = [
    [`<189>29: *Oct 11 22:14:15.123: ${text}`, { ...header, sequence: 29, ...time, ...tag }],
    [`<189>000029: .Oct 11 22:14:15.123 UTC: ${text}`, { ...header, sequence: 29, ...time, ...tag }],
    [`<189>29: r1: Oct 11 22:14:15.123: ${text}`, { ...header, sequence: 29, hostname: 'r1', ...time, ...tag }],
    [`<189>29: r1: 000123: Oct 11 22:14:15.123: ${text}`, { ...header, sequence: 29, hostname: 'r1', ...time, ...tag }],
    [`<189>${text}`, { ...header, ...tag }],
    [`<189>29: ${text}`, { ...header, sequence: 29, ...tag }],
    [`<189>: 2023 Oct 11 22:14:15.123 UTC: ${text}`, { ...header, ...time, ...tag }],
    [`Oct 11 22:14:15.123: ${text}`, { severity: 'notice', ...time, ...tag }],
    [
      '<166>Oct 11 2021 22:14:15 asa : %ASA-6-302013: Built',
      {
        ...priority(166, 'local4', 'info'),
        timestamp: '2021-10-11T22:14:15Z',
        hostname: 'asa',
        appname: '%ASA-6-302013',
        msgid: '302013',
        message: 'Built',
      },
    ],
  ];
  for (const [message, expected] of cases) assert.deepEqual(await read(message), expected, message);
  const zone = { syslog: { timezone: 'Europe/Paris' } };
  assert.deepEqual(await read(`Oct 11 22:14:15.123 CEST: ${text}`, zone), {
    severity: 'notice',
    timestamp: '2023-10-11T20:14:15.123Z',
    ...tag,
  });
});

test('a time without year was before now, or is at most a month ahead', async () => {
  const cases: [string, string | undefined][] = [
    ['Nov 14 22:13:21', '2023-11-14T22:13:21Z'],
    ['Feb  5 17:32:18', '2023-02-05T17:32:18Z'],
    ['Jan  1 00:00:00', '2023-01-01T00:00:00Z'],
    ['Dec 15 12:00:00', '2023-12-15T12:00:00Z'],
    ['Dec 16 12:00:00', '2022-12-16T12:00:00Z'],
    ['Feb 29 12:00:00', '2020-02-29T12:00:00Z'],
    ['Feb 30 12:00:00', undefined],
  ];
  for (const [time, expected] of cases) {
    const row = (await read(`<13>${time} host app: x`, { syslog: { lenient: true } })) as { readonly timestamp?: string };
    assert.equal(row.timestamp, expected, time);
  }
});

test('a zone by name has the offset of the time of year', async () => {
  const at = async (message: string): Promise<unknown> =>
    ((await read(message, { syslog: { timezone: 'Europe/Paris' } })) as { timestamp: string }).timestamp;
  assert.equal(await at('Oct 29 01:59:59 h a: x'), '2023-10-28T23:59:59Z');
  assert.equal(await at('Oct 29 03:00:00 h a: x'), '2023-10-29T02:00:00Z');
  assert.equal(await at('Mar 25 12:00:00 h a: x'), '2023-03-25T11:00:00Z');
  assert.equal(await at('Mar 26 12:00:00 h a: x'), '2023-03-26T10:00:00Z');
  assert.equal(await at('Feb 29 12:00:00 h a: x'), '2020-02-29T11:00:00Z');
  assert.equal(await at('Jul 1 2019 12:00:00 h a: x'), '2019-07-01T10:00:00Z');
  assert.equal(await at('Jan 1 2019 12:00:00 h a: x'), '2019-01-01T11:00:00Z');
  assert.match(
    (await read('x', { syslog: { timezone: 'Mars/Olympus' } }).catch((error: Error) => error.message)) as string,
    /Mars/,
  );
});

test('a lenient reader takes what it can', async () => {
  const lenient = { syslog: { lenient: true } };
  assert.deepEqual(await read('<34>hello there', lenient), { ...priority(34, 'auth', 'crit'), message: 'hello there' });
  assert.deepEqual(await read('hello', lenient), { message: 'hello' });
  assert.deepEqual(await read('<34>1 nonsense', lenient), { ...priority(34, 'auth', 'crit'), message: '1 nonsense' });
  assert.deepEqual(await read('<999>x', lenient), { message: '<999>x' });
});

test('times without an offset are taken in the zone that is set', async () => {
  const { timestamp } = (await read('Oct 11 22:14:15 h a: x', { syslog: { utc_offset: '+02:00' } })) as { timestamp: string };
  assert.equal(timestamp, '2023-10-11T20:14:15Z');
});

test('only the declared columns are made', async () => {
  const columns = [{ name: 'message' }, { name: 'severity' }, { name: 'procid', type: 'int' }];
  assert.deepEqual(await read('<34>Oct 11 22:14:15 h su[123]: x', { columns }), { severity: 'crit', procid: 123, message: 'x' });
});

test('a message column is replaced by the message in it', async () => {
  const { rows } = await run(
    parse,
    { column: 'message', format: 'syslog', columns: [{ name: 'message' }], remove_column: true },
    '{"message":"Oct 11 22:14:15 h a: x"}\n',
  );
  assert.deepEqual(rows, [{ message: 'x' }]);
});
