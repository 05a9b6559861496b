/**
 * Random rows through random changes, against a model made of JSON.parse and Map: what a sink would get parses to what the model
 * holds. Rows have repeated keys, escaped spellings of keys, odd white space; values of every kind.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ColumnData } from './batch.ts';
import type { RowView } from './row-batch.ts';
import { testBench } from './testing.ts';

type Model = Map<string, unknown>[];

/** `unannounced` and the last of `names` are not given to the decoder: they are found when they are asked for. */
const names = ['a', 'b', 'key "quoted"', 'é', 'back\\slash', '__proto__', 'unannounced'];
const announced = names.slice(0, -1);

const space = fc.constantFrom('', '', '', ' ', '\t', ' \r ');
const key = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...names).map((name) => JSON.stringify(name)) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...names)
      .map((name) => `"\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${JSON.stringify(name.slice(1)).slice(1)}`),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }).map((name) => JSON.stringify(`other ${name}`)) },
);
const value = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
  fc.constantFrom(
    '"\\u0041\\n\\/"',
    '"\\ud83d\\ude00"',
    '"x\\\\"',
    '""',
    'true',
    'false',
    'null',
    '{}',
    '[]',
    '-0',
    '1e3',
    '1.50',
  ),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.json({ maxDepth: 2 }).filter((text) => !text.includes('\n')),
);
const member = fc.tuple(space, key, space, space, value, space).map(([a, k, b, c, v, d]) => `${a}${k}${b}:${c}${v}${d}`);
const row = fc.tuple(fc.array(member, { maxLength: 6 }), space).map(([members, inside]) => `{${members.join(',') || inside}}`);

type Change = (view: RowView, model: Model, live: Set<number>) => void;

const name = fc.constantFrom(...names);

function setIn(model: Model, column: string, values: (row: number) => unknown): void {
  model.forEach((fields, at) => {
    const next = values(at);
    if (next === undefined) fields.delete(column);
    else fields.set(column, next);
  });
}

const sized = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(arbitrary, { minLength: 40, maxLength: 40, size: 'max' });
const valid = sized(fc.constantFrom(0, 1, 1, 2));

/** Values for `set`, and what each row then holds; `undefined`: nothing. */
const data: fc.Arbitrary<(size: number) => { data: ColumnData; values: (row: number) => unknown }> = fc.oneof(
  fc.tuple(sized(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), valid).map(([values, given]) => (size: number) => ({
    data: { integer: BigInt64Array.from(values.slice(0, size)), valid: Uint8Array.from(given.slice(0, size)) },
    values: (at: number) => [undefined, Number(values[at]), null][given[at]!],
  })),
  fc
    .tuple(
      sized(
        fc.oneof(
          fc.double({ noNaN: true, noDefaultInfinity: true }),
          fc.integer(),
          fc.integer().map((n) => n / 1000),
        ),
      ),
      valid,
    )
    .map(([values, given]) => (size: number) => ({
      data: { float: Float64Array.from(values.slice(0, size)), valid: Uint8Array.from(given.slice(0, size)) },
      values: (at: number) => [undefined, values[at], null][given[at]!],
    })),
  sized(fc.constantFrom(0, 1)).map((values) => (size: number) => ({
    data: { boolean: Uint8Array.from(values.slice(0, size)) },
    values: (at: number) => values[at] === 1,
  })),
  fc
    .tuple(
      fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 }),
      sized(fc.nat(3)),
      fc.constantFrom(Uint8Array, Uint16Array, Uint32Array),
    )
    .map(([dictionary, index, Type]) => (size: number) => ({
      data: { dictionary, index: Type.from(index.slice(0, size).map((i) => i % dictionary.length)) },
      values: (at: number) => dictionary[index[at]! % dictionary.length]!.toWellFormed(),
    })),
  sized(fc.option(fc.option(fc.string({ unit: 'binary' }), { nil: null }), { nil: undefined })).map(
    (strings) => (size: number) => ({
      data: { strings: strings.slice(0, size) },
      values: (at: number) => strings[at]?.toWellFormed() ?? strings[at],
    }),
  ),
  sized(
    fc.option(
      fc.json({ maxDepth: 2 }).filter((text) => !text.includes('\n')),
      { nil: undefined },
    ),
  ).map((json) => (size: number) => ({
    data: { json: json.slice(0, size) },
    values: (at: number) => (json[at] === undefined ? undefined : JSON.parse(json[at]!)),
  })),
  fc.jsonValue({ maxDepth: 2 }).map((constant) => () => ({
    data: { constant: constant as never },
    values: () => JSON.parse(JSON.stringify(constant)),
  })),
);

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(name, data).map(
    ([column, make]): Change =>
      (view, model) => {
        const made = make(view.size);
        view.set(column, made.data);
        setIn(model, column, made.values);
      },
  ),
  name.map(
    (column): Change =>
      (view, model) => {
        view.drop(column);
        setIn(model, column, () => undefined);
      },
  ),
  fc.tuple(name, name).map(
    ([from, to]): Change =>
      (view, model) => {
        view.rename(from, to);
        if (from === to) return;
        for (const fields of model) {
          if (!fields.has(from)) continue;
          fields.set(to, fields.get(from));
          fields.delete(from);
        }
      },
  ),
  fc.subarray(names, { minLength: 1 }).map(
    (columns): Change =>
      (view, model) => {
        view.project(columns.map((column) => ({ name: column, type: 'any' })));
        model.forEach((fields, at) => {
          model[at] = new Map(columns.filter((column) => fields.has(column)).map((column) => [column, fields.get(column)]));
        });
      },
  ),
  sized(fc.constantFrom(0, 1, 1, 1)).map(
    (keep): Change =>
      (view, _model, live) => {
        view.filter(Uint8Array.from(keep));
        for (const at of live) if (keep[at] === 0) live.delete(at);
      },
  ),
  fc.nat(39).map(
    (at): Change =>
      (view, _model, live) => {
        if (at >= view.size) return;
        view.reject(at, 'for a test');
        live.delete(at);
      },
  ),
);

