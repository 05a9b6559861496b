import assert from 'node:assert/strict';
import { test } from 'node:test';
import binaryen from 'binaryen';
import { assemble } from '../../../kernel/build-shim.ts';
import { type Loaded, load } from './testing.ts';

const { All, GC } = binaryen.Features;
const ALLOWED = All & ~GC;

const module = (text: string) => assemble(`(module ${text})`, false, ALLOWED);

/** Loops and recursions that never end by themselves; each is called `f`. */
const RUNAWAYS: Record<string, string> = {
  'an empty loop': '(func (export "f") (loop $l (br $l)))',
  'a loop that counts': `(func (export "f") (local $i i32)
    (loop $l (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $l (i32.const 1))))`,
  'a loop with operands': `(func (export "f") (i32.const 5) (loop $l (param i32) (i32.const 1) (i32.add) (br $l)))`,
  'nested loops whose inner one is left at once': `(func (export "f")
    (loop $outer (block $out (loop $inner (br $out))) (br $outer)))`,
  'nested loops whose inner one leaves by br_table': `(func (export "f") (local $i i32)
    (loop $outer (loop $inner (br_table $inner $outer (local.tee $i (i32.xor (local.get $i) (i32.const 1)))))))`,
  'nested loops whose inner one leaves by br_if': `(func (export "f")
    (loop $outer (loop $inner (br_if $outer (i32.const 1)) (br $inner))))`,
  'a br_table that goes round': '(func (export "f") (loop $a (loop $b (br_table $a $b $a (i32.const 1)))))',
  recursion:
    '(func $f (export "f") (call $g)) (func $g (call $h)) (func $h (call $i) (call $i)) (func $i (loop $l (call $j) (br $l))) (func $j)',
  'calls through a table': `(table 1 funcref) (elem (i32.const 0) $g) (type $t (func))
    (func (export "f") (loop $l (call_indirect (type $t) (i32.const 0)) (br $l))) (func $g)`,
  'a function that loops by calling one that returns': `(func (export "f") (loop $l (drop (call $g (i32.const 3))) (br $l)))
    (func $g (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))`,
  'short functions that call each other': `(func $a (param i32) (call $b (local.get 0)) (call $b (local.get 0)))
    (func $b (param i32) (if (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (then (call $a (local.get 0)))))
    (func (export "f") (call $a (i32.const 60)))`,
  'a tree of short functions that each call the one behind twice': `(func (export "f") (call $g0)) ${tree(60, 1)} (func $g60)`,
  'a tree of short functions that each call the one before twice': `(func $g60) ${tree(60, -1)} (func (export "f") (call $g0))`,
  'short functions that call each other through a table': `(table 2 funcref) (elem (i32.const 0) $a $b) (type $t (func (param i32)))
    (func $a (type $t) (call_indirect (type $t) (local.get 0) (i32.const 1)) (call_indirect (type $t) (local.get 0) (i32.const 1)))
    (func $b (type $t) (if (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (then (call_indirect (type $t) (local.get 0) (i32.const 0)))))
    (func (export "f") (call $a (i32.const 60)))`,
  'a function that calls itself twice': `(func $g (param i32) (if (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))
    (then (call $g (local.get 0)) (call $g (local.get 0))))) (func (export "f") (call $g (i32.const 60)))`,
  'a loop over a short function that calls others': `(func $a (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func $b (param i32) (result i32) (call $a (call $a (local.get 0)))) (func (export "f") (local i32)
    (loop $l (local.set 0 (call $b (local.get 0))) (br $l)))`,
  'huge memory.fill': `(memory 4096) (func (export "f")
    (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 268435456)) (br $l)))`,
  'huge memory.copy': `(memory 4096) (func (export "f")
    (loop $l (memory.copy (i32.const 1) (i32.const 0) (i32.const 268435455)) (br $l)))`,
  'memory.grow of nothing': '(memory 1) (func (export "f") (loop $l (drop (memory.grow (i32.const 0))) (br $l)))',
  'memory.grow that fails': '(memory 1) (func (export "f") (loop $l (drop (memory.grow (i32.const -1))) (br $l)))',
  'table.grow and table.fill': `(table $t 1 funcref) (func (export "f") (loop $l (drop (table.grow $t (ref.null func) (i32.const 100)))
    (table.fill $t (i32.const 0) (ref.null func) (table.size $t)) (br $l)))`,
  'table.copy':
    '(table $t 100000 funcref) (func (export "f") (loop $l (table.copy (i32.const 0) (i32.const 0) (i32.const 100000)) (br $l)))',
  'a walk through all memory': `(memory 4096) (func (export "f") (local $i i32)
    (loop $l (local.set $i (i32.load (i32.and (i32.mul (local.get $i) (i32.const 1664525)) (i32.const 0xffffffc)))) (br $l)))`,
};

/** `$g0` … `$g59`, each calling the next twice: 2^60 calls without a loop; `order`: 1, `$g0` stands first, -1: last. */
function tree(depth: number, order: 1 | -1): string {
  const functions = Array.from({ length: depth }, (_, i) => `(func $g${i} (call $g${i + 1}) (call $g${i + 1}))`);
  return (order === 1 ? functions : functions.reverse()).join(' ');
}

