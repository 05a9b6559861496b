import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { encodeRow, type RlineRow, type RlineValue } from '../../../examples/wasm-functions/plain-host.ts';
import { assemble } from '../../kernel/build-shim.ts';
import { testBench } from '../batch/testing.ts';
import type { ColumnType } from '../spec/column-type.ts';
import { CpuLimit } from './cpu-limit.ts';
import { FunctionLog } from './function-log.ts';
import { loadFunctionModule } from './function-module.ts';
import { Guest } from './guest.ts';
import { RlineFunction } from './rline-function.ts';
import type { RlineFormat } from './rline-kernel.ts';

interface Options {
  readonly name?: string;
  readonly format?: RlineFormat;
  readonly columns?: readonly string[];
  readonly types?: Readonly<Record<string, ColumnType>>;
  readonly strictIntegers?: boolean;
  readonly cpuMs?: number;
  readonly project?: readonly string[];
  readonly onRows?: (rows: number, failed: number) => void;
  readonly arena?: number;
}

/** A function over the kernel's debug build; `run` gives rows out, rejections and log. */
async function open(module: Uint8Array, options: Options = {}) {
  const bench = testBench({ columns: options.columns ?? [], variant: 'debug', arena: options.arena ?? 16 });
  const loaded = await loadFunctionModule(module, { name: 'test.wasm', function: options.name });
  const guest = new Guest({
    ...loaded,
    kernelMemory: bench.memory,
    cpu: new CpuLimit({ msPerRow: options.cpuMs ?? 30_000 }),
    outputBytesPerRow: 4 * 2 ** 20,
  });
  const log: string[] = [];
  const wide: [string | undefined, number][] = [];
  const say = (message: string) => void log.push(message);
  const run = new RlineFunction({
    guest,
    name: loaded.function,
    format: options.format ?? 'bincode',
    columns: options.columns,
    types: new Map(Object.entries(options.types ?? {})),
    log: new FunctionLog({ info: say, warn: say }, 100_000),
    strictIntegers: options.strictIntegers ?? false,
    onWide: (column, rows) => wide.push([column, rows]),
    ...(options.onRows ? { onRows: options.onRows } : {}),
  });
  return {
    guest,
    log,
    wide,
    run(rows: readonly string[], prepare?: (view: ReturnType<typeof bench.decode>['view']) => void) {
      const { view } = bench.decode(`${rows.join('\n')}\n`);
      prepare?.(view);
      run.apply(view);
      const text = view.rows.length === 0 ? '' : bench.encode(view);
      return { rows: text.split('\n').slice(0, -1), rejections: view.takeRejections() };
    },
  };
}

/** A guest around a body: the row is at 4096, `$n` bytes long; `$write` writes bytes to standard output. */
const guestOf = (body: string) =>
  assemble(
    `(module
      (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 40)
      (data (i32.const 100) "\\03\\00\\00\\00\\00")
      (data (i32.const 200) "\\03\\00\\00\\00\\00\\01\\00\\00\\00\\00\\00\\00\\00\\02\\00\\00\\00\\00\\00\\00\\00in\\06\\00\\00\\00")
      (data (i32.const 300) "\\03{\\"Ok\\":") (data (i32.const 320) "}\\n")
      (func $write (param $at i32) (param $n i32)
        (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $n))
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
      (func (export "f") (local $n i32)
        (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 2000000))
        (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (local.set $n (i32.load (i32.const 8)))
        ${body}))`,
    false,
  );

/** Answers with the row that it was given. */
const echo = guestOf('(call $write (i32.const 100) (i32.const 5)) (call $write (i32.const 4096) (local.get $n))');
const echoJson = guestOf(
  '(call $write (i32.const 300) (i32.const 7)) (call $write (i32.const 4096) (i32.sub (local.get $n) (i32.const 1))) (call $write (i32.const 320) (i32.const 2))',
);
/** Answers with the column `in`: the bytes that it was given. */
const reveal = guestOf(
  '(call $write (i32.const 200) (i32.const 27)) (i32.store (i32.const 20) (local.get $n)) (i32.store (i32.const 24) (i32.const 0)) (call $write (i32.const 20) (i32.const 8)) (call $write (i32.const 4096) (local.get $n))',
);
/** Says the bytes of the column `say`, which is all that it is sent. */
const parrot = guestOf('(call $write (i32.const 4127) (i32.sub (local.get $n) (i32.const 31)))');