function parsed(text: string): Map<string, unknown> {
  return new Map(Object.entries(JSON.parse(text)));
}

/** Duplicates of a name that something was done to must be gone; JSON.parse would not tell. */
function keysOnce(text: string, touched: ReadonlySet<string>): void {
  const counts = new Map<string, number>();
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*:?|[{}[\]]/g)) {
    if (/^[{[]$/.test(token)) depth++;
    else if (/^[}\]]$/.test(token)) depth--;
    else if (depth === 1 && token.endsWith(':')) {
      const found = JSON.parse(token.slice(0, -1)) as string;
      counts.set(found, (counts.get(found) ?? 0) + 1);
    }
  }
  for (const [found, count] of counts) if (touched.has(found)) assert.equal(count, 1, `${found} in ${text}`);
}

for (const variant of ['simd', 'scalar', 'debug'] as const) {
  test(`random changes give what JSON.parse and a model give (${variant})`, () => {
    const bench = testBench({ columns: announced, variant, maxRows: 48, arena: 2, slot: 1 });
    const rows = fc.array(row, { minLength: 1, maxLength: 40 });
    const property = fc.property(
      rows,
      fc.array(change, { maxLength: 6 }),
      fc.constantFrom(8000, 1 << 20),
      (texts, changes, room) => {
        const { view, rejected } = bench.decode(`${texts.join('\n')}\n`);
        assert.deepEqual(rejected, []);
        const before = view.clone();
        const model = texts.map(parsed);
        const live = new Set(texts.keys());
        for (const apply of changes) apply(view, model, live);
        assert.deepEqual(Array.from(view.rows), Array.from(live));
        const out = bench.encode(view, 'json', room).split('\n').slice(0, -1);
        assert.deepEqual(
          out.map(parsed),
          Array.from(live, (at) => model[at]),
        );
        if (view.names() !== undefined) for (const text of out) keysOnce(text, new Set(names));
        for (const at of live) assert.deepEqual(parsed(Buffer.from(view.encodeRow(at)).toString()), model[at]);
        for (const column of names) {
          const reader = view.column(column);
          for (const at of live) {
            const expected = model[at]!.get(column);
            assert.deepEqual(plain(reader.value(at)), expected);
            assert.equal(reader.string(at), typeof expected === 'string' ? expected.toWellFormed() : undefined);
          }
        }
        assert.equal(bench.encode(before), texts.map((text) => `${text}\n`).join(''), 'the view it was cloned from is as it was');
      },
    );
    fc.assert(property, { numRuns: 600 });
  });
}

function plain(found: unknown): unknown {
  return typeof found === 'bigint' ? Number(found) : found;
}
