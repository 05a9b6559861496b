import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReefError } from '../../errors.ts';
import { rewrite } from './index.ts';
import { EXTERNREF, F64, FUNCREF, I32, I64, load, moduleBytes, NO_LOCALS, type Parts, section, text, V128 } from './testing.ts';

const body = (...bytes: number[]) => [...NO_LOCALS, ...bytes];
const MEMORY = [[0, 1]];
const ZERO3 = [0x41, 0, 0x41, 0, 0x41, 0];

/** What may be used: the parts of a tiny module that does, and what `f` returns. */
const ALLOWED: Record<string, { parts: Parts; returns?: unknown; feature?: string }> = {
  'WebAssembly 1.0': { parts: { types: [[[], [I32]]], code: [body(0x41, 42)] }, returns: 42 },
  'sign extension': {
    parts: { types: [[[], [I32]]], code: [body(0x41, 0xff, 1, 0xc0)] },
    returns: -1,
    feature: 'sign extension',
  },
  'mutable globals': {
    parts: { globals: [[I32, 1, 0x41, 7, 0x0b]], exports: [[...text('g'), 3, 0]] },
    feature: 'mutable globals',
  },
  'multi-value functions': {
    parts: { types: [[[], [I32, I32]]], code: [body(0x41, 1, 0x41, 2)] },
    returns: [1, 2],
    feature: 'multi-value',
  },
  'multi-value blocks': {
    parts: {
      types: [
        [[], [I32]],
        [[I32], [I32]],
      ],
      code: [body(0x41, 5, 0x02, 1, 0x41, 1, 0x6a, 0x0b)],
    },
    returns: 6,
    feature: 'multi-value',
  },
  'saturating conversions': {
    parts: { types: [[[], [I32]]], code: [body(0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f, 0xfc, 2)] },
    returns: 0x7fffffff,
    feature: 'saturating conversions',
  },
  'memory.fill and memory.copy': {
    parts: { memories: MEMORY, code: [body(...ZERO3, 0xfc, 11, 0, ...ZERO3, 0xfc, 10, 0, 0)] },
    feature: 'bulk memory',
  },
  'memory.init and data.drop': {
    parts: { memories: MEMORY, dataCount: 1, data: [[1, 1, 9]], code: [body(...ZERO3, 0xfc, 8, 0, 0, 0xfc, 9, 0)] },
    feature: 'bulk memory',
  },
  'table.init, elem.drop, table.copy': {
    parts: {
      tables: [[FUNCREF, 0, 1]],
      elements: [[1, 0, 1, 0]],
      code: [body(...ZERO3, 0xfc, 12, 0, 0, 0xfc, 13, 0, ...ZERO3, 0xfc, 14, 0, 0)],
    },
    feature: 'bulk memory',
  },
  'table.get, set, grow, size, fill': {
    parts: {
      types: [[[], [I32]]],
      tables: [[EXTERNREF, 0, 1]],
      code: [
        body(
          ...[0x41, 0, 0x25, 0, 0x1a, 0x41, 0, 0xd0, EXTERNREF, 0x26, 0, 0xd0, EXTERNREF, 0x41, 2, 0xfc, 15, 0, 0x1a],
          ...[0x41, 0, 0xd0, EXTERNREF, 0x41, 1, 0xfc, 17, 0, 0xfc, 16, 0],
        ),
      ],
    },
    returns: 3,
    feature: 'reference types',
  },
  'ref.func, ref.is_null and select with a type': {
    parts: {
      types: [[[], [I32]]],
      elements: [[3, 0, 1, 0]],
      code: [body(0xd2, 0, 0xd0, FUNCREF, 0x41, 1, 0x1c, 1, FUNCREF, 0xd1)],
    },
    returns: 0,
    feature: 'reference types',
  },
  'several tables': {
    parts: {
      tables: [
        [FUNCREF, 0, 1],
        [EXTERNREF, 0, 1],
      ],
    },
    feature: 'reference types',
  },
  SIMD: {
    parts: { types: [[[], [I32]]], code: [body(0x41, 7, 0xfd, 15, 0xfd, 21, 3)] },
    returns: 7,
    feature: 'SIMD',
  },
  'SIMD memory accesses and constants': {
    parts: {
      memories: MEMORY,
      globals: [[V128, 1, 0xfd, 12, ...new Array<number>(16).fill(1), 0x0b]],
      code: [
        body(
          ...[0x41, 0, 0xfd, 0, 0, 0, 0x24, 0, 0x41, 0, 0x23, 0, 0xfd, 11, 0, 0, 0x41, 0, 0x23, 0, 0xfd, 84, 0, 0, 5, 0x1a],
          ...[0x41, 0, 0xfd, 92, 0, 0, 0x1a, 0x23, 0, 0x23, 0, 0xfd, 13, ...new Array<number>(16).fill(3), 0x1a],
        ),
      ],
    },
    feature: 'SIMD',
  },
  'extended constants': {
    parts: { types: [[[], [I32]]], globals: [[I32, 0, 0x41, 40, 0x41, 2, 0x6a, 0x0b]], code: [body(0x23, 0)] },
    returns: 42,
    feature: 'extended constants',
  },
  'over-long numbers': {
    parts: {
      types: [
        [[], []],
        [[], [I32]],
      ],
      functions: [1, 1],
      code: [
        body(0x10, 0x81, 0x80, 0x80, 0x80, 0x00),
        body(0x41, 0xaa, 0x80, 0x80, 0x80, 0x00, 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x1a),
      ],
    },
    returns: 42,
  },
};

