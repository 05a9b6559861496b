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
