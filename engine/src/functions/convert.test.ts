import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../spec/plan.ts';
import convert from './convert.ts';
import { run } from './testing.ts';

type Given = Readonly<Record<string, Json>>;

test('columns are converted by the matrix, exactly', async () => {
  const { text, rejections } = await run(
    convert,
    { columns: { a: 'int', b: 'double', c: 'string', d: 'bool' } },
    '{"a":"9007199254740993","b":"1.50","c":9007199254740993,"d":1,"e":0}\n{"a":null}\n{"a":1.0,"c":true}\n',
  );
  assert.deepEqual(rejections, []);
  assert.equal(text, '{"a":9007199254740993,"b":1.50,"c":"9007199254740993","d":true,"e":0}\n{"a":null}\n{"a":1,"c":"true"}\n');
});

test('on_error says what becomes of values that cannot be converted', async () => {
  const rows = '{"a":"x","b":"1"}\n{"a":"2","b":[]}\n';
  const given = { columns: { a: 'integer', b: 'integer' } };
  const rejected = await run(convert, given, rows);
  assert.deepEqual(rejected.rejections, [
    { row: 0, reason: 'column "a" is "x" (string), expected integer' },
    { row: 1, reason: 'column "b" is [] (list), expected integer' },
  ]);
  assert.equal((await run(convert, { ...given, on_error: 'keep' }, rows)).text, '{"a":"x","b":1}\n{"a":2,"b":[]}\n');
  assert.equal((await run(convert, { ...given, on_error: 'set_null' }, rows)).text, '{"a":null,"b":1}\n{"a":2,"b":null}\n');
});

/** What the time `value` becomes; the reason when it is refused. The batch's time is 2023-11-14T22:13:20Z. */
async function time(value: unknown, given: Given): Promise<unknown> {
  const { rows, rejections } = await run(convert, { times: [{ column: 't', ...given }] }, `${JSON.stringify({ t: value })}\n`);
  return rejections[0]?.reason ?? (rows[0] as { t: unknown }).t;
}

test('times are read by their format', async () => {
  const cases: [unknown, string, string][] = [
    ['2024-02-29T12:34:56Z', 'iso', '2024-02-29T12:34:56Z'],
    ['2024-02-29 12:34', 'iso', '2024-02-29T12:34:00Z'],
    ['2024-02-29', 'iso', '2024-02-29T00:00:00Z'],
    ['2024-02-29t12:34:56,5-05:30', 'iso', '2024-02-29T18:04:56.500Z'],
    ['1969-12-31T23:59:59.999999999Z', 'iso', '1969-12-31T23:59:59.999999999Z'],
    ['0000-01-01T00:00:00Z', 'iso', '0000-01-01T00:00:00Z'],
    ['2016-12-31T23:59:60Z', 'iso', '2017-01-01T00:00:00Z'],
    [0, 'epoch_s', '1970-01-01T00:00:00Z'],
    [-0.5, 'epoch_s', '1969-12-31T23:59:59.500Z'],
    ['1700000000.25', 'epoch_s', '2023-11-14T22:13:20.250Z'],
    [1700000000123, 'epoch_ms', '2023-11-14T22:13:20.123Z'],
    [1700000000123.5, 'epoch_ms', '2023-11-14T22:13:20.123500Z'],
    [-1, 'epoch_us', '1969-12-31T23:59:59.999999Z'],
    ['1700000000123456789', 'epoch_ns', '2023-11-14T22:13:20.123456789Z'],
    ['10/Oct/2000:13:55:36 -0700', 'apache', '2000-10-10T20:55:36Z'],
    ['Tue, 01 Jul 2003 10:52:37 +0200', 'rfc2822', '2003-07-01T08:52:37Z'],
    ['Oct  1 22:14:15', 'syslog', '2023-10-01T22:14:15Z'],
    ['Feb 29 00:00:00', 'syslog', '2020-02-29T00:00:00Z'],
    ['31/12/99 11:05 PM', '%d/%m/%y %I:%M %p', '1999-12-31T23:05:00Z'],
    ['12 am 1 january 2024', '%I %p %d %B %Y', '2024-01-01T00:00:00Z'],
    ['2024-366 07:08:09.5', '%Y-%j %H:%M:%S.%f', '2024-12-31T07:08:09.500Z'],
    ['le 5 à 2024-03', 'le %d à %Y-%m', '2024-03-05T00:00:00Z'],
    ['100% 2024-03-05 GMT', '100%% %F %Z', '2024-03-05T00:00:00Z'],
  ];
  for (const [value, from, expected] of cases)
    assert.equal(await time(value, { from: [from] }), expected, `${String(value)} ${from}`);
});

test('what is no time is refused with the formats that were tried', async () => {
  const cases: [unknown, string][] = [
    ['2023-02-29T00:00:00Z', '"2023-02-29T00:00:00Z", expected a time as iso or %d.%m.%Y'],
    ['2023-01-01T24:00:00Z', '"2023-01-01T24:00:00Z", expected a time as iso or %d.%m.%Y'],
    ['2023-01-01T00:00:00Zx', '"2023-01-01T00:00:00Zx", expected a time as iso or %d.%m.%Y'],
    ['32.01.2023', '"32.01.2023", expected a time as iso or %d.%m.%Y'],
    ['', '"", expected a time as iso or %d.%m.%Y'],
    [true, '"true", expected a time as iso or %d.%m.%Y'],
  ];
  for (const [value, reason] of cases) assert.equal(await time(value, { from: ['iso', '%d.%m.%Y'] }), `column "t" is ${reason}`);
  assert.equal(await time('2300-01-01', { to: 'epoch_ns' }), 'column "t" is "2300-01-01", which epoch_ns cannot hold');
  assert.equal(await time('9999999999999', { from: ['epoch_s'] }), 'column "t" is "9999999999999", expected a time as epoch_s');
});

