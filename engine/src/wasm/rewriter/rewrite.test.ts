import assert from 'node:assert/strict';
import { test } from 'node:test';
import binaryen from 'binaryen';
import { assemble } from '../../../kernel/build-shim.ts';
import { ReefError } from '../../errors.ts';
import { type RewriteOptions, rewrite } from './index.ts';
import { FUNCREF, I32, leb, load, moduleBytes, NO_LOCALS, section, text, vector } from './testing.ts';

const module = (source: string) => assemble(`(module ${source})`, false, ALLOWED) as Uint8Array<ArrayBuffer>;
const MIB_PAGES = 16;

function refusal(bytes: Uint8Array, options: RewriteOptions = {}): string {
  try {
    rewrite(bytes, { name: 'f.wasm', ...options });
  } catch (error) {
    assert.ok(error instanceof ReefError, String(error));
    return error.message;
  }
  return assert.fail('it was accepted');
}

test('the memory is imported from the host and still exported under its old names', () => {
  const { info, memory, instance, exports } = load(
    module('(memory (export "memory") (export "m2") 2 5) (func (export "f") (i32.store (i32.const 8) (i32.const 99)))'),
  );
  assert.deepEqual(info.memory, { minPages: 2, maxPages: 5, declaredMaxPages: 5, imported: false });
  assert.equal(instance.exports.memory, memory);
  assert.equal(instance.exports.m2, memory);
  exports.f!();
  assert.equal(new DataView(memory!.buffer).getUint32(8, true), 99);
});

test('a memory that the module imports is asked for under the host’s name', () => {
  const { info, bytes } = load(
    moduleBytes({
      imports: [
        [...text('env'), ...text('g'), 3, I32, 0],
        [...text('env'), ...text('mem'), 2, 0, 3],
        [...text('env'), ...text('f'), 0, 0],
      ],
      code: [[...NO_LOCALS, 0x10, 0]],
      exports: [],
    }),
    { imports: { env: { g: 1, f: () => {} } } },
  );
  assert.equal(info.memory?.imported, true);
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map(({ module, name }) => `${module}.${name}`);
  assert.deepEqual(imports, ['env.g', 'reef.memory', 'env.f', 'reef.fuel_out']);
});

test('the memory’s maximum is 256 MiB, the declared minimum, the option, or the declared maximum, whichever binds', () => {
  const pages = (source: string, options: RewriteOptions = {}) => rewrite(module(source), options).info.memory!.maxPages;
  assert.equal(pages('(memory 1)'), 256 * MIB_PAGES);
  assert.equal(pages('(memory 1 65536)'), 256 * MIB_PAGES);
  assert.equal(pages('(memory 8000)'), 8000);
  assert.equal(pages('(memory 16384 16384)'), 1024 * MIB_PAGES);
  assert.equal(pages('(memory 1 7)'), 7);
  assert.equal(pages('(memory 1)', { memoryBytes: 3 * 65_536 + 1 }), 3);
  assert.equal(pages('(memory 1)', { memoryBytes: 2 ** 33 }), 1024 * MIB_PAGES);
  assert.match(refusal(module('(memory 16385)')), /its memory is at least 1025 MiB, at most 1024 MiB can be given/);
  assert.match(
    refusal(module('(memory 4)'), { memoryBytes: 65_536 }),
    /at least 1 MiB, but the limit is 1 MiB: set memory_bytes to 262144/,
  );
});

test('tables are bounded', () => {
  const tables = (source: string) => rewrite(module(source)).info.tables;
  assert.deepEqual(tables('(table 5 funcref)'), [{ type: 'funcref', min: 5, max: 131_072 }]);
  assert.deepEqual(tables('(table 5 9 externref)'), [{ type: 'externref', min: 5, max: 9 }]);
  assert.match(refusal(module('(table 10000000 funcref)')), /a table has 10000000 entries, at most 131072 are accepted/);
  const { exports } = load(
    module('(table 1 funcref) (func (export "f") (result i32) (table.grow (ref.null func) (i32.const 131072)))'),
  );
  assert.equal(exports.f!(), -1);
});

test('calls, references, elements, exports and the start function follow the functions that moved', () => {
  const { exports, global } = load(
    module(`(import "env" "log" (func $log (param i32)))
      (type $v (func (result i32))) (table $t 4 funcref) (global $r funcref (ref.func $two)) (global $s (export "s") (mut i32) (i32.const 0))
      (elem (i32.const 0) $one $two) (elem (i32.const 2) funcref (ref.func $two) (ref.null func)) (elem declare func $one)
      (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
      (func $start (global.set $s (i32.const 5)) (call $log (i32.const 3))) (start $start)
      (func (export "direct") (result i32) (i32.add (call $one) (i32.mul (i32.const 10) (call $two))))
      (func (export "indirect") (param i32) (result i32) (call_indirect (type $v) (local.get 0)))
      (func (export "global") (result i32) (table.set (i32.const 3) (global.get $r)) (call_indirect (type $v) (i32.const 3)))
      (func (export "reference") (result i32) (table.set (i32.const 3) (ref.func $one)) (call_indirect (type $v) (i32.const 3)))`),
    { imports: { env: { log: (value: number) => assert.equal(value, 3) } } },
  );
  assert.equal(global('s').value, 5);
  assert.equal(exports.direct!(), 21);
  assert.deepEqual(
    [0, 1, 2].map((i) => exports.indirect!(i)),
    [1, 2, 2],
  );
  assert.equal(exports.global!(), 2);
  assert.equal(exports.reference!(), 1);
});

