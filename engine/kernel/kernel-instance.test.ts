import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rowTableBytes } from '../src/batch/kernel-abi.ts';
import { instantiateKernel, loadKernelModule } from '../src/batch/kernel-module.ts';

describe('kernel instances', () => {
  const memory = () => new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });

  test('hand out the arena in aligned pieces, and keep what lies below a later reset', () => {
    const kernel = instantiateKernel(loadKernelModule('debug'), memory());
    kernel.reset(0x10008, 0x20000);
    const first = kernel.alloc(5);
    const second = kernel.alloc(100);
    assert.deepEqual([first, second], [0x10010, 0x10020]);
    assert.equal(kernel.alloc(0x10000), 0);
    assert.equal(kernel.alloc(0xffffffff | 0), 0);
    const used = kernel.used();
    kernel.reset(0x10008 + used, 0x20000);
    assert.equal(kernel.used(), 0);
    assert.ok(kernel.alloc(16) >= 0x10008 + used);
  });

  test('refuse more key columns than the table can tell', () => {
    const kernel = instantiateKernel(loadKernelModule('debug'), memory());
    kernel.reset(0x10000, 0x20000);
    assert.equal(kernel.setKeys(kernel.alloc(8), 257), -1);
  });

  test('share nothing but constants: a second one over the same memory leaves the first as it was', () => {
    const shared = memory();
    const bytes = new Uint8Array(shared.buffer);
    const view = new DataView(shared.buffer);
    const module = loadKernelModule();
    const kernel = instantiateKernel(module, shared);
    kernel.reset(0x10000, 0x20000);
    const pairs = kernel.alloc(8);
    view.setUint32(pairs, kernel.alloc(1), true);
    view.setUint32(pairs + 4, 1, true);
    bytes[view.getUint32(pairs, true)] = 0x61;
    kernel.setKeys(pairs, 1);
    const table = kernel.alloc(rowTableBytes(16, 1));
    view.setUint32(table + 20, 16, true);

    const other = instantiateKernel(module, shared);
    other.reset(0x30000, 0x40000);
    other.setKeys(other.alloc(8), 0);

    bytes.set(Buffer.from('{"a":1}\n'), 0x50000);
    assert.equal(kernel.scanJson(0x50000, 0x50008, table, 1), 1);
    assert.equal(bytes[table + 32 + 16 * 16 + 16 * 8], 2);
  });

  test('trap in the debug build when they would read outside what they were given', () => {
    const kernel = instantiateKernel(loadKernelModule('debug'), memory());
    kernel.reset(0x10000, 0x20000);
    const pairs = kernel.alloc(8);
    assert.equal(kernel.setKeys(pairs, 1), 0);
    assert.throws(() => kernel.setKeys(0x80000, 1), WebAssembly.RuntimeError);
  });
});
