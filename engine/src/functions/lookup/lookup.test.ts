import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { BlockList, isIPv4 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../spec/plan.ts';
import { type Outcome, run } from '../testing.ts';
import lookup from './spec.ts';

type Given = Readonly<Record<string, Json>>;

/** Looks rows up in a table of this content. */
async function found(t: TestContext, [file, content]: readonly [string, string], given: Given, rows: string): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'reef-lookup-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, file), content);
  return run(lookup, { column: 'k', file, key_column: 'key', ...given }, rows, { folder });
}

const stations = ['stations.csv', 'key,name,country\r\na,"Nord ""1""",FR\n12,"Süd, 2",\n"x\ny",z,DE\n\n'] as const;
const columns = ['name', 'country'];

test('rows get the columns of the row with their key', async (t) => {
  const { text } = await found(t, stations, { columns, prefix: 's_' }, '{"k":"a"}\n{"k":12,"s_name":0}\n{"k":"x\\ny"}\n');
  assert.equal(
    text,
    '{"k":"a","s_name":"Nord \\"1\\"","s_country":"FR"}\n{"k":12,"s_name":"Süd, 2","s_country":""}\n{"k":"x\\ny","s_name":"z","s_country":"DE"}\n',
  );
});

test('on_missing says what becomes of the others', async (t) => {
  const rows = '{"k":"b","name":1}\n{"k":null}\n{}\n{"k":"a"}\n';
  const left = await found(t, stations, { columns: ['name'] }, rows);
  assert.deepEqual(left.rows, [{ k: 'b', name: 1 }, { k: null }, {}, { k: 'a', name: 'Nord "1"' }]);
  const given = { columns, on_missing: 'default', defaults: { name: { x: [1] } } };
  const defaults = await found(t, stations, given, rows);
  const name = { x: [1] };
  assert.deepEqual(defaults.rows, [{ k: 'b', name }, { k: null, name }, { name }, { k: 'a', name: 'Nord "1"', country: 'FR' }]);
  const { rejections } = await found(t, stations, { columns, on_missing: 'reject' }, rows);
  assert.deepEqual(rejections, [
    { row: 0, reason: 'column "k" is "b", which is not in the table' },
    { row: 1, reason: 'column "k" is null, expected a key' },
    { row: 2, reason: 'column "k" is missing, expected a key' },
  ]);
});

test('JSON tables keep numbers exact and values whole', async (t) => {
  const list = '[{"key":"a","v":9007199254740993,"w":[1.0,{"x":-0}]},{"key":9007199254740993,"v":null}]';
  const lines = '{"key":"a","v":9007199254740993,"w":[1.0,{"x":-0}]}\n\n{"key":9007199254740993,"v":null}\n';
  for (const table of [
    ['t.json', list],
    ['t.jsonl', lines],
  ] as const) {
    const { text } = await found(t, table, { columns: ['v', 'w'] }, '{"k":"a"}\n{"k":9007199254740993}\n');
    assert.equal(text, '{"k":"a","v":9007199254740993,"w":[1.0,{"x":-0}]}\n{"k":9007199254740993,"v":null}\n');
  }
});

test('a table that is wrong is refused with the place', async (t) => {
  const cases: [string, string, string][] = [
    ['t.csv', '', 'it is empty, expected a line with the names of the columns'],
    ['t.csv', 'key,key\n', 'its first line has "key" twice'],
    ['t.csv', 'key,name\na,b\na,c\n', 'line 3 has the key "a", which line 2 has as well'],
    ['t.csv', 'key,name\n"a\nb",c\nd\n', 'line 4 has 1 values, expected 2'],
    ['t.csv', 'key,name\na,"b\n', 'line 2 has a quote that is not closed'],
    ['t.csv', 'key,name\n"a"b,c\n', 'line 2 has text behind a closing quote, expected a separator'],
    ['t.csv', 'id,name\na,b\n', 'line 2 has no "key" (key_column)'],
    ['t.csv', 'key,title\na,b\n', 'no row has "name" (columns)'],
    ['t.json', '[{"key":1},2]', 'row 2 is no object'],
    ['t.jsonl', '{"key":1,"name":1}\n{"key":', 'line 2 is not valid JSON: '],
  ];
  for (const [file, content, expected] of cases) {
    await assert.rejects(found(t, [file, content], { columns: ['name'] }, ''), (error: Error) => {
      assert.ok(error.message.startsWith(`Cannot read table "${file}": ${expected}`), error.message);
      return true;
    });
  }
  await assert.rejects(
    found(t, ['t.csv', 'key\n'], { file: 'u.csv', columns: ['name'] }, ''),
    /Cannot read table "u\.csv": ENOENT/,
  );
  await assert.rejects(
    found(t, ['t.csv', 'key\n'], { max_file_bytes: 3, columns: ['name'] }, ''),
    /it has 4 bytes, expected at most 3/,
  );
  await assert.rejects(
    found(t, ['t.csv', 'key,name\n10.0.0.0/33,x\n'], { match: 'cidr', columns: ['name'] }, ''),
    /line 2: key is "10\.0\.0\.0\/33", expected a length from 0 to 32/,
  );
});

