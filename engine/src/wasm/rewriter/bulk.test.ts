import assert from 'node:assert/strict';
import { test } from 'node:test';
import binaryen from 'binaryen';
import { assemble } from '../../../kernel/build-shim.ts';
import { load } from './testing.ts';

const { All, GC } = binaryen.Features;
const ALLOWED = All & ~GC;

const MIB = 2 ** 20;
const TEXT = `(module (memory (export "memory") 80)
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2))))`;
const PAGES = 80;

/** One instance as it was and one rewritten, over memories with the same content. */
function pair() {
  const bytes = assemble(TEXT, false, ALLOWED) as Uint8Array<ArrayBuffer>;
  const before = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  const loaded = load(bytes);
  const memories = [(before.memory as unknown as WebAssembly.Memory).buffer, loaded.memory!.buffer];
  const [first, second] = memories.map((buffer) => Buffer.from(buffer as ArrayBuffer));
  for (let i = 0; i < first!.length; i += 4) first!.writeUInt32LE(Math.imul(i, 2_654_435_761) >>> 0, i);
  second!.set(first!);
  const both = (name: string, ...args: number[]): (string | undefined)[] =>
    [before, loaded.exports].map((exports) => {
      try {
        exports[name]!(...args);
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    });
  return { both, first: first!, second: second! };
}

const OPERATIONS: [name: string, operation: string, ...args: number[]][] = [
  ['a short fill', 'fill', 100, 7, 33],
  ['a fill of exactly one chunk', 'fill', 3, 8, MIB],
  ['a fill of several chunks and a rest', 'fill', 1, 9, 4 * MIB + 17],
  ['a fill of nothing at the end', 'fill', PAGES * 65_536, 1, 0],
  ['a fill to the last byte', 'fill', PAGES * 65_536 - 2 * MIB - 5, 1, 2 * MIB + 5],
  ['a fill one byte too long', 'fill', PAGES * 65_536 - 2 * MIB, 5, 2 * MIB + 1],
  ['a fill that wraps around', 'fill', 16, 5, -8],
  ['a fill that starts far outside', 'fill', -16, 5, 2 * MIB],
  ['a copy forward over itself', 'copy', 100, 0, 3 * MIB + 11],
  ['a copy backward over itself', 'copy', 0, 100, 3 * MIB + 11],
  ['a copy onto itself', 'copy', 50, 50, 3 * MIB],
  ['a copy of chunk-sized distance', 'copy', MIB, 0, 3 * MIB + 1],
  ['a copy whose source is too long', 'copy', 0, PAGES * 65_536 - 2 * MIB, 2 * MIB + 1],
  ['a copy whose destination is too long', 'copy', PAGES * 65_536 - 2 * MIB, 0, 2 * MIB + 1],
  ['a copy that wraps around', 'copy', 0, -4, -4],
];

for (const [name, operation, ...args] of OPERATIONS) {
  test(`${name} does in chunks what the instruction does`, () => {
    const { both, first, second } = pair();
    const [before, after] = both(operation, ...args);
    assert.equal(after, before);
    assert.equal(Buffer.compare(first, second), 0, 'memories are equal');
  });
}
