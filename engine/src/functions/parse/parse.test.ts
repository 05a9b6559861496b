import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../spec/plan.ts';
import { run } from '../testing.ts';
import parse from './spec.ts';

type Given = Readonly<Record<string, Json>>;

/** Rows with each text in column `m`. */
const rowsOf = (texts: readonly unknown[]): string => texts.map((m) => `${JSON.stringify({ m })}\n`).join('');

async function parsed(given: Given, texts: readonly unknown[]): Promise<unknown[]> {
  const { rows, rejections } = await run(parse, { column: 'm', remove_column: true, ...given }, rowsOf(texts));
  assert.deepEqual(rejections, []);
  return rows;
}

async function reasons(given: Given, texts: readonly unknown[]): Promise<string[]> {
  const { rejections } = await run(parse, { column: 'm', ...given }, rowsOf(texts));
  return rejections.map(({ row, reason }) => `${row}: ${reason}`);
}

test('json makes a column of every member, values as they are spelled', async () => {
  const { text } = await run(
    parse,
    { column: 'm', format: 'json', remove_column: true },
    rowsOf(['{"a":1.0,"b":"x\\u0041\\"","c":[1, 2],"n":null, "big":9007199254740993}', '{}', ' {"a":true,"a":"last"} ']),
  );
  assert.equal(text, '{"a":1.0,"b":"x\\u0041\\"","c":[1, 2],"n":null,"big":9007199254740993}\n{}\n{"a":"last"}\n');
});

test('json keeps columns that the text does not have, and replaces those that it has', async () => {
  const { rows } = await run(
    parse,
    { column: 'm', format: 'json' },
    '{"m":"{\\"a\\":1}","a":0,"b":2}\n{"m":"{\\"b\\":1}","a":0,"b":2}\n',
  );
  assert.deepEqual(rows, [
    { m: '{"a":1}', a: 1, b: 2 },
    { m: '{"b":1}', a: 0, b: 1 },
  ]);
});

test('json reads an object that stands in the column itself', async () => {
  assert.deepEqual(await parsed({ format: 'json' }, [{ a: { b: 1 } }]), [{ a: { b: 1 } }]);
});

test('json makes only the declared columns, with their types and a prefix', async () => {
  const given = {
    format: 'json',
    prefix: 'j_',
    columns: [{ name: 'a', type: 'int' }, { name: 'b', type: 'string' }, { name: 'z' }],
  };
  assert.deepEqual(await parsed(given, ['{"x":1,"a":"12","b":[1]}', '{"b":null}']), [{ j_a: 12, j_b: '[1]' }, { j_b: null }]);
  assert.deepEqual(await reasons(given, ['{"a":"1.5"}']), ['0: column "j_a" is "1.5" (string), expected integer']);
});

test('json takes newlines between tokens, and refuses them inside', async () => {
  assert.deepEqual(await parsed({ format: 'json' }, ['{\n"a"\n:\n1\n}\n']), [{ a: 1 }]);
  assert.deepEqual(await reasons({ format: 'json' }, ['{"a":"x\ny"}']), [
    '0: column "m" is not valid JSON: a control character stands in a string, at byte 8',
  ]);
});

test('texts that are none, or no object, are rejected with the reason and the place', async () => {
  assert.deepEqual(
    await reasons({ format: 'json' }, [1, null, true, ['a'], '', '[1]', '1', '{"a":1} x', '{"a":01}', '{"a":{}']),
    [
      '0: column "m" is an integer, expected text',
      '1: column "m" is null, expected text',
      '2: column "m" is a boolean, expected text',
      '3: column "m" is a list, expected text',
      '4: column "m" is not valid JSON: the row ends too early, at byte 1',
      '5: column "m" is valid JSON but no object',
      '6: column "m" is valid JSON but no object',
      '7: column "m" is not valid JSON: something follows the value, at byte 9',
      '8: column "m" is not valid JSON: a bad number or literal, at byte 7',
      '9: column "m" is not valid JSON: the row ends too early, at byte 8',
    ],
  );
  const { rejections } = await run(parse, { column: 'm', format: 'json' }, '{"a":1}\n');
  assert.deepEqual(rejections, [{ row: 0, reason: 'column "m" is missing, expected text' }]);
});