const sayOptions: Options = { columns: ['say'], types: { say: 'bytes' } };
const saying = (bytes: Uint8Array | string, more = '') => `{"say":"${Buffer.from(bytes).toString('base64')}"${more}}`;
const ok = (row: RlineRow) => Buffer.concat([Buffer.from([3, 0, 0, 0, 0]), encodeRow(row)]);

/** Prints the row that it was given, and a bar, before it answers with nothing. */
const revealJson = guestOf(
  '(call $write (i32.const 4096) (local.get $n)) (call $write (i32.const 400) (i32.const 11))) (data (i32.const 400) "|\\03{\\"Ok\\":{}}"',
);

/** What a guest was sent for a row: bincode in hex, or the JSON text. */
async function sent(row: string, options: Options = {}): Promise<string> {
  if (options.format === 'json') {
    const { run, log } = await open(revealJson, options);
    assert.deepEqual(run([row]).rejections, []);
    return log[0]!.replace(/\|$/, '');
  }
  const { run } = await open(reveal, options);
  const result = run([row]);
  assert.deepEqual(result.rejections, []);
  const { in: bytes } = JSON.parse(result.rows[0]!) as { in: string };
  return Buffer.from(bytes, 'base64').toString('hex');
}

const cells: readonly [json: string, value: RlineValue | undefined, type?: ColumnType][] = [
  ['"a\\n\\u00e9\\ud83d\\ude00"', { String: 'a\né😀' }],
  ['-5', { Integer: -5 }],
  ['9223372036854775807', { Integer: 9223372036854775807n }],
  ['9223372036854775808', { String: '9223372036854775808' }],
  ['1.0', { Float: 1 }],
  ['1e3', { Float: 1000 }],
  ['0.1234567890123456789', { Float: 0.12345678901234568 }],
  ['-1.7976931348623157e308', { Float: -1.7976931348623157e308 }],
  ['-0.0', { Float: -0 }],
  ['true', { Integer: 1 }],
  ['false', { Integer: 0 }],
  ['null', undefined],
  ['{"b":[1, null]}', { String: '{"b":[1, null]}' }],
  ['[]', { VecString: [] }],
  ['["a","\\"",""]', { VecString: ['a', '"', ''] }],
  ['[1,-2]', { VecInteger: [1, -2] }],
  ['[ 1 , 2.5 ]', { VecFloat: [1, 2.5] }],
  ['[1e400,0.12345678901234567891]', { VecFloat: [Number.POSITIVE_INFINITY, 0.12345678901234568] }],
  ['[true,false]', { VecInteger: [1, 0] }],
  ['[1,"a"]', { String: '[1,"a"]' }],
  ['[1,null]', { String: '[1,null]' }],
  ['[true,1]', { String: '[true,1]' }],
  ['[[1]]', { String: '[[1]]' }],
  ['[99999999999999999999]', { String: '[99999999999999999999]' }],
  ['7', { Float: 7 }, 'float'],
  ['[]', { VecFloat: [] }, 'list_float'],
  ['[]', { VecInteger: [] }, 'list_integer'],
  ['[1,2]', { VecFloat: [1, 2] }, 'list_float'],
  ['"AQL/"', { VecU8: [1, 2, 255] }, 'bytes'],
  ['"AQI="', { VecU8: [1, 2] }, 'bytes'],
  ['[1,2,255]', { VecU8: [1, 2, 255] }, 'bytes'],
  ['"a"', { String: '"a"' }, 'json'],
  ['[1, {}]', { String: '[1, {}]' }, 'json'],
];
test('a value becomes what the table says, in bincode', async () => {
  for (const [json, value, type] of cells) {
    const row = `{"x":${json},"y":1}`;
    const expected = Buffer.from(encodeRow({ ...(value ? { x: value } : {}), y: { Integer: 1 } })).toString('hex');
    assert.equal(await sent(row, { columns: ['x', 'y'], types: type ? { x: type } : {} }), expected, `${json} as column`);
    if (type === undefined) assert.equal(await sent(row), expected, `${json} in the whole row`);
  }
});