test('traps are named after the functions of the module, and other custom sections are dropped', () => {
  const bytes = Buffer.concat([
    moduleBytes({
      functions: [0, 0],
      code: [
        [...NO_LOCALS, 0x10, 1],
        [...NO_LOCALS, 0x00],
      ],
    }),
    Uint8Array.from(section(0, [...text('name'), 0, 5, ...text('demo'), 1, 15, 2, 0, ...text('outer'), 1, ...text('inner')])),
    Uint8Array.from(section(0, [...text('.debug_info'), ...new Array<number>(100).fill(1)])),
    Uint8Array.from(section(0, [...text('producers'), 1, ...text('language'), 1, ...text('Rust'), ...text('1.63')])),
  ]);
  const { exports, info, bytes: written } = load(bytes);
  assert.equal(info.declaredName, 'demo');
  assert.deepEqual(info.producers, ['Rust 1.63']);
  assert.throws(
    () => exports.f!(),
    (error: Error) => /inner/.test(error.stack ?? '') && /outer/.test(error.stack ?? ''),
  );
  assert.equal(WebAssembly.Module.customSections(new WebAssembly.Module(written), '.debug_info').length, 0);
});

test('custom sections with nonsense in them do no harm', () => {
  const nonsense = (name: string) => Uint8Array.from(section(0, [...text(name), 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 3]));
  const bytes = Buffer.concat([moduleBytes({}), ...['name', 'producers', 'metadata.code.branch_hint', 'reef'].map(nonsense)]);
  assert.equal(load(bytes).info.declaredName, undefined);
});

test('save and restore put all mutable globals back, also those that JavaScript cannot read', () => {
  const { exports, info } = load(
    module(`(global $a (mut i32) (i32.const 1)) (global $b (mut i64) (i64.const 2)) (global $c (mut f64) (f64.const 3))
      (global $v (mut v128) (v128.const i32x4 1 2 3 4)) (global $r (mut externref) (ref.null extern)) (global $k i32 (i32.const 9))
      (func (export "set") (param externref) (global.set $a (i32.const 10)) (global.set $b (i64.const 20)) (global.set $c (f64.const 30))
        (global.set $v (v128.const i32x4 5 6 7 8)) (global.set $r (local.get 0)))
      (func (export "get") (result i32 i64 f64 i32 externref i32)
        (global.get $a) (global.get $b) (global.get $c) (i32x4.extract_lane 2 (global.get $v)) (global.get $r) (global.get $k))`),
  );
  assert.deepEqual(info.reset, { inPlace: true });
  exports['reef:save']!();
  exports.set!('x');
  assert.deepEqual(exports.get!(), [10, 20n, 30, 7, 'x', 9]);
  exports['reef:restore']!();
  assert.deepEqual(exports.get!(), [1, 2n, 3, 3, null, 9]);
});

test('a module that changes tables or drops segments needs a new instance, and says why', () => {
  const because = (source: string) => {
    const { reset } = rewrite(module(source)).info;
    return reset.inPlace ? undefined : reset.because;
  };
  assert.equal(because('(table 1 funcref) (func (export "f") (table.set (i32.const 0) (ref.null func)))'), 'table.set');
  assert.equal(because('(table 1 funcref) (func (export "f") (drop (table.grow (ref.null func) (i32.const 1))))'), 'table.grow');
  assert.equal(because('(memory 1) (data "x") (func (export "f") (data.drop 0))'), 'data.drop');
  assert.equal(because('(table 1 funcref) (func (export "f") (drop (table.get (i32.const 0))))'), undefined);
});

test('the memory’s size is virtual: after a reset, pages from before are used again', () => {
  const { exports, memory, global } = load(
    module(`(memory 2 10) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "size") (result i32) (memory.size))`),
  );
  const grow = (pages: number) => exports.grow!(pages);
  exports['reef:save']!();
  assert.deepEqual(
    [grow(3), exports.size!(), grow(0), grow(6), grow(-1), grow(65_536), exports.size!()],
    [2, 5, 5, -1, -1, -1, 5],
  );
  assert.equal(memory!.buffer.byteLength, 5 * 65_536);
  exports['reef:restore']!();
  assert.equal(exports.size!(), 2);
  assert.equal(global('reef:pages').value, 2);
  assert.deepEqual([grow(2), exports.size!(), memory!.buffer.byteLength], [2, 4, 5 * 65_536]);
  assert.deepEqual([grow(4), exports.size!(), memory!.buffer.byteLength], [4, 8, 8 * 65_536]);
  assert.deepEqual([grow(3), exports.size!()], [-1, 8], 'the maximum holds');
  assert.deepEqual([grow(2), exports.size!()], [8, 10]);
});

