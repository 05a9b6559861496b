import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../spec/plan.ts';
import { run } from '../testing.ts';
import { grokProblem } from './grok.ts';
import { grokPatterns } from './grok-patterns.ts';
import parse from './spec.ts';

type Given = Readonly<Record<string, Json>>;

async function read(grok: Given, texts: readonly unknown[], given: Given = {}): Promise<unknown[]> {
  const settings = { column: 'm', format: 'grok', remove_column: true, grok, ...given };
  const { rows, rejections } = await run(parse, settings, texts.map((m) => `${JSON.stringify({ m })}\n`).join(''));
  const reasons = new Map(rejections.map(({ row, reason }) => [row, reason]));
  return texts.map((_, i) => reasons.get(i) ?? rows.shift());
}

test('patterns become columns with their types', async () => {
  const patterns = ['^%{IP:[source][ip]} %{WORD:verb} %{NUMBER:took:float} (?P<rest>.*)$'];
  assert.deepEqual(await read({ patterns }, ['192.0.2.1 GET 0.50 é "x"', '::1 GET 7 ', 'x GET 7 y', 5]), [
    { 'source.ip': '192.0.2.1', verb: 'GET', took: 0.5, rest: 'é "x"' },
    { 'source.ip': '::1', verb: 'GET', took: 7, rest: '' },
    'column "m" matches no pattern',
    'column "m" is an integer, expected text',
  ]);
});

test('the first pattern that matches counts, and of a field the group that took part', async () => {
  const patterns = ['^(?:a=%{INT:n:int}|b=%{INT:n:int})$', '^%{TWICE}$', '%{INT:inside}'];
  const definitions = { TWICE: '%{WORD:w} %{WORD:w2}' };
  assert.deepEqual(await read({ patterns, definitions }, ['a=1', 'b=2', 'x y', 'c=-3;']), [
    { n: 1 },
    { n: 2 },
    { w: 'x', w2: 'y' },
    { inside: '-3' },
  ]);
});

test('only the declared columns are made, with the declared types', async () => {
  const columns = [{ name: 'n', type: 'string' }];
  assert.deepEqual(await read({ patterns: ['%{INT:n:int} %{WORD:w}'] }, ['1 x'], { columns }), [{ n: '1' }]);
});

test('lines of web servers and of syslog', async () => {
  const line = '192.0.2.1 - jo [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 - "http://x/" "Mozilla/4.08 [en]"';
  assert.deepEqual(await read({ patterns: ['^%{COMBINEDAPACHELOG}$'] }, [line]), [
    {
      'source.address': '192.0.2.1',
      'user.name': 'jo',
      timestamp: '10/Oct/2000:13:55:36 -0700',
      'http.request.method': 'GET',
      'url.original': '/a.gif',
      'http.version': '1.0',
      'http.response.status_code': 200,
      'http.request.referrer': 'http://x/',
      'user_agent.original': 'Mozilla/4.08 [en]',
    },
  ]);
  const header = '^<%{POSINT:priority:int}>%{SYSLOGTIMESTAMP:at} %{HOSTNAME:host} %{SYSLOGPROG}: %{GREEDYDATA:rest}';
  assert.deepEqual(await read({ patterns: [header] }, ['<14>Oct  1 22:14:15 web-1.example su[12]: hello']), [
    { priority: 14, at: 'Oct  1 22:14:15', host: 'web-1.example', 'process.name': 'su', 'process.pid': 12, rest: 'hello' },
  ]);
});