test('a value becomes what the table says, in JSON on one line', async () => {
  for (const [json, value, type] of cells) {
    const row = `{"x":${json},"y":1}`;
    const columns: Options = { columns: ['x', 'y'], types: type ? { x: type } : {}, format: 'json' };
    for (const options of type === undefined ? [columns, { format: 'json' } as const] : [columns]) {
      const text = await sent(row, options);
      assert.match(text, /^[^\n]*\n$/);
      const parsed = JSON.parse(text) as unknown;
      const plain = JSON.stringify({ ...(value ? { x: value } : {}), y: { Integer: 1 } }, (_, part) =>
        typeof part === 'bigint' ? Number(part) : part,
      );
      // JSON has no infinity: 1e400 stays as it is written.
      assert.deepEqual(parsed, JSON.parse(plain.replace('[null,', '[1e400,').replace('{"Float":0}', '{"Float":-0.0}')), json);
    }
  }
});

test('of a doubled column the guest sees the last, and escaped names are unescaped', async () => {
  const bytes = await sent('{"a":1,"\\u0061":2}', { columns: ['a'] });
  assert.equal(bytes, Buffer.from(encodeRow({ a: { Integer: 2 } })).toString('hex'));
});

test('a row that comes back as it was sent keeps every byte of it', async () => {
  const rows = [
    '{ "a":1.50, "b":[1 ,2], "c":"x\\u0041", "d":null, "e":{"k": 1}, "f":true, "g":1e2, "h":4294967297, "i":[true], "j":[0.1] }',
    '{"z":12345678901234567890,"a":[],"b":"é"}',
  ];
  for (const options of [{}, { columns: ['b', 'a', 'z', 'c'] }]) {
    const { run } = await open(echo, options);
    assert.deepEqual(run(rows), { rows, rejections: [] });
    const json = await open(echoJson, { ...options, format: 'json' });
    assert.deepEqual(json.run(rows), { rows, rejections: [] });
  }
});

const text = fc.string({ unit: 'binary', maxLength: 20 }).map((value) => value.toWellFormed());
const member = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.array(text, { maxLength: 4 }),
  fc.array(fc.integer(), { maxLength: 4 }),
  fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 4 }),
  fc.dictionary(text, fc.integer(), { maxKeys: 3 }),
);

test('random rows come back from an echo byte for byte', async () => {
  const plain = await open(echo);
  const json = await open(echoJson, { format: 'json' });
  fc.assert(
    fc.property(fc.array(fc.dictionary(text, member, { maxKeys: 6 }), { minLength: 1, maxLength: 30 }), (objects) => {
      const rows = objects.map((object) => JSON.stringify(object));
      assert.deepEqual(plain.run(rows).rows, rows);
      assert.deepEqual(json.run(rows).rows, rows);
    }),
    { numRuns: 60 },
  );
});

test('rows changed by nodes before reach the guest changed', async () => {
  const { run } = await open(reveal);
  const { rows } = run(['{"a":1,"b":2}'], (view) => {
    view.set('a', { constant: 'new' });
    view.drop('b');
    view.set('c', { constant: 3 });
  });
  const { in: bytes } = JSON.parse(rows[0]!) as { in: string };
  assert.equal(bytes, Buffer.from(encodeRow({ a: { String: 'new' }, c: { Integer: 3 } })).toString('base64'));
});

test('values of every type come out of an answer', async () => {
  const { run } = await open(parrot, sayOptions);
  const answer: RlineRow = {
    z: { String: 'q"\n\u0001é' },
    i: { Integer: -2147483648 },
    f: { Float: 0.1 },
    g: { Float: 3 },
    h: { Float: 1.2345678901234568e-300 },
    n: { Float: Number.NaN },
    a: { VecString: ['', 'x"y', '\t'] },
    b: { VecInteger: [1, -9007199254740993n] },
    c: { VecFloat: [0.5, Number.NaN, 2, -1e21] },
    d: { VecU8: [1, 2, 255, 0] },
    e: { VecU8: [] },
  };
  const { rows, rejections } = run([saying(ok(answer))]);
  assert.deepEqual(rejections, []);
  const { say: _, ...values } = JSON.parse(rows[0]!) as Record<string, unknown>;
  assert.deepEqual(values, {
    a: ['', 'x"y', '\t'],
    b: [1, -9007199254740992],
    c: [0.5, null, 2, -1e21],
    d: 'AQL/AA==',
    e: '',
    f: 0.1,
    g: 3,
    h: 1.2345678901234568e-300,
    i: -2147483648,
    n: null,
    z: 'q"\n\u0001é',
  });
  assert.match(rows[0]!, /"g":3\.0,/);
  assert.match(rows[0]!, /-9007199254740993\]/);
});

