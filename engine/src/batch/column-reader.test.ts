import assert from 'node:assert/strict';
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { ValueKind } from './batch.ts';
import { testBench } from './testing.ts';

const variants = ['simd', 'scalar', 'debug'] as const;

/** Shared: a decoder holds one batch at a time, which is all that a test here needs. */
const benches = {
  simd: testBench({ columns: ['v'], variant: 'simd' }),
  scalar: testBench({ columns: ['v'], variant: 'scalar' }),
  debug: testBench({ columns: ['v'], variant: 'debug' }),
};

function columnOf(values: readonly string[], variant: (typeof variants)[number] = 'debug') {
  const bench = benches[variant];
  const { view } = bench.decode(values.map((value) => (value === '' ? '{}\n' : `{"v":${value}}\n`)).join(''));
  return { view, column: view.column('v') };
}

/** A result as it is at live rows. */
function list(result: ArrayLike<unknown>, length: number): unknown[] {
  return Array.from({ length }, (_, i) => result[i]);
}

test('kinds tell the tokens apart', () => {
  const { column } = columnOf(['', '"x"', '1', '1.0', '1e1', 'true', 'false', 'null', '{}', '[]']);
  const { absent, string, integer, float, object, list: listKind } = ValueKind;
  assert.deepEqual(Array.from(column.kinds()), [
    ...[absent, string, integer, float, float, ValueKind.true, ValueKind.false, ValueKind.null, object, listKind],
  ]);
});

test('typed getters reject, skip or leave rows as asked', () => {
  const values = ['', 'null', '"x"', '5'];
  const strict = columnOf(values);
  strict.column.i64();
  assert.deepEqual(strict.view.takeRejections(), [
    { row: 0, reason: 'column "v" is missing, expected integer' },
    { row: 1, reason: 'column "v" is null, expected integer' },
    { row: 2, reason: 'column "v" is "x" (string), expected integer' },
  ]);
  assert.deepEqual(Array.from(strict.view.rows), [3]);
  const skipping = columnOf(values);
  assert.deepEqual(list(skipping.column.i64({ missing: 'skip' }), 4), [0n, 0n, 0n, 5n]);
  assert.deepEqual(list(skipping.column.valid, 4), [0, 0, 0, 1]);
  assert.deepEqual(Array.from(skipping.view.rows), [0, 1, 3]);
  const lenient = columnOf(values);
  assert.deepEqual(list(lenient.column.f64({ missing: 'lenient' }), 4), [0, 0, 0, 5]);
  assert.deepEqual(list(lenient.column.boolean({ missing: 'lenient' }), 4), [0, 0, 0, 0]);
  assert.equal(lenient.view.rows.length, 4);
  assert.throws(() => columnOf(values).column.valid, /call i64, f64 or boolean first/);
});

for (const variant of variants) {
  test(`doubles are rounded as Number() rounds (${variant})`, () => {
    const token = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc
        .tuple(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.nat(25), fc.integer({ min: -330, max: 310 }))
        .map(([n, at, e]) => {
          const digits = String(n < 0n ? -n : n);
          const cut = Math.min(at, digits.length - 1);
          const fraction = cut === 0 ? '' : `.${digits.slice(digits.length - cut)}`;
          return `${n < 0n ? '-' : ''}${digits.slice(0, digits.length - cut)}${fraction}${e === 0 ? '' : `e${e}`}`.replace(
            /^(-?)0+(?=\d)/,
            '$1',
          );
        }),
    );
    fc.assert(
      fc.property(fc.array(token, { minLength: 1, maxLength: 30 }), (tokens) => {
        const { view, column } = columnOf(tokens, variant);
        const read = column.f64();
        const finite = tokens.flatMap((text, i) => (Number.isFinite(Number(text)) ? [i] : []));
        assert.deepEqual(Array.from(view.rows), finite);
        for (const i of finite) assert.ok(Object.is(read[i], Number(tokens[i])), `${tokens[i]}`);
      }),
      { numRuns: 200 },
    );
  });

  test(`integers are exact or refused (${variant})`, () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }), { minLength: 1, maxLength: 30 }), (numbers) => {
        const { view, column } = columnOf(numbers.map(String), variant);
        const read = column.i64();
        const fitting = numbers.flatMap((n, i) => (BigInt.asIntN(64, n) === n ? [i] : []));
        assert.deepEqual(Array.from(view.rows), fitting);
        for (const i of fitting) assert.equal(read[i], numbers[i]);
      }),
      { numRuns: 200 },
    );
  });

  test(`strings match as they read, whatever escapes spell them (${variant})`, () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b', '"', '\\', '\n', 'é', '😀', '/') });
    const escaped = (text: string): string =>
      `"${Array.from(text, (character) =>
        Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`).join(
          '',
        ),
      ).join('')}"`;
    fc.assert(
      fc.property(fc.array(fc.tuple(part, fc.boolean()), { minLength: 1, maxLength: 20 }), part, (texts, wanted) => {
        const { column } = columnOf(
          texts.map(([text, spelled]) => (spelled ? escaped(text) : JSON.stringify(text))),
          variant,
        );
        const { length } = texts;
        const expected = (test: (text: string) => boolean): number[] => texts.map(([text]) => (test(text) ? 1 : 0));
        assert.deepEqual(
          list(column.equals(wanted), length),
          expected((text) => text === wanted),
        );
        assert.deepEqual(
          list(column.matches(wanted, 'contains'), length),
          expected((text) => text.includes(wanted)),
        );
        assert.deepEqual(
          list(column.matches(wanted, 'starts'), length),
          expected((text) => text.startsWith(wanted)),
        );
        assert.deepEqual(
          list(column.matches(wanted, 'ends'), length),
          expected((text) => text.endsWith(wanted)),
        );
        const order = texts.map(([text]) => 1 + Buffer.compare(Buffer.from(text), Buffer.from(wanted)));
        assert.deepEqual(list(column.compare(wanted), length), order);
      }),
      { numRuns: 300 },
    );
  });
}