test('lines of programs, with the names that Logstash gives their parts', async () => {
  const cases: [pattern: string, line: string, row: object][] = [
    [
      '%{SYSLOGBASE} %{GREEDYDATA:rest}',
      'Nov 12 13:36:02 host sshd[123]: Failed password for root',
      {
        timestamp: 'Nov 12 13:36:02',
        'host.hostname': 'host',
        'process.name': 'sshd',
        'process.pid': 123,
        rest: 'Failed password for root',
      },
    ],
    [
      '^%{SYSLOGLINE}$',
      '2024-11-12T13:36:02.5+01:00 h app: x: y',
      { timestamp: '2024-11-12T13:36:02.5+01:00', 'host.hostname': 'h', 'process.name': 'app', message: 'x: y' },
    ],
    [
      '^%{CRONLOG}$',
      'Nov 12 13:17:01 host CRON[1234]: (root) CMD (run-parts /etc/cron.hourly)',
      {
        timestamp: 'Nov 12 13:17:01',
        'host.hostname': 'host',
        'process.name': 'CRON',
        'process.pid': 1234,
        'user.name': 'root',
        'system.cron.action': 'CMD',
        message: 'run-parts /etc/cron.hourly',
      },
    ],
    [
      '^%{SYSLOG5424LINE}$',
      '<165>1 2003-10-11T22:14:15.003Z host.example evntslog - ID47 [ex@32473 a="]\\" b"][y] An event',
      {
        'log.syslog.priority': 165,
        'system.syslog.version': '1',
        timestamp: '2003-10-11T22:14:15.003Z',
        'host.hostname': 'host.example',
        'process.name': 'evntslog',
        'event.code': 'ID47',
        'system.syslog.structured_data': '[ex@32473 a="]\\" b"][y]',
        message: 'An event',
      },
    ],
    [
      '^%{HTTPD_ERRORLOG}$',
      '[Tue Nov 12 13:36:02.123456 2024] [core:error] [pid 12:tid 34] [client 192.0.2.1:5555] AH00126: Invalid URI',
      {
        timestamp: 'Tue Nov 12 13:36:02.123456 2024',
        'apache.error.module': 'core',
        'log.level': 'error',
        'process.pid': 12,
        'process.thread.id': 34,
        'source.address': '192.0.2.1',
        'source.port': 5555,
        'error.code': 'AH00126',
        message: 'Invalid URI',
      },
    ],
    [
      '^%{HTTPD_ERRORLOG}$',
      '[Tue Nov 12 13:36:02 2024] [error] [client 192.0.2.1] File does not exist',
      {
        timestamp: 'Tue Nov 12 13:36:02 2024',
        'log.level': 'error',
        'source.address': '192.0.2.1',
        message: 'File does not exist',
      },
    ],
    [
      '^%{JAVASTACKTRACEPART}$',
      '\tat org.example.Main$1.<init>(Main.java:42)',
      {
        'java.log.origin.class.name': 'org.example.Main$1',
        'log.origin.function': '<init>',
        'log.origin.file.name': 'Main.java',
        'log.origin.file.line': 42,
      },
    ],
  ];
  for (const [pattern, line, row] of cases) assert.deepEqual(await read({ patterns: [pattern] }, [line]), [row], pattern);
});

test('every known pattern can be put together and matches what it is for', async () => {
  const cases: Record<string, string> = {
    BASE16FLOAT: '0x1F.8',
    CISCOMAC: '001b.4411.3ab7',
    COMMONMAC: '00:1b:44:11:3a:b7',
    DATESTAMP_EVENTLOG: '20241112133602',
    DATESTAMP_OTHER: 'Tue Nov 12 13:36:02 UTC 2024',
    DATESTAMP_RFC822: 'Tue Nov 12 2024 13:36:02 GMT',
    DATESTAMP_RFC2822: 'Tue, 12 Nov 2024 13:36:02 +0100',
    HTTPDERROR_DATE: 'Tue Nov 12 13:36:02.1 2024',
    JAVACLASS: 'com.example.Foo$Bar',
    TTY: '/dev/pts/8',
    URIQUERY: 'a=1&b=2',
    URN: 'urn:isbn:0451450523',
    WINDOWSMAC: '00-1b-44-11-3a-b7',
    IPV6: '2001:db8::1',
    MAC: '00:1b:44:11:3a:b7',
    HOSTPORT: 'example.org:80',
    EMAILADDRESS: 'jo.doe@example.org',
    UUID: '123e4567-e89b-12d3-a456-426614174000',
    QUOTEDSTRING: '"a \\" b"',
    BASE16NUM: '-0x1F',
    UNIXPATH: '/var/log/x.log',
    WINPATH: 'C:\\dir\\file.txt',
    URI: 'https://jo:pw@example.org:8080/a/b?x=1&y=[2]',
    TIMESTAMP_ISO8601: '2024-02-29T12:34:56.789+02:00',
    HTTPDATE: '10/Oct/2000:13:55:36 -0700',
    DATESTAMP: '10.12.2024 13:55:36',
    LOGLEVEL: 'Warning',
    DAY: 'Wednesday',
    MONTH: 'september',
  };
  for (const [name, pattern] of Object.entries(grokPatterns)) assert.equal(grokProblem(pattern, {}), undefined, name);
  for (const [name, text] of Object.entries(cases)) {
    assert.deepEqual(await read({ patterns: [`^%{${name}:x}$`] }, [text]), [{ x: text }], name);
  }
});