test('on_error keep lets rows go on as they were', async () => {
  const given = {
    column: 'm',
    format: 'json',
    on_error: 'keep',
    remove_column: true,
    columns: [{ name: 'a', type: 'int' }, { name: 'b' }],
  };
  const texts = ['{"b":1,"a":"x"}', '{"b":2,', 5, '{"b":3,"a":4}'];
  const { rows, rejections } = await run(parse, given, rowsOf(texts));
  assert.deepEqual(rejections, []);
  assert.deepEqual(rows, [{ m: texts[0] }, { m: texts[1] }, { m: 5 }, { a: 4, b: 3 }]);
});

test('no batch gets more fields than max_fields', async () => {
  const texts = ['{"a":1,"b":2}', '{"b":1,"c":2}', '{"a":3}'];
  assert.deepEqual(await reasons({ format: 'json', max_fields: 2 }, texts), [
    '1: column "m" holds fields of which the batch has too many different ones (max_fields)',
  ]);
});

const value = fc.oneof(
  { depthSize: 'small' },
  fc.jsonValue({ maxDepth: 2 }).filter((one) => !Object.is(one, -0)),
  fc.string({ unit: 'grapheme' }),
);
const object = fc.dictionary(fc.oneof(fc.constantFrom('a', 'b', 'a"b', 'é', ''), fc.string({ unit: 'grapheme' })), value, {
  maxKeys: 5,
});
const plain = (given: unknown): unknown => JSON.parse(JSON.stringify(given));

test('json reads what JSON.parse reads, and refuses what it refuses', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(object, fc.constantFrom(0, 1, 2), fc.nat(), fc.constantFrom('', '"', '\\', '}', ',', ' ', '\n', 'x', '0')),
        { maxLength: 8 },
      ),
      async (cases) => {
        const texts = cases.map(([given, indent, at, insert]) => {
          const text = JSON.stringify(given, null, indent);
          const place = at % (text.length + 1);
          return (text.slice(0, place) + insert + text.slice(place)).toWellFormed();
        });
        const expected = texts.map((text): unknown => {
          try {
            const read = JSON.parse(text) as unknown;
            return typeof read === 'object' && read !== null && !Array.isArray(read) ? Object.entries(read) : 'refused';
          } catch {
            return 'refused';
          }
        });
        for (const variant of ['debug', 'scalar', 'simd'] as const) {
          const given = { column: 'm', format: 'json', prefix: 'p_', on_error: 'keep' };
          const { rows } = await run(parse, given, rowsOf(texts), { variant });
          const found = rows.map((row, i) => {
            const entries = Object.entries(row as object).filter(([name]) => name !== 'm');
            if (entries.length === 0 && expected[i] === 'refused') return 'refused';
            return Object.fromEntries(entries.map(([name, one]) => [name.slice(2), one]));
          });
          assert.deepEqual(
            found,
            expected.map((one) => (Array.isArray(one) ? Object.fromEntries(one) : one)),
          );
        }
      },
    ),
    { numRuns: 60 },
  );
});

const six = ['a', 'b', 'c'].map((name) => ({ name }));

test('csv reads a record by place: quotes, separators and newlines inside, an end of line behind it', async () => {
  assert.deepEqual(await parsed({ format: 'csv', columns: six }, ['1,"x ""y"", z\n",', ',,\r\n', 'é, b ,"c"\n']), [
    { a: '1', b: 'x "y", z\n', c: '' },
    { a: '', b: '', c: '' },
    { a: 'é', b: ' b ', c: 'c' },
  ]);
});

test('csv by its settings: separator, no quotes, not strict, empty values left out', async () => {
  const csv = { separator: '\t', quotes: false, strict: false, skip_empty: true };
  assert.deepEqual(await parsed({ format: 'csv', columns: six, csv }, ['"a\tb\tc\td', '\tx', '']), [
    { a: '"a', b: 'b', c: 'c' },
    { b: 'x' },
    {},
  ]);
});

test('csv says what is wrong with a record', async () => {
  assert.deepEqual(await reasons({ format: 'csv', columns: six }, ['a,b', 'a,b,c,d', '"a,b,c', '"a"b,c,d']), [
    '0: column "m" has fewer values than there are columns, at byte 4',
    '1: column "m" has more values than there are columns, at byte 7',
    '2: column "m" holds a quote that is not closed, at byte 1',
    '3: column "m" holds text behind a closing quote, expected a separator, at byte 4',
  ]);
});

