import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { assemble } from '../../kernel/build-shim.ts';
import { loadFunctionModule } from './function-module.ts';

const moment = readFileSync(new URL('../../../examples/moment/moment.wasm', import.meta.url));
const load = (bytes: Uint8Array, name?: string) => loadFunctionModule(bytes, { name: './f.wasm', function: name });

test('a module for the contract loads, with its digest', async () => {
  const { function: name, digest, info } = await load(moment, 'moment');
  assert.equal(name, 'moment');
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.ok(info.imports.some((one) => one.name === 'fd_read'));
});

test('the function may be left out where one export fits', async () => {
  assert.equal((await load(moment)).function, 'moment');
  const two = assemble('(module (memory (export "memory") 1) (func (export "a")) (func (export "b")))');
  await assert.rejects(load(two), /Cannot load wasm module "\.\/f\.wasm": it exports a, b; set function to the one to call/);
});

test('a wrong name is told with the right one', async () => {
  await assert.rejects(load(moment, 'momnet'), /it has no export "momnet", it exports moment; did you mean "moment"\?/);
  await assert.rejects(load(moment, 'memory'), /its export "memory" is a memory, expected a function \(\) -> \(\)/);
});

test('a wrong signature is told', async () => {
  const bytes = assemble('(module (memory (export "memory") 1) (func (export "f") (param i32) (result i64) (i64.const 0)))');
  await assert.rejects(load(bytes, 'f'), /its export "f" is a function \(i32\) -> \(i64\), expected a function \(\) -> \(\)/);
});

test('unknown imports are named', async () => {
  const bytes = assemble(
    '(module (import "env" "log" (func (param i32))) (import "wasi_snapshot_preview1" "fd_dance" (func)) (memory (export "memory") 1) (func (export "f")))',
    false,
  );
  await assert.rejects(load(bytes), /it imports env\.log, wasi_snapshot_preview1\.fd_dance; functions are given WASI preview 1/);
});

test('imports of another type than WASI has are told with the right one', async () => {
  const bytes = assemble(
    '(module (import "wasi_snapshot_preview1" "fd_write" (func (param i64) (result i32))) (memory (export "memory") 1) (func (export "f")))',
    false,
  );
  await assert.rejects(
    load(bytes),
    /it imports fd_write as a function \(i64\) -> \(i32\); WASI preview 1 has a function \(i32, i32, i32, i32\) -> \(i32\)/,
  );
});

test('a command is told what to be built as', async () => {
  const bytes = assemble('(module (memory (export "memory") 1) (func (export "_start")))');
  const hint = /Cannot load wasm module "\.\/f\.wasm": it is a command \(_start\): build a library/;
  await assert.rejects(load(bytes), hint);
  await assert.rejects(load(bytes, '_start'), hint);
  const both = assemble('(module (memory (export "memory") 1) (func (export "_start")) (func (export "f")))');
  assert.equal((await load(both)).function, 'f');
});

test('a function that begins with an underscore runs where it is named', async () => {
  const bytes = assemble('(module (memory (export "memory") 1) (func (export "_f")) (func (export "g")))');
  assert.equal((await load(bytes, '_f')).function, '_f');
  assert.equal((await load(bytes)).function, 'g');
});

test('a preparation that cannot be called is told', async () => {
  const bytes = assemble('(module (memory (export "memory") 1) (func (export "_initialize") (param i32)) (func (export "f")))');
  await assert.rejects(load(bytes), /its export "_initialize" is a function \(i32\) -> \(\), expected a function \(\) -> \(\)/);
});

test('what is no module is told', async () => {
  const random = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 31 + (i >> 3) * 17) & 0xff));
  for (const bytes of [
    random,
    Buffer.concat([moment.subarray(0, 8), random]),
    Buffer.alloc(0),
    Buffer.from('hello'),
    moment.subarray(0, 1000),
    Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]),
  ]) {
    await assert.rejects(load(bytes), /^ReefError: Cannot load wasm module "\.\/f\.wasm": /);
  }
});