test('IP matches addresses and nothing more', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { minLength: 1, maxLength: 5 }), async (addresses) => {
      assert.deepEqual(
        await read({ patterns: ['^%{IP:x}$'] }, addresses),
        addresses.map((x) => ({ x })),
      );
    }),
    { numRuns: 60 },
  );
  const wrong = ['256.1.1.1', '1.2.3', '1:2:3', '::1::', 'fffff::', '1.2.3.4.5'];
  assert.deepEqual(
    await read({ patterns: ['^%{IP:x}$'] }, wrong),
    wrong.map(() => 'column "m" matches no pattern'),
  );
});

test('lines made to backtrack take no longer than others', async () => {
  const cases: [string, string][] = [
    ['^(?:a+)+$', `${'a'.repeat(50_000)}!`],
    ['^(?:a|a)*b$', 'a'.repeat(50_000)],
    ['^(.*)*=(.*)*$', 'x'.repeat(20_000)],
    ['^%{DATA:a} %{DATA:b} %{DATA:c} %{DATA:d} end$', 'x '.repeat(20_000)],
    ['%{GREEDYDATA:a}%{GREEDYDATA:b}%{GREEDYDATA:c}!$', 'y'.repeat(20_000)],
    ['^%{EMAILADDRESS:a}$', `${'a.'.repeat(20_000)}@`],
    ['^%{QUOTEDSTRING:a}$', `"${'\\\\'.repeat(20_000)}`],
  ];
  for (const [pattern, text] of cases) {
    const before = process.cpuUsage();
    assert.deepEqual(await read({ patterns: [pattern] }, [text]), ['column "m" matches no pattern'], pattern);
    const { user } = process.cpuUsage(before);
    assert.ok(user < 5_000_000, `${pattern}: ${user} µs`);
  }
});

test('texts that are too long are not looked at', async () => {
  assert.deepEqual(await read({ patterns: ['x'], max_text_bytes: 4 }, ['xxxx', 'xéxx']), [
    {},
    'column "m" is longer than grok.max_text_bytes allows',
  ]);
});

test('what is wrong with a pattern is said with its place', () => {
  const cases: [string, string][] = [
    ['%{IP:x} (?<!a)b', 'at place 9 stands look-around or an atomic group, which need backtracking'],
    ['%{IP:x} (a', 'at place 9 stands a ( that is not closed'],
    ['%{WORD:x} a{3,1}', 'at place 12 stands a repetition whose bounds are the wrong way round'],
    [
      'a %{IPP:x}',
      'at place 3 %{IPP:x} names no pattern (did you mean IP?), expected one of definitions or a known one such as IP, NUMBER or DATA',
    ],
    ['a %{IP:x', 'at place 3 %{ is not closed, expected %{NAME} or %{NAME:field}'],
    ['%{IP:}', 'at place 1 %{IP:} has no field behind the colon'],
    ['%{IP:a:int:b}', 'at place 1 %{IP:a:int:b} has too many parts, expected %{NAME:field:type}'],
    ['%{A}', 'at place 1 begins what cannot be put together: its definitions name each other in a circle, or too deep'],
  ];
  for (const [pattern, problem] of cases) {
    assert.equal(grokProblem(pattern, { A: '%{B}', B: '%{A}' }), `is ${JSON.stringify(pattern)}, where ${problem}`);
  }
  assert.match(
    grokProblem('%{IP:a:whole}', {})!,
    /at place 1 %\{IP:a:whole\} has the type "whole", expected one of any, string, integer/,
  );
});

test('settings that cannot work are refused', () => {
  const messages = (given: object): string[] =>
    parse.check!({ format: 'grok', prefix: '', ...given } as never).map(({ message }) => message);
  assert.deepEqual(messages({}), ['has format grok but no grok, expected its patterns']);
  const grok = { patterns: ['%{INT:a}', '%{X}'], definitions: {}, max_text_bytes: 1 };
  assert.match(messages({ grok })[0]!, /^grok\.patterns\[1\] is "%\{X\}", where at place 1 %\{X\} names no pattern/);
  assert.deepEqual(messages({ grok: { ...grok, patterns: ['%{INT:a}'] }, columns: [{ name: 'b' }] }), [
    'columns[0].name is "b", which no pattern gives, expected one of a',
  ]);
  assert.match(
    messages({ grok: { ...grok, patterns: ['x'], definitions: { D: '(' } } })[0]!,
    /^grok\.definitions\.D is "\(", where at place 1/,
  );
});