for (const [name, text] of Object.entries(RUNAWAYS)) {
  test(`${name} stops soon after the host says so`, (t) => {
    const warm = 30;
    let start = Number.POSITIVE_INFINITY;
    const { exports } = load(module(text), { stop: () => performance.now() - start > warm });
    start = performance.now();
    assert.throws(() => exports.f!(), WebAssembly.RuntimeError);
    const late = performance.now() - start - warm;
    t.diagnostic(`stopped ${late.toFixed(1)} ms after the flag`);
    // A few ms on an idle machine; loads of a busy one are not what is tested.
    assert.ok(late < 1000, `stopped ${late} ms after the flag`);
  });
}

test('endless recursion runs into the engine’s stack limit, and the instance goes on', () => {
  const { exports } = load(module('(func $f (export "f") (call $f)) (func (export "g") (result i32) (i32.const 7))'));
  assert.throws(() => exports.f!(), RangeError);
  assert.equal(exports.g!(), 7);
});

test('a stopped instance runs again', () => {
  let stop = true;
  const { exports } = load(
    module(`(func (export "f") (param i32) (result i32)
      (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 0))`),
    { stop: () => stop },
  );
  assert.throws(() => exports.f!(100_000_000), { message: 'unreachable' });
  stop = false;
  assert.equal(exports.f!(100_000_000), 0);
});

test('a start function is metered, too', () => {
  const bytes = module('(func $s (loop $l (br $l))) (start $s)');
  assert.throws(() => load(bytes, { stop: () => true }), { message: 'unreachable' });
});

/** Fuel that a call uses, counted in slices of the default size. */
function used({ exports, looks, global }: Loaded, slice: number, ...args: unknown[]): number {
  global('reef:fuel').value = slice;
  const before = looks();
  exports.f!(...args);
  return (looks() - before) * slice + (slice - global('reef:fuel').value);
}

test('fuel grows in proportion to the passes of a loop, whichever way it is left', () => {
  const slice = 100_000;
  const loops = {
    falls: '(loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))',
    br: '(block $b (loop $l (br_if $b (i32.eqz (local.get 0))) (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br $l)))',
    'br with a value': `(drop (block $b (result i32) (loop $l (result i32)
      (drop (br_if $b (i32.const 3) (i32.eqz (local.get 0)))) (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br $l))))`,
    br_table: '(block $b (loop $l (br_table $b $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))',
    return: '(loop $l (if (i32.eqz (local.get 0)) (then (return))) (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br $l))',
    'with a call': '(loop $l (call $g) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))',
  };
  for (const [name, loop] of Object.entries(loops)) {
    const loaded = load(module(`(func $g) (func (export "f") (param i32) ${loop})`), { fuelSlice: slice });
    const once = used(loaded, slice, 1000);
    const tenfold = used(loaded, slice, 10_000);
    assert.ok(once >= 4000 && once < 40_000, `${name}: 1000 passes use ${once}`);
    assert.ok(Math.abs(tenfold / once - 10) < 0.2, `${name}: 10,000 passes use ${tenfold}, 1000 use ${once}`);
  }
});

test('what short functions cost is charged in their callers, in whatever order they stand', () => {
  const slice = 1_000_000_000;
  const a = `(func $a (param i32) (result i32) ${'(local.set 0 (i32.mul (local.get 0) (i32.const 3)))'.repeat(20)} (local.get 0))`;
  const b = '(func $b (param i32) (result i32) (call $a (local.get 0)))';
  const f = `(func (export "f") (param $n i32) (local i32)
    (loop $l (local.set 1 (call $b (local.get 1))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))`;
  for (const order of [a + b + f, b + a + f, f + b + a, f + a + b]) {
    const amount = used(load(module(order), { fuelSlice: slice }), slice, 10_000) / 10_000;
    assert.ok(amount > 20 && amount < 200, `a pass of 100 instructions uses ${amount}`);
  }
});

test('fuel that an inner loop uses is not lost when an outer one goes on', () => {
  const slice = 1_000_000;
  const text = `(func (export "f") (param i32) (local i32) (loop $o
    (local.set 1 (i32.const 100)) (block $b (loop $l (br_if $b (i32.eqz (local.get 1))) (local.set 1 (i32.sub (local.get 1) (i32.const 1))) (br $l)))
    (br_if $o (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))`;
  const amount = used(load(module(text), { fuelSlice: slice }), slice, 1000);
  assert.ok(amount > 600_000 && amount < 2_000_000, `100,000 inner passes use ${amount}`);
});

test('bulk instructions are charged by their length', () => {
  const slice = 2 ** 29;
  const fill = load(
    module('(memory 1024) (func (export "f") (param i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0)))'),
    {
      fuelSlice: slice,
    },
  );
  assert.ok(used(fill, slice, 16) < 100);
  const large = used(fill, slice, 64 * 2 ** 20);
  assert.ok(large >= 2 ** 25 && large < 2 ** 25 + 10_000, `64 MiB use ${large}`);
});

test('without fuel nothing is metered and nothing imported for it', () => {
  const { info, bytes, instance } = load(module('(memory 1) (func (export "f") (loop $l))'), { fuel: false });
  assert.deepEqual(WebAssembly.Module.imports(new WebAssembly.Module(bytes)), [
    { module: 'reef', name: 'memory', kind: 'memory' },
  ]);
  assert.deepEqual(Object.keys(instance.exports), ['f', 'reef:pages', 'reef:save', 'reef:restore']);
  assert.equal(info.functions, 1);
});
