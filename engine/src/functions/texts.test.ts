import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FunctionSpec } from '../spec/function.ts';
import type { Json } from '../spec/plan.ts';
import anonymizeIp from './anonymize-ip.ts';
import hash from './hash.ts';
import mask from './mask.ts';
import template from './template.ts';
import { run } from './testing.ts';

type Given = Readonly<Record<string, Json>>;

/** What column `a` becomes for each of the values. */
async function changed(spec: FunctionSpec, given: Given, values: readonly unknown[]): Promise<unknown[]> {
  const { rows, rejections } = await run(
    spec,
    { columns: ['a'], ...given },
    values.map((a) => `${JSON.stringify({ a })}\n`).join(''),
  );
  assert.deepEqual(rejections, []);
  return rows.map((row) => (row as { a: unknown }).a);
}

const messages = (spec: FunctionSpec, given: object): string[] =>
  (spec.check?.(given as never) ?? []).map(({ message }) => message);
const anyText = fc.string({ unit: 'grapheme', maxLength: 200 }).map((text) => text.toWellFormed());

test('hash is SHA-256 and HMAC as crypto has them, for keys and texts of any length', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyText, { maxLength: 5 }),
      fc.option(fc.string({ minLength: 1, maxLength: 150 })),
      async (texts, key) => {
        const digest = key === null ? () => createHash('sha256') : () => createHmac('sha256', key);
        const expected = texts.map((text) => digest().update(text).digest('hex'));
        assert.deepEqual(await changed(hash, key === null ? {} : { key }, texts), expected);
      },
    ),
    { numRuns: 150 },
  );
});

test('hash of what is no string is that of its spelling; absent and null stay', async () => {
  const { text } = await run(
    hash,
    { columns: ['a'], suffix: '_h', algorithm: 'xxh64' },
    '{"a":12}\n{"a":"12"}\n{"a":null}\n{}\n',
  );
  const [number, string, ...others] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { a_h?: unknown });
  assert.equal(number!.a_h, string!.a_h);
  assert.deepEqual(others, [{ a: null, a_h: null }, {}]);
});

test('hash xxh64 has the known digests', async () => {
  // From the reference implementation, seed 0.
  assert.deepEqual(await changed(hash, { algorithm: 'xxh64' }, ['', 'a', 'abc', 'Nobody inspects the spammish repetition']), [
    'ef46db3751d8e999',
    'd24ec4f1a98c6e5b',
    '44bc2cf5ad770999',
    'fbcea83c8a378bf1',
  ]);
});

test('hash refuses a key that does nothing', () => {
  assert.deepEqual(messages(hash, { algorithm: 'xxh64', key: 'k' }), ['key is for sha256, but algorithm is xxh64']);
  assert.deepEqual(messages(hash, { algorithm: 'sha256', key: '' }), ['key is empty, expected at least one character']);
});

test('mask leaves characters at the ends, never all of them', async () => {
  assert.deepEqual(await changed(mask, { keep_first: 1, keep_last: 2 }, ['héllo wörld', 'abc', 'ab', '', 12345, '😀😁😂😃']), [
    'h********ld',
    '***',
    '**',
    '',
    '1**45',
    '😀*😂😃',
  ]);
  assert.deepEqual(await changed(mask, { length: 3, character: '•', keep_last: 1 }, ['abcdef', '']), ['•••f', '•••']);
});

test('mask shows what it should and nothing else', async () => {
  const count = fc.nat({ max: 5 });
  await fc.assert(
    fc.asyncProperty(fc.array(anyText, { maxLength: 5 }), count, count, async (texts, first, last) => {
      const expected = texts.map((text) => {
        const characters = Array.from(text);
        const shown = characters.length > first + last;
        return characters.map((one, i) => (shown && (i < first || i >= characters.length - last) ? one : '*')).join('');
      });
      assert.deepEqual(await changed(mask, { keep_first: first, keep_last: last }, texts), expected);
    }),
    { numRuns: 150 },
  );
});

test('mask finds addresses and card numbers in texts', async () => {
  const cases: [string, string][] = [
    ['jo.doe@example.org', 'j***@example.org'],
    ['<é.x+y@sub.exämple.fr>, b@c', '<é***@sub.exämple.fr>, b@c'],
    ['a@b.co@d.com', 'a***@b***@d.com'],
    ['@example.org x@1.2', '@example.org x@1.2'],
    ['paid 4111 1111-1111 1111.', 'paid **** ****-**** 1111.'],
    ['on 2024-01-01 4111111111111111', 'on 2024-01-01 ************1111'],
    ['4111111111111112 41111111111111111111111 x4111111111111111', '4111111111111112 41111111111111111111111 x4111111111111111'],
    ['378282246310005', '***********0005'],
  ];
  const masked = await changed(
    mask,
    { patterns: ['email', 'card'] },
    cases.map(([text]) => text),
  );
  assert.deepEqual(
    masked,
    cases.map(([, expected]) => expected),
  );
  assert.deepEqual(await changed(mask, { patterns: ['card'], character: '×' }, ['a@b.org 5500005555555559']), [
    'a@b.org ××××××××××××5559',
  ]);
});