test('csv reads back what was written by its rules', async () => {
  const text = fc.oneof(fc.constantFrom('', ',', '"', '""', '\n', 'é,"'), fc.string({ unit: 'grapheme' }));
  const quote = (one: string, always: boolean): string =>
    always || /[",\r\n]/.test(one) ? `"${one.replaceAll('"', '""')}"` : one;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, text, text, fc.boolean()), { maxLength: 6 }), async (records) => {
      const texts = records.map(([a, b, c, always]) => [a, b, c].map((one) => quote(one, always)).join(','));
      const expected = records.map(([a, b, c]) => plain({ a: a.toWellFormed(), b: b.toWellFormed(), c: c.toWellFormed() }));
      assert.deepEqual(await parsed({ format: 'csv', columns: six }, texts), expected);
    }),
    { numRuns: 60 },
  );
});

test('key_value reads pairs, quoted values with escapes, and keys alone', async () => {
  assert.deepEqual(
    await parsed({ format: 'key_value' }, [
      'level=info  user="Jo \\"D\\" \\\\ \\n Doe"\talone x= "a key"=1 url=http://a?b=c',
      '',
      'q="" path="C:\\dir"',
    ]),
    [
      { level: 'info', user: 'Jo "D" \\ \n Doe', alone: true, x: '', 'a key': '1', url: 'http://a?b=c' },
      {},
      { q: '', path: 'C:\\dir' },
    ],
  );
});

test('key_value with other separators', async () => {
  const key_value = { pair_separator: '||', key_separator: ': ' };
  assert.deepEqual(await parsed({ format: 'key_value', key_value }, ['a: 1 || b: x y|z||||c: "q||r" ||d']), [
    { a: '1', b: 'x y|z', c: 'q||r', d: true },
  ]);
});

test('key_value says what is wrong', async () => {
  const key_value = { standalone_keys: false };
  assert.deepEqual(await reasons({ format: 'key_value', key_value }, ['a=1 =2', 'a="x', 'a="x"y b=1', 'a=1 b']), [
    '0: column "m" holds a pair without a key, at byte 5',
    '1: column "m" holds a quote that is not closed, at byte 3',
    '2: column "m" holds text behind a closing quote, expected a separator, at byte 6',
    '3: column "m" holds a key without a value, at byte 5',
  ]);
});

test('key_value reads back what was written', async () => {
  const key = fc.stringMatching(/^[a-zé_.]{1,6}$/);
  const text = fc.string({ unit: 'grapheme' }).map((one) => one.toWellFormed());
  const written = (one: string): string => `"${one.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.dictionary(key, text, { maxKeys: 4 }), { maxLength: 6 }), async (objects) => {
      const texts = objects.map((one) =>
        Object.entries(one)
          .map(([name, item]) => `${name}=${written(item)}`)
          .join(' '),
      );
      assert.deepEqual(await parsed({ format: 'key_value' }, texts), objects.map(plain));
    }),
    { numRuns: 60 },
  );
});

test('settings that cannot work are refused', () => {
  const issues = (given: Given): string[] =>
    (parse.check!({ prefix: '', ...given } as never) ?? []).map(({ message }) => message);
  assert.deepEqual(issues({ format: 'csv' }), ['has format csv but no columns, expected the names of its values']);
  assert.deepEqual(issues({ format: 'json', csv: {} }), ['csv is for format csv, but format is json']);
  assert.deepEqual(issues({ format: 'json', columns: [{ name: 'a' }, { name: 'a' }] }), [
    'columns[1].name is "a", which stands there twice, expected another name',
  ]);
  assert.match(
    issues({ format: 'syslog', columns: [{ name: 'host' }] })[0]!,
    /^columns\[0\]\.name is "host", expected one of priority, /,
  );
  assert.deepEqual(issues({ format: 'syslog', syslog: { utc_offset: '2' } }), [
    'syslog.utc_offset is "2", expected an offset such as +02:00 or -05:30',
  ]);
});

test('what it reads, writes and removes is known where it can be', () => {
  const given = { column: 'm', prefix: 'x_', on_error: 'reject', remove_column: true };
  const open = { ...given, format: 'json' } as never;
  assert.equal(parse.writesOthers!(open), true);
  assert.deepEqual(parse.removes!(open), ['m']);
  const closed = { ...given, format: 'json', columns: [{ name: 'a', type: 'long' }] } as never;
  assert.equal(parse.writesOthers!(closed), false);
  assert.deepEqual(parse.writes(closed), [{ name: 'x_a', type: 'integer' }]);
  assert.deepEqual(parse.removes!({ ...given, format: 'json', on_error: 'keep' } as never), []);
});