test('a module cannot reach what is added behind its own', () => {
  const global = (index: number) =>
    moduleBytes({ globals: [[I32, 1, 0x41, 0, 0x0b]], code: [[...NO_LOCALS, 0x41, 1, 0x24, ...leb(index)]] });
  assert.doesNotThrow(() => rewrite(global(0)));
  assert.match(refusal(global(1)), /refers to global 1 of 1/);
  const local = moduleBytes({ code: [[...NO_LOCALS, 0x03, 0x40, 0x20, 0, 0x1a, 0x0b]] });
  assert.match(refusal(local), /refers to local 0 of 0/);
  const call = moduleBytes({ code: [[...NO_LOCALS, 0x10, 1]] });
  assert.match(refusal(call), /refers to function 1 of 1/);
  const type = moduleBytes({ tables: [[FUNCREF, 0, 1]], code: [[...NO_LOCALS, 0x41, 0, 0x11, 1, 0]] });
  assert.match(refusal(type), /refers to type 1 of 1/);
});

test('reserved names are refused', () => {
  assert.match(
    refusal(module('(func (export "reef:fuel"))')),
    /exports "reef:fuel", which is reserved \(was it rewritten before\?\)/,
  );
  assert.match(refusal(module('(import "reef" "fuel_out" (func (result i32)))')), /imports reef\.fuel_out, which is reserved/);
});

const { All, GC } = binaryen.Features;
const ALLOWED = All & ~GC;

test('what is no module is told from what is a damaged one', () => {
  const bytes = Buffer.from(module('(memory 1) (func (export "f") (drop (memory.grow (i32.const 1))))'));
  assert.match(refusal(Buffer.alloc(0)), /^Cannot load wasm module "f\.wasm": the file is empty, expected a wasm module$/);
  assert.match(refusal(Buffer.from('(module)')), /it is no wasm module but the text format \(assemble it first\)/);
  assert.match(refusal(Buffer.from('PK\x03\x04....')), /a zip archive/);
  assert.match(refusal(Buffer.from('\x7fELF....')), /a native program/);
  assert.match(refusal(bytes.subarray(0, 6)), /the file is cut short: it has only 6 bytes/);
  assert.match(
    refusal(bytes.subarray(0, bytes.length - 3)),
    /the file is cut short: section 10 at byte \d+ has \d+ bytes, only \d+ are there/,
  );
  assert.match(
    refusal(Buffer.alloc(65 * 2 ** 20)),
    /it has 65\.0 MiB, at most 64 are accepted: build for size, strip debug sections/,
  );
  for (let cut = 0; cut < bytes.length; cut++) refusal(Buffer.concat([bytes.subarray(0, cut), bytes.subarray(cut + 1)]));
});

test('the engine’s reason is given where operands do not fit', () => {
  const bytes = moduleBytes({ types: [[[], [I32]]], code: [[...NO_LOCALS, 0x42, 0]] });
  assert.match(refusal(bytes), /no valid module: Compiling function #0.* failed: type error/);
});

test('hostile counts and sizes are refused without being believed', () => {
  const many = leb(0xffff_ffff);
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  for (const id of [1, 2, 3, 4, 5, 6, 7, 9, 10, 11]) {
    assert.match(refusal(Uint8Array.from([...header, ...section(id, many)])), /accepted|claims|damaged|has \d+ bodies/);
  }
  const locals = moduleBytes({ code: [[1, ...leb(50_001), I32]] });
  assert.match(refusal(locals), /50001 locals, at most 50000/);
  const loops = moduleBytes({ code: [[...NO_LOCALS, ...new Array<number>(60_000).fill(0x03).flatMap((op) => [op, 0x40])]] });
  assert.match(refusal(loops), /nests blocks more than 50000 deep/);
  const parameters = moduleBytes({ types: [[new Array<number>(1001).fill(I32), []]] });
  assert.match(refusal(parameters), /1001 parameters, at most 1000 are accepted/);
  const imports = Uint8Array.from([
    ...header,
    ...vector(1, [[0x60, 0, 0]]),
    ...vector(2, new Array<number[]>(10_001).fill([0, 0, 0, 0])),
  ]);
  assert.match(refusal(imports), /10001 imports, at most 10000 are accepted/);
});

test('a module of many tiny loops is refused when its meter would make it more than twice as large', () => {
  const loops = new Array<number[]>(400_000).fill([0x03, 0x40, 0x0b]).flat();
  assert.match(
    refusal(moduleBytes({ code: [[...NO_LOCALS, ...loops]] })),
    /grows to more than twice its size|too large for the fuel meter/,
  );
});