test('times are written in every form', async () => {
  const at = '2024-02-05T15:04:09.0625Z';
  const cases: [string, unknown][] = [
    ['iso', '2024-02-05T15:04:09.062500Z'],
    ['epoch_s', 1707145449],
    ['epoch_ms', 1707145449062],
    ['epoch_us', 1707145449062500],
    ['%Y/%m/%d %I:%M %p %j %a %b %y %f %Z %z %%', '2024/02/05 03:04 PM 036 Mon Feb 24 062500 UTC +0000 %'],
    ['apache', '05/Feb/2024:15:04:09 +0000'],
  ];
  for (const [to, expected] of cases) assert.equal(await time(at, { to }), expected, to);
  const { text } = await run(convert, { times: [{ column: 't', to: 'epoch_ns' }] }, `{"t":"${at}"}\n`);
  assert.equal(text, '{"t":1707145449062500000}\n');
});

test('clocks without an offset are in the zone that is set, summer time included', async () => {
  const cases: [string, string, string][] = [
    ['2024-07-01T12:00', '+02:00', '2024-07-01T10:00:00Z'],
    ['2024-07-01T12:00', '-05:30', '2024-07-01T17:30:00Z'],
    ['2024-07-01T12:00', 'Europe/Paris', '2024-07-01T10:00:00Z'],
    ['2024-01-01T12:00', 'Europe/Paris', '2024-01-01T11:00:00Z'],
    ['2024-01-01T12:00Z', 'Europe/Paris', '2024-01-01T12:00:00Z'],
    ['2024-10-27T02:30', 'Europe/Paris', '2024-10-27T00:30:00Z'],
    ['2024-03-31T02:30', 'Europe/Paris', '2024-03-31T01:30:00Z'],
    ['2024-07-01T12:00', 'Asia/Kolkata', '2024-07-01T06:30:00Z'],
  ];
  for (const [value, zone, expected] of cases) assert.equal(await time(value, { zone }), expected, `${value} ${zone}`);
});

test('a time goes to a column of its own, absent and null stay', async () => {
  const times = [{ column: 't', to: 'epoch_s', to_column: 'at' }];
  const { text } = await run(convert, { times }, '{"t":"1970-01-01"}\n{"t":null,"at":5}\n{"at":6}\n');
  assert.equal(text, '{"t":"1970-01-01","at":0}\n{"t":null,"at":null}\n{"at":6}\n');
});

test('times come back as they went, as JavaScript reads and writes them', async () => {
  const formats = ['iso', 'epoch_ms', '%Y-%m-%d %H:%M:%S.%f %z', '%a %d %b %Y %I:%M:%S.%f %p %Z', '%j %Y %T.%f'];
  const date = fc.date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true });
  await fc.assert(
    fc.asyncProperty(fc.array(date, { minLength: 1, maxLength: 8 }), fc.constantFrom(...formats), async (dates, format) => {
      const rows = dates.map((at) => `${JSON.stringify({ t: at.toISOString(), ms: at.getTime() })}\n`).join('');
      const there = [{ column: 't', to: format, to_column: 'x' }];
      const back = [{ column: 'x', from: [format], to: 'epoch_ms' }];
      const { text } = await run(convert, { times: [...there, ...back] }, rows);
      for (const line of text.trim().split('\n')) {
        const row = JSON.parse(line) as { x: number; ms: number };
        assert.equal(row.x, row.ms, line);
      }
    }),
    { numRuns: 100 },
  );
});

test('formats and zones that are none are refused, with the place', () => {
  const messages = (times: object[], columns = {}): string[] =>
    convert.check!({
      columns,
      times: times.map((one) => ({ column: 't', from: ['iso'], to: 'iso', zone: 'UTC', ...one })),
    } as never).map(({ message }) => message);
  assert.match(
    messages([{ from: ['%Y-%Q'] }])[0]!,
    /^times\[0\]\.from\[0\] is "%Y-%Q", where %Q at place 4 is unknown, expected %Y /,
  );
  assert.match(
    messages([{ from: ['iso', 'ISO'] }])[0]!,
    /^times\[0\]\.from\[1\] is "ISO", expected iso, epoch_s, .* or a pattern such as/,
  );
  assert.match(messages([{ from: ['%H:%M'] }])[0]!, /says no date/);
  assert.match(messages([{ from: ['%Y-%m-%d %I:%M'] }])[0]!, /one of %I and %p/);
  assert.deepEqual(messages([{ zone: 'Mars/Base' }]), [
    'times[0].zone is "Mars/Base", expected UTC, an offset such as +02:00, or the name of a zone such as Europe/Paris',
  ]);
  assert.deepEqual(messages([{}], { t: 'int' }), [
    'times[0].to_column is "t", which stands in columns as well, expected one of both',
  ]);
  assert.deepEqual(messages([]), ['has nothing to convert, expected columns or times']);
});