/** A guest that always answers with these bytes. */
function constant(answer: string): Uint8Array {
  const bytes = Buffer.from(answer);
  const data = Array.from(bytes, (byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  return guestOf(`(call $write (i32.const 1000000) (i32.const ${bytes.length}))) (data (i32.const 1000000) "${data}"`);
}

const jsonAnswers: readonly [answer: string, result: string | RegExp][] = [
  ['\x03{"Ok":{"a":{"VecFloat":[172.1,null, 2]}}}\n', '{"x":1,"a":[172.1,null, 2]}'],
  ['print \x03 \x03 { "Ok" : {\n "b" : { "String" : "q\\"" } ,\r\n"a":{"Integer":-1}} }  \n', '{"x":1,"a":-1,"b":"q\\""}'],
  ['\x03{"Ok":{"a":{"Float":1},"a":{"Float":2}}}', '{"x":1,"a":2}'],
  [
    '\x03{"Ok":{"\\u0061":{"VecU8":[1,2,255]},"b":{"VecString":["x"]},"c":{"VecInteger":[]},"d":{"Float":null}}}',
    '{"x":1,"a":"AQL/","b":["x"],"c":[],"d":null}',
  ],
  ['\x03{"Ok":{"x":{"Integer":4294967297}}}', '{"x":1}'],
  ['\x03{"Ok":{}}', '{"x":1}'],
  ['\x03{"Err":"it \\"hurt\\""}', /^it "hurt"$/],
  ['\x03{"Ok":{"a":{"Integer":1.5}}}', /cannot be read/],
  ['\x03{"Ok":{"a":{"Integer":1},}}', /cannot be read/],
  ['\x03{"Ok":{"a":1}}', /cannot be read/],
  ['\x03{"Ok":{"a":{"Bool":true}}}', /cannot be read/],
  ['\x03{"Ok":{"a":{"VecU8":[256]}}}', /cannot be read/],
  ['\x03{"Ok":{"a":{"String":"x\ny"}}}', /cannot be read/],
  ['\x03{"Ok":{"a":{"String":"x"}}', /cannot be read/],
  ['\x03{"Ok":{}}{}', /cannot be read/],
  ['\x03{"Maybe":{}}', /cannot be read/],
  ['\x03', /cannot be read/],
  ['{"Ok":{}}', /gave no answer/],
];
test('answers in JSON are read whatever their white space and order', async () => {
  for (const [answer, result] of jsonAnswers) {
    const { run } = await open(constant(answer), { format: 'json' });
    const { rows, rejections } = run(['{"x":1}', '{"x":1}']);
    if (typeof result === 'string') assert.deepEqual([rows, rejections], [[result, result], []], answer);
    else {
      assert.deepEqual(rows, [], answer);
      for (const { reason } of rejections) assert.match(reason, result);
    }
  }
});

test('an answer is found behind prints that hold the marker, and a payload may hold it too', async () => {
  const { run, log } = await open(parrot, sayOptions);
  const answer = ok({ a: { VecString: ['\u0003'] }, b: { Integer: 3 } });
  const prints = Buffer.from('one \u0003 two \u0003\u0000\u0000\u0000\u0000 three\n');
  const { rows, rejections } = run([saying(Buffer.concat([prints, answer]))]);
  assert.deepEqual(rejections, []);
  assert.match(rows[0]!, /"a":\["\\u0003"\],"b":3/);
  assert.deepEqual(log, [prints.toString().trimEnd()]);
});

const lies: readonly [name: string, bytes: Uint8Array, reason: RegExp][] = [
  ['nothing', Buffer.alloc(0), /^function "f" gave no answer$/],
  ['no marker', Buffer.from('hello'), /gave no answer: none of the 5 bytes that it wrote is the marker byte 3/],
  ['a marker alone', Buffer.from([3]), /cannot be read/],
  ['an answer cut short', ok({ a: { String: 'abcdef' } }).subarray(0, -1), /cannot be read: no marker byte 3 in the \d+ bytes/],
  ['bytes behind the answer', Buffer.concat([ok({ a: { Integer: 1 } }), Buffer.from('x')]), /cannot be read/],
  [
    'a tag that does not exist',
    Buffer.concat([Buffer.from('030000000001000000000000000100000000000000610700000000000000', 'hex')]),
    /cannot be read/,
  ],
  [
    'a length that lies',
    Buffer.from('0300000000010000000000000001000000000000006100000000ffffffffffffffff61', 'hex'),
    /cannot be read/,
  ],
  ['a count that lies', Buffer.from('0300000000ffffffffffffff7f', 'hex'), /cannot be read/],
  ['bad UTF-8', Buffer.from('030000000001000000000000000100000000000000610000000001000000000000ff', 'hex'), /cannot be read/],
  ['an error', Buffer.concat([Buffer.from('03010000000700000000000000', 'hex'), Buffer.from('it hurt')]), /^it hurt$/],
  ['markers without end', Buffer.alloc(200_000, 3), /cannot be read/],
];
for (const [name, bytes, reason] of lies) {
  test(`an answer of ${name} costs only its row`, async () => {
    const { run } = await open(parrot, sayOptions);
    const good = saying(ok({ a: { Integer: 1 } }));
    const { rows, rejections } = run([good, saying(bytes), good]);
    assert.equal(rows.length, 2);
    for (const row of rows) assert.match(row, /"a":1}$/);
    assert.deepEqual(
      rejections.map(({ row }) => row),
      [1],
    );
    assert.match(rejections[0]!.reason, reason);
  });
}

test('random bytes for an answer never harm the rows around them', async () => {
  const { run } = await open(parrot, sayOptions);
  const good = saying(ok({ a: { Integer: 1 } }));
  const valid = ok({ a: { String: 'x' }, b: { VecFloat: [1, 2] }, c: { VecString: ['p', 'q'] } });
  const mutated = fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([at, byte]) => {
    const bytes = Buffer.from(valid);
    bytes[at] = byte;
    return bytes;
  });
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated);
  fc.assert(
    fc.property(fc.array(bytes, { minLength: 1, maxLength: 20 }), (answers) => {
      const { rows, rejections } = run(answers.flatMap((answer) => [good, saying(answer)]));
      assert.equal(rows.length + rejections.length, answers.length * 2);
      for (const row of rows) JSON.parse(row);
      assert.ok(rejections.every(({ row }) => row % 2 === 1));
    }),
    { numRuns: 150 },
  );
});