test('cidr finds the smallest network', async (t) => {
  const table =
    'key,site\n10.0.0.0/8,big\n10.1.0.0/16,small\n10.1.2.3,one\n0.0.0.0/0,any\n2001:db8::/32,six\n::/0,any6\n255.255.255.255,last\n';
  const addresses = [
    '10.9.9.9',
    '10.1.9.9',
    '10.1.2.3',
    '10.1.2.4',
    '11.0.0.0',
    '2001:db8::1',
    'ffff::',
    '::ffff:10.1.2.3',
    '255.255.255.255',
    'x',
  ];
  const rows = addresses.map((k) => `${JSON.stringify({ k })}\n`).join('');
  const { rows: given } = await found(t, ['t.csv', table], { match: 'cidr', columns: ['site'] }, rows);
  assert.deepEqual(
    given.map((row) => (row as { site?: string }).site),
    ['big', 'small', 'one', 'small', 'any', 'six', 'any6', 'one', 'last', undefined],
  );
});

test('cidr agrees with a list that is asked one by one', async (t) => {
  const four = fc.tuple(fc.constantFrom('10.0.0.0', '10.128.0.0', '10.130.7.9', '200.1.2.3'), fc.integer({ min: 6, max: 32 }));
  const six = fc.tuple(fc.constantFrom('fd00::', 'fd00:0:0:1::', 'fd00::1:0:0:5'), fc.integer({ min: 7, max: 128 }));
  const networks = fc.uniqueArray(fc.oneof(four, six), {
    minLength: 1,
    maxLength: 8,
    selector: ([address, bits]) => `${address}/${bits}`,
  });
  const address = fc.oneof(
    fc.constantFrom(
      '10.0.0.1',
      '10.130.7.9',
      '10.130.0.0',
      '200.1.2.2',
      '9.255.255.255',
      'fd00::1',
      'fd00::1:0:0:5',
      'fd00:0:0:1::9',
      '::',
    ),
    fc.ipV4(),
  );
  await fc.assert(
    fc.asyncProperty(networks, fc.array(address, { minLength: 1, maxLength: 6 }), async (table, addresses) => {
      const lists = table.map(([net, bits]) => {
        const list = new BlockList();
        list.addSubnet(net, bits, isIPv4(net) ? 'ipv4' : 'ipv6');
        return { list, bits, four: isIPv4(net) };
      });
      const expected = addresses.map((one) => {
        const inside = lists.filter(({ list, four: v4 }) => v4 === isIPv4(one) && list.check(one, v4 ? 'ipv4' : 'ipv6'));
        return inside.length === 0 ? undefined : Math.max(...inside.map(({ bits }) => bits));
      });
      // Two ways to write one network: the later one would win, so they are told apart by their length alone.
      const content = `key,bits\n${table.map(([net, bits]) => `${net}/${bits},${bits}\n`).join('')}`;
      const rows = addresses.map((k) => `${JSON.stringify({ k })}\n`).join('');
      const { rows: given } = await found(t, ['t.csv', content], { match: 'cidr', columns: ['bits'] }, rows);
      assert.deepEqual(
        given.map((row) => (row as { bits?: string }).bits),
        expected.map((bits) => (bits === undefined ? undefined : String(bits))),
      );
    }),
    { numRuns: 100 },
  );
});

test('exact finds what a Map finds', async (t) => {
  const key = fc.oneof(fc.constantFrom('a', 'b', 'aa', ''), fc.string({ unit: 'grapheme' })).map((text) => text.toWellFormed());
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(key, { maxLength: 20 }), fc.array(key, { maxLength: 20 }), async (keys, asked) => {
      const content = keys.map((one, i) => `${JSON.stringify({ key: one, i })}\n`).join('');
      const { rows } = await found(
        t,
        ['t.jsonl', content],
        { columns: ['i'] },
        asked.map((k) => `${JSON.stringify({ k })}\n`).join(''),
      );
      assert.deepEqual(
        rows.map((row) => (row as { i?: number }).i ?? -1),
        asked.map((one) => keys.indexOf(one)),
      );
    }),
    { numRuns: 60 },
  );
});

test('check says how large the table is, and settings that contradict each other are refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'reef-lookup-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 't.csv'), 'key,name\na,b\n');
  const settings = {
    file: 't.csv',
    format: 'auto',
    separator: ',',
    key_column: 'key',
    match: 'exact',
    columns: ['name'],
    max_file_bytes: 99,
  };
  assert.deepEqual(await lookup.examine!({ settings: settings as never, folder }), ['table "t.csv" has 1 rows']);
  const messages = (given: object): string[] =>
    lookup.check!({ column: 'k', columns: ['name'], prefix: '', defaults: {}, on_missing: 'leave', ...given } as never).map(
      ({ message }) => message,
    );
  assert.deepEqual(messages({ defaults: { name: 1 } }), ['defaults are for on_missing: default, but it is leave']);
  assert.deepEqual(messages({ on_missing: 'default' }), ['on_missing is default, but there are no defaults']);
  assert.deepEqual(messages({ on_missing: 'default', defaults: { nam: 1 } }), [
    'defaults.nam is none of columns, expected one of name',
  ]);
  assert.deepEqual(messages({ columns: ['k'] }), ['columns would replace "k" itself, expected a prefix']);
});
