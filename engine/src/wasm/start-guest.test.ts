import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../kernel/build-shim.ts';
import { CpuLimit } from './cpu-limit.ts';
import { loadFunctionModule } from './function-module.ts';
import { tryStart } from './start-guest.ts';

/** A module whose `_initialize` does this before any row. */
async function start(initialize: string, msPerRow = 30_000): Promise<void> {
  const loaded = await loadFunctionModule(
    assemble(
      `(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\\10\\00\\00\\00\\08\\00\\00\\00")
        (data (i32.const 16) "no model")
        (func (export "_initialize") ${initialize})
        (func (export "f")))`,
      false,
    ),
    { name: './f.wasm' },
  );
  tryStart('w', { ...loaded, cpu: new CpuLimit({ msPerRow }), outputBytesPerRow: 100 });
}

const SAY = '(drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 32)))';

test('a module that fails before its first row says how, and what it printed', async () => {
  const begin = 'Cannot open function "w": its module does not start: ';
  await assert.rejects(start('unreachable'), { message: `${begin}unreachable` });
  await assert.rejects(start(`${SAY} unreachable`), { message: `${begin}unreachable; it said: no model` });
  await assert.rejects(start(`${SAY} (call $exit (i32.const 7))`), {
    message: `${begin}it ended itself with exit code 7; it said: no model`,
  });
  await assert.rejects(start('(loop $l (br $l))', 50), {
    message: `${begin}it used more than 50 ms of CPU time (limits.cpu_ms_per_row)`,
  });
  await assert.doesNotReject(start(SAY));
});