for (const [name, { parts, returns, feature }] of Object.entries(ALLOWED)) {
  test(`rewriter accepts ${name}`, () => {
    const bytes = moduleBytes(parts);
    assert.ok(WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>), 'the test module is valid');
    const { exports, info } = load(bytes);
    if (exports.f !== undefined) assert.deepEqual(exports.f(), returns);
    if (feature !== undefined) assert.ok(info.features.includes(feature as never), `names ${feature} in ${info.features}`);
  });
}

/** What may not be used, by the name of the proposal that the message must have. */
const REFUSED: [proposal: string, what: string, parts: Parts][] = [
  ['tail calls', 'return_call', { code: [body(0x12, 0)] }],
  ['tail calls', 'return_call_indirect', { tables: [[FUNCREF, 0, 1]], code: [body(0x41, 0, 0x13, 0, 0)] }],
  ['exception handling', 'throw', { code: [body(0x08, 0)] }],
  ['exception handling', 'try of the older kind', { code: [body(0x06, 0x40, 0x19, 0x0b)] }],
  ['exception handling', 'try_table', { code: [body(0x1f, 0x40, 0, 0x0b)] }],
  ['exception handling', 'throw_ref', { code: [body(0x0a)] }],
  ['exception handling', 'a value of type exnref', { types: [[[0x69], []]] }],
  ['exception handling', 'an imported tag', { imports: [[...text('m'), ...text('t'), 4, 0, 0]] }],
  ['garbage collection', 'a struct instruction', { code: [body(0xfb, 0, 0)] }],
  ['garbage collection', 'ref.eq', { code: [body(0xd0, 0x6d, 0xd0, 0x6d, 0xd3)] }],
  ['garbage collection', 'anyref', { types: [[[0x6e], []]] }],
  ['threads', 'an atomic instruction', { memories: MEMORY, code: [body(0x41, 0, 0xfe, 0x10, 2, 0)] }],
  ['threads', 'shared memory', { memories: [[3, 1, 1]] }],
  ['memory64', 'a memory', { memories: [[4, 1]] }],
  ['memory64', 'a table', { tables: [[FUNCREF, 4, 1]] }],
  [
    'multiple memories',
    'two memories',
    {
      memories: [
        [0, 1],
        [0, 1],
      ],
    },
  ],
  [
    'multiple memories',
    'an imported memory and one of its own',
    {
      imports: [[...text('env'), ...text('memory'), 2, 0, 1]],
      memories: MEMORY,
    },
  ],
  ['multiple memories', 'a load from memory 1', { memories: MEMORY, code: [body(0x41, 0, 0x28, 0x42, 1, 0, 0x1a)] }],
  ['multiple memories', 'memory.size of memory 1', { memories: MEMORY, code: [body(0x3f, 1, 0x1a)] }],
  ['custom page sizes', 'a memory', { memories: [[8, 1, 0]] }],
  ['relaxed SIMD', 'an instruction', { code: [body(0xfd, 0x80, 2)] }],
  ['half-precision floats', 'an instruction', { code: [body(0xfd, 0xa0, 2)] }],
  ['typed function references', 'call_ref', { code: [body(0x14, 0)] }],
  ['typed function references', 'ref.as_non_null', { code: [body(0xd0, FUNCREF, 0xd4, 0x1a)] }],
  ['typed function references', 'a type', { types: [[[0x63, 0], []]] }],
  ['typed function references', 'a table with an initial value', { tables: [[0x40, 0, FUNCREF, 0, 1, 0xd0, FUNCREF, 0x0b]] }],
  ['stack switching', 'an instruction', { code: [body(0xe0, 0)] }],
  ['wide arithmetic', 'an instruction', { code: [body(0xfc, 0x13)] }],
  ['memory control', 'memory.discard', { memories: MEMORY, code: [body(0x41, 0, 0x41, 0, 0xfc, 0x12, 0)] }],
  ['shared-everything threads', 'a shared global', { globals: [[I32, 3, 0x41, 0, 0x0b]] }],
  ['string references', 'a value type', { types: [[[0x67], []]] }],
];

for (const [proposal, what, parts] of REFUSED) {
  test(`rewriter refuses ${proposal}, seen by ${what}, and says so`, () => {
    assert.throws(
      () => rewrite(moduleBytes(parts), { name: 'f.wasm' }),
      (error) => {
        assert.ok(error instanceof ReefError);
        assert.equal(error.data.proposal, proposal, error.message);
        assert.match(error.message, /^Cannot load wasm module "f\.wasm": it uses .*, which Reef does not run: build/);
        return true;
      },
    );
  });
}

test('rewriter refuses types of structs, groups and arrays by the name of their proposal', () => {
  for (const form of [0x4e, 0x4f, 0x50, 0x5e, 0x5f]) {
    const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section(1, [1, form, 0])]);
    assert.throws(() => rewrite(bytes), { data: { proposal: 'garbage collection', offset: 11 } });
  }
});

test('rewriter refuses a component as such', () => {
  assert.throws(() => rewrite(Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0])), {
    message: /it is a WebAssembly component, not a core module/,
    data: { proposal: 'components' },
  });
});

test('rewriter lets a function take and return all types of the allow-list', () => {
  const types = [I32, I64, 0x7d, F64, V128, FUNCREF, EXTERNREF];
  const get = types.flatMap((_, index) => [0x20, index]);
  const { info } = load(moduleBytes({ types: [[types, types]], code: [body(...get)] }));
  assert.equal(
    info.exports[0]!.type,
    '(i32, i64, f32, f64, v128, funcref, externref) -> (i32, i64, f32, f64, v128, funcref, externref)',
  );
});