test('a column that only some answers have keeps the row its own value elsewhere', async () => {
  const { run } = await open(parrot, sayOptions);
  const { rows } = run([
    saying(ok({ old: { String: 'new' } }), ',"old":"a"'),
    saying(ok({}), ',"old":"b"'),
    saying(ok({ other: { Integer: 1 }, old: { String: 'c' } })),
  ]);
  assert.deepEqual(
    rows.map((row) => row.replace(/"say":"[^"]*",?/, '')),
    ['{"old":"new"}', '{"old":"b"}', '{"old":"c","other":1}'],
  );
});

test('integers beyond 32 bits are told by column, and rejected when strict', async () => {
  const rows = ['{"a":1,"b":2147483648}', '{"a":1,"b":2}', '{"a":-2147483649,"b":2}'];
  const lenient = await open(echo);
  assert.deepEqual(lenient.run(rows).rows, rows);
  assert.deepEqual(lenient.wide, [
    ['b', 1],
    ['a', 1],
  ]);
  const strict = await open(echo, { strictIntegers: true });
  const { rows: left, rejections } = strict.run(rows);
  assert.deepEqual(left, [rows[1]]);
  assert.deepEqual(
    rejections.map(({ row, reason }) => [row, reason.slice(0, 26)]),
    [
      [0, 'column "b" holds an intege'],
      [2, 'column "a" holds an intege'],
    ],
  );
});

test('every column with integers beyond 32 bits is told, also where one row holds several, in every form of rows', async () => {
  const rows = [
    '{"a":5000000000,"\\u00e9":[1,-2147483649,5000000000],"c":1}',
    '{"a":1,"c":4294967296,"é":5000000000}',
    '{"a":2147483647}',
  ];
  for (const options of [{}, { columns: ['a', 'é', 'c'] }, { columns: ['é', 'a', 'c'], types: { c: 'float' } }] as Options[]) {
    for (const format of ['bincode', 'json'] as const) {
      const { run, wide } = await open(format === 'json' ? echoJson : echo, { ...options, format });
      assert.equal(run(rows).rejections.length, 0);
      const counts = new Map<string | undefined, number>();
      for (const [column, count] of wide) counts.set(column, (counts.get(column) ?? 0) + count);
      assert.deepEqual(
        Object.fromEntries(counts),
        { a: 1, é: 2, ...(options.types ? {} : { c: 1 }) },
        JSON.stringify([options, format]),
      );
    }
  }
  const strict = await open(echo, { strictIntegers: true });
  assert.match(strict.run(rows).rejections[0]!.reason, /^columns "a", "é" hold an integer beyond 32 bits/);
});

test('more columns with integers beyond 32 bits than are named are counted together', async () => {
  const row = JSON.stringify(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`c${i}`, 2 ** 40])));
  const { run, wide } = await open(echo);
  run([row, '{"a":1}', row]);
  assert.equal(wide.length, 32);
  assert.deepEqual(
    [wide[0], wide[30], wide[31]],
    [
      ['c0', 2],
      ['c30', 2],
      [undefined, 2],
    ],
  );
});