test('mask of texts made to be slow takes no time', async () => {
  const texts = [
    '@a.'.repeat(100_000),
    'a'.repeat(300_000),
    `${'a@'.repeat(100_000)}b.org`,
    '1 '.repeat(150_000),
    'a@b.'.repeat(50_000),
  ];
  const started = process.cpuUsage();
  for (const text of texts)
    await run(mask, { columns: ['a'], patterns: ['email', 'card'] }, `${JSON.stringify({ a: text })}\n`, { variant: 'simd' });
  const { user } = process.cpuUsage(started);
  assert.ok(user < 5_000_000, `${user} µs`);
});

test('anonymize_ip keeps the network, spelled as RFC 5952 wants it', async () => {
  const addresses = ['192.0.2.57', '2001:DB8:12:34::1', '::1', '::ffff:1.2.3.4', 'fe80:0:0:1:2:3:4:5'];
  assert.deepEqual(await changed(anonymizeIp, {}, addresses), ['192.0.2.0', '2001:db8:12::', '::', '1.2.3.0', 'fe80::']);
  const whole = { ipv4_prefix: 32, ipv6_prefix: 128 };
  assert.deepEqual(
    await changed(anonymizeIp, whole, ['10.0.0.1', '2001:0:0:1:0:0:0:1', '1:0:0:2::', '0:0:1:0:0:2:0:0', '1:2:3:4:5:6:0:8']),
    ['10.0.0.1', '2001:0:0:1::1', '1:0:0:2::', '::1:0:0:2:0:0', '1:2:3:4:5:6:0:8'],
  );
});

test('anonymize_ip of any address leaves its prefix and nothing else', async () => {
  const groups = (address: string): number[] =>
    new URL(`http://[${address}]`).hostname
      .slice(1, -1)
      .split('::')
      .map((side) => side.split(':').filter((group) => group !== ''))
      .flatMap((side, i, sides) =>
        i === 0 && sides.length === 2 ? [...side, ...new Array<string>(8 - side.length - sides[1]!.length).fill('0')] : side,
      )
      .map((group) => Number.parseInt(group, 16));
  const bits = (parts: number[], width: number): string => parts.map((part) => part.toString(2).padStart(width, '0')).join('');
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat({ max: 32 }), fc.nat({ max: 128 }), async (address, four, six) => {
      const [short] = (await changed(anonymizeIp, { ipv4_prefix: four, ipv6_prefix: six }, [address])) as [string];
      const value = (text: string): string => (isIPv4(text) ? bits(text.split('.').map(Number), 8) : bits(groups(text), 16));
      if (isIPv6(address) && isIPv4(short)) return;
      const kept = isIPv4(address) ? four : six;
      assert.equal(
        value(short),
        value(address)
          .slice(0, kept)
          .padEnd(isIPv4(address) ? 32 : 128, '0'),
        `${address} ${short}`,
      );
    }),
    { numRuns: 200 },
  );
});

test('anonymize_ip of what is no address is what on_error says', async () => {
  const rows = '{"a":"x"}\n{"a":5}\n{"a":null}\n';
  const { rejections } = await run(anonymizeIp, { columns: ['a'] }, rows);
  assert.deepEqual(rejections, [
    { row: 0, reason: 'column "a" is "x", expected an IPv4 or IPv6 address' },
    { row: 1, reason: 'column "a" is an integer, expected an IPv4 or IPv6 address' },
  ]);
  assert.equal((await run(anonymizeIp, { columns: ['a'], on_error: 'set_null' }, rows)).text, '{"a":null}\n'.repeat(3));
  assert.equal((await run(anonymizeIp, { columns: ['a'], on_error: 'keep' }, rows)).text, rows);
});

test('template puts columns into texts, all of the row as it was', async () => {
  const columns = { t: '{{a}}-{{ b.c }}!', a: 'é{{a}}{{a}}', lone: 'no column } {' };
  const { text } = await run(template, { columns }, '{"a":"q\\"\\u0041","b.c":[1, 2],"t":0}\n');
  assert.equal(text, '{"a":"éq\\"Aq\\"A","b.c":[1, 2],"t":"q\\"A-[1, 2]!","lone":"no column } {"}\n');
});

test('template by what missing says', async () => {
  const rows = '{"a":1}\n{"a":null,"t":"old"}\n{}\n';
  const columns = { t: '<{{a}}>' };
  const { text, rejections } = await run(template, { columns }, rows);
  assert.equal(text, '{"a":1,"t":"<1>"}\n');
  assert.deepEqual(
    rejections.map(({ reason }) => reason),
    ['column "a" is null, expected a value', 'column "a" is missing, expected a value'],
  );
  assert.equal(
    (await run(template, { columns, missing: 'empty' }, rows)).text,
    '{"a":1,"t":"<1>"}\n{"a":null,"t":"<>"}\n{"t":"<>"}\n',
  );
  assert.equal((await run(template, { columns, missing: 'skip' }, rows)).text, '{"a":1,"t":"<1>"}\n{"a":null,"t":"old"}\n{}\n');
});

test('template is refused where it is not closed or names nothing', () => {
  assert.deepEqual(messages(template, { columns: { t: 'a {{b' } }), [
    'columns.t is "a {{b", where {{ at place 3 is not closed, expected }} behind the name',
  ]);
  assert.deepEqual(messages(template, { columns: { t: '{{ }}' } }), [
    'columns.t is "{{ }}", where {{ at place 1 is not followed by the name of a column and }}',
  ]);
  assert.deepEqual(messages(template, { columns: {} }), ['columns is empty, expected at least one column']);
});