test('numbers compare exactly, and only with numbers', () => {
  const values = [
    '9007199254740993',
    '9007199254740992',
    '1.5',
    '-1',
    '1e400',
    '"2"',
    'null',
    '',
    'true',
    '9223372036854775808',
    '0',
  ];
  const { column } = columnOf(values);
  assert.deepEqual(list(column.compare(9007199254740992), 11), [2, 1, 0, 0, 2, 3, 3, 3, 3, 2, 0]);
  assert.deepEqual(list(column.compare(0.5), 11), [2, 2, 2, 0, 2, 3, 3, 3, 3, 2, 0]);
  assert.deepEqual(list(column.compare(-0), 11), [2, 2, 2, 0, 2, 3, 3, 3, 3, 2, 1]);
  assert.deepEqual(list(column.compare(2 ** 63), 11), [0, 0, 0, 0, 2, 3, 3, 3, 3, 1, 0]);
  assert.deepEqual(list(column.compare('2'), 11), [3, 3, 3, 3, 3, 1, 3, 3, 3, 3, 3]);
});

test('values come as JavaScript has them', () => {
  const values = ['"\\ud83d\\ude00\\ud800"', '9007199254740993', '-5', '1.50', 'true', 'null', '{"a":[1]}', ''];
  const { column } = columnOf(values);
  assert.deepEqual(
    values.map((_, row) => column.value(row)),
    ['😀\ufffd', 9007199254740993n, -5, 1.5, true, null, { a: [1] }, undefined],
  );
  assert.equal(column.string(0), '😀\ufffd');
  assert.equal(column.string(1), undefined);
});

test('addresses are found in networks as BlockList finds them', () => {
  const octet = fc.oneof(fc.constantFrom(0, 1, 9, 10, 11, 127, 128, 172, 192, 255), fc.nat(300));
  const ipv4 = fc.array(octet, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.'));
  const group = fc.oneof(
    fc.constantFrom('0', 'ffff', 'fc00', 'fd00', '2001', 'db8', '1'),
    fc.nat(0xffff).map((n) => n.toString(16)),
  );
  const ipv6 = fc
    .tuple(fc.array(group, { maxLength: 8 }), fc.array(group, { maxLength: 4 }), fc.boolean(), fc.option(ipv4, { freq: 4 }))
    .map(([head, tail, gap, last]) => {
      const end = last === null ? tail : [...tail, last];
      return gap ? `${head.join(':')}::${end.join(':')}` : [...head, ...end].join(':');
    });
  const address = fc.oneof(
    ipv4,
    ipv6,
    ipv4.map((text) => `::ffff:${text}`),
    fc.constantFrom('', '::', '1.2.3.04', ' 1.2.3.4', 'x', '::1%eth0'),
  );
  const network = fc
    .tuple(fc.oneof(ipv4, ipv6), fc.nat(128))
    .filter(([text]) => (isIPv4(text) || isIPv6(text)) && !/^(0*:)*:?(0*:)*ffff:/i.test(text))
    .map(([text, bits]) => `${text}/${isIPv4(text) ? bits % 33 : bits}`);
  fc.assert(
    fc.property(
      fc.array(address, { minLength: 1, maxLength: 30 }),
      fc.array(network, { maxLength: 6 }),
      (addresses, networks) => {
        // One list for each family: BlockList finds every IPv4 address in ::/0, Reef finds none.
        const blocked = { ipv4: new BlockList(), ipv6: new BlockList() };
        for (const text of networks) {
          const [start, bits] = text.split('/');
          const family = isIPv4(start!) ? 'ipv4' : 'ipv6';
          blocked[family].addSubnet(start!, Number(bits), family);
        }
        const { column } = columnOf(addresses.map((text) => JSON.stringify(text)));
        const expected = addresses.map((text) => {
          if (isIPv4(text)) return blocked.ipv4.check(text, 'ipv4') ? 1 : 0;
          if (!isIPv6(text) || text.includes('%')) return 0;
          const mapped = new URL(`http://[${text}]`).hostname.match(/^\[::ffff:(\w+):(\w+)\]$/);
          if (mapped === null) return blocked.ipv6.check(text, 'ipv6') ? 1 : 0;
          const number = Number.parseInt(mapped[1]!, 16) * 65_536 + Number.parseInt(mapped[2]!, 16);
          return blocked.ipv4.check([24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.'), 'ipv4') ? 1 : 0;
        });
        assert.deepEqual(list(column.within(networks), addresses.length), expected, `${addresses} in ${networks}`);
      },
    ),
    { numRuns: 500 },
  );
});

test('networks that are none are refused', () => {
  const { column } = columnOf(['"1.2.3.4"']);
  assert.throws(() => column.within(['10.0.0.0/33']), /is "10.0.0.0\/33", expected a length from 0 to 32/);
  assert.throws(() => column.within(['10.0.0/8']), /expected a network such as/);
  assert.equal(column.within(['::ffff:1.2.3.0/120'])[0], 1, 'a mapped network is one of IPv4');
  assert.equal(column.within(['1.2.3.4'])[0], 1, 'a lone address stands for itself');
});