test('rows too large for the common room go through alone', async () => {
  const { run } = await open(echo, { arena: 32 });
  const rows = Array.from(
    { length: 6 },
    (_, i) =>
      `{"i":${i},"t":"${'x'.repeat(i % 2 === 0 ? 700_000 : 3)}","f":[${'0.12345678901234567890,'.repeat(i === 4 ? 9000 : 1)}1.5]}`,
  );
  const result = run(rows);
  assert.deepEqual(result.rejections, []);
  assert.ok(result.rows.every((row, i) => row === rows[i]));
});

test('the published crates speak with the engine: answers, errors, panics', async () => {
  const moment = readFileSync(new URL('../../../examples/moment/moment.wasm', import.meta.url));
  for (const columns of [undefined, ['creation_timestamp']]) {
    const { run } = await open(moment, { name: 'moment', ...(columns ? { columns } : {}) });
    const { rows, rejections } = run([
      '{"creation_timestamp":1700006400,"x":[{}]}',
      '{"x":1}',
      '{"creation_timestamp":"1"}',
      '{"creation_timestamp":1700049600}',
    ]);
    assert.deepEqual(rows, [
      '{"creation_timestamp":1700006400,"x":[{}],"moment":"midnight"}',
      '{"creation_timestamp":1700049600,"moment":"midday"}',
    ]);
    assert.deepEqual(rejections, [
      { row: 1, reason: 'column creation_timestamp is missing' },
      { row: 2, reason: 'BadTypeError: Not an integer' },
    ]);
  }
});

test('a Go function runs, with its runtime and the JSON form', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'reef-go-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const out = join(folder, 'place_region.wasm');
  const script = fileURLToPath(new URL('../../../examples/wasm-functions/go/build.sh', import.meta.url));
  const { status, stderr } = spawnSync('bash', [script, out], { encoding: 'utf8' });
  if (status === 69) return t.skip(stderr.split('\n')[0]!);
  assert.equal(status, 0, stderr);
  const { run, guest } = await open(readFileSync(out), { format: 'json', columns: ['place'] });
  const rows = Array.from({ length: 700 }, (_, i) =>
    i % 100 === 7 ? '{"a":1}' : `{"a":${i},"place":"${i}km \\u00e9, Region ${i}"}`,
  );
  const result = run(rows);
  assert.equal(result.rejections.length, 7);
  assert.equal(result.rejections[0]!.reason, 'column place is missing or no string');
  assert.deepEqual(
    result.rows,
    rows.flatMap((row, i) => (i % 100 === 7 ? [] : [row.replace('}', `,"region":"Region ${i}"}`)])),
  );
  assert.equal(guest.resets, 0);
});
