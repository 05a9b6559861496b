/**
 * What the rewriter's fuel meter costs: the same work with and without it, in turn, a few milliseconds at a time; the best of each, as
 * everything else on the machine only adds. V8 decides anew in each process what it inlines, so look at several. Prints figures, asserts nothing: `node bench/micro/fuel.ts [seconds per line] [words of the lines wanted…]`.
 */
import { readFileSync } from 'node:fs';
import { assemble } from '../../engine/kernel/build-shim.ts';
import { CpuLimit } from '../../engine/src/wasm/cpu-limit.ts';
import { Guest } from '../../engine/src/wasm/guest.ts';
import { rewrite } from '../../engine/src/wasm/rewriter/index.ts';
import { load } from '../../engine/src/wasm/rewriter/testing.ts';
import { RESULT_BYTES } from '../../engine/src/wasm/shim.ts';
import { encodeRow } from '../../examples/wasm-functions/plain-host.ts';

const seconds = Number(process.argv[2] ?? 2);
const wanted = process.argv.slice(3);

/** Each exports `f`, which does its work as often as its parameter says. */
const loops: Record<string, string> = {
  'strlen: a loop of three instructions': `(memory 1) (func (export "f") (param $n i32) (local $p i32)
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 1000))
    (loop $o (local.set $p (i32.const 0))
      (loop $l (local.set $p (i32.add (local.get $p) (i32.const 1))) (br_if $l (i32.load8_u (local.get $p))))
      (br_if $o (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))`,
  'strlen of short texts, called': `(memory 1) (func $len (param $p i32) (result i32)
      (loop $l (local.set $p (i32.add (local.get $p) (i32.const 1))) (br_if $l (i32.load8_u (local.get $p)))) (local.get $p))
    (func (export "f") (param $n i32)
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 8))
      (local.set $n (i32.mul (local.get $n) (i32.const 60)))
      (loop $o (drop (call $len (i32.const 0))) (br_if $o (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))`,
  'FNV hash of 16 bytes, called': `(memory 1) (func $hash (param $p i32) (result i32) (local $h i32) (local $e i32)
      (local.set $h (i32.const 0x811c9dc5)) (local.set $e (i32.add (local.get $p) (i32.const 16)))
      (loop $l (local.set $h (i32.mul (i32.xor (local.get $h) (i32.load8_u (local.get $p))) (i32.const 0x01000193)))
        (br_if $l (i32.ne (local.tee $p (i32.add (local.get $p) (i32.const 1))) (local.get $e)))) (local.get $h))
    (func (export "f") (param $n i32)
      (local.set $n (i32.mul (local.get $n) (i32.const 20)))
      (loop $o (i32.store (i32.const 64) (call $hash (i32.const 0))) (br_if $o (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))`,
  'a loop that calls a short function': `(func $g (param i32) (result i32) (i32.xor (i32.mul (local.get 0) (i32.const 31)) (i32.const 7)))
    (func (export "f") (param $n i32) (local $x i32) (local.set $n (i32.mul (local.get $n) (i32.const 100)))
      (loop $l (local.set $x (call $g (local.get $x))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (drop (local.get $x)))`,
  'a loop that calls a longer function': `(func $g (param i32) (result i32) ${mixing(20)} (local.get 0))
    (func (export "f") (param $n i32) (local $x i32) (local.set $n (i32.mul (local.get $n) (i32.const 50)))
      (loop $l (local.set $x (call $g (local.get $x))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (drop (local.get $x)))`,
  'three functions deep': `(memory 1) (func $a (param i32) (result i32) (i32.add (i32.load (i32.and (local.get 0) (i32.const 1020))) (local.get 0)))
    (func $b (param i32) (result i32) (call $a (i32.xor (call $a (local.get 0)) (i32.const 5))))
    (func $c (param i32) (result i32) (call $b (i32.rotl (call $b (local.get 0)) (i32.const 3))))
    (func (export "f") (param $n i32) (local $x i32) (local.set $n (i32.mul (local.get $n) (i32.const 30)))
      (loop $l (local.set $x (call $c (local.get $x))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (drop (local.get $x)))`,
  'the same, callers first': `(memory 1)
    (func (export "f") (param $n i32) (local $x i32) (local.set $n (i32.mul (local.get $n) (i32.const 30)))
      (loop $l (local.set $x (call $c (local.get $x))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (drop (local.get $x)))
    (func $c (param i32) (result i32) (call $b (i32.rotl (call $b (local.get 0)) (i32.const 3))))
    (func $b (param i32) (result i32) (call $a (i32.xor (call $a (local.get 0)) (i32.const 5))))
    (func $a (param i32) (result i32) (i32.add (i32.load (i32.and (local.get 0) (i32.const 1020))) (local.get 0)))`,
  'calls through a table': `(table 4 funcref) (elem (i32.const 0) $a $b $a $b) (type $t (func (param i32) (result i32)))
    (func $a (param i32) (result i32) (i32.add (local.get 0) (i32.const 3)))
    (func $b (param i32) (result i32) (i32.xor (local.get 0) (i32.const 9)))
    (func (export "f") (param $n i32) (local $x i32) (local.set $n (i32.mul (local.get $n) (i32.const 50)))
      (loop $l (local.set $x (call_indirect (type $t) (local.get $x) (i32.and (local.get $n) (i32.const 3))))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (drop (local.get $x)))`,
  'fib: nothing but recursion': `(func $fib (param i32) (result i32)
      (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
        (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func (export "f") (param $n i32) (loop $l (drop (call $fib (i32.const 12))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))`,
  'nested loops: a product of matrices': `(memory 1) (func (export "f") (param $n i32) (local $i i32) (local $j i32) (local $k i32) (local $s f64)
      (loop $o (local.set $i (i32.const 0)) (loop $a (local.set $j (i32.const 0)) (loop $b (local.set $k (i32.const 0)) (local.set $s (f64.const 0))
        (loop $c (local.set $s (f64.add (local.get $s) (f64.mul
            (f64.load (i32.add (i32.shl (local.get $i) (i32.const 6)) (i32.shl (local.get $k) (i32.const 3))))
            (f64.load offset=512 (i32.add (i32.shl (local.get $k) (i32.const 6)) (i32.shl (local.get $j) (i32.const 3)))))))
          (br_if $c (i32.ne (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 8))))
        (f64.store offset=1024 (i32.add (i32.shl (local.get $i) (i32.const 6)) (i32.shl (local.get $j) (i32.const 3))) (local.get $s))
        (br_if $b (i32.ne (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 8))))
        (br_if $a (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8))))
      (br_if $o (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))`,
};

function mixing(times: number): string {
  const step = '(local.set 0 (i32.rotl (i32.mul (i32.xor (local.get 0) (i32.const 0x5bd1e995)) (i32.const 31)) (i32.const 7)))';
  return step.repeat(times);
}

const row = {
  creation_timestamp: { Integer: 1_700_735_445 },
  id: { String: 'us7000lfan' },
  place: { String: '22km NNE of Hualian, Taiwan' },
  magnitude: { Float: 4.7 },
  depth: { Float: 10.64 },
  kind: { String: 'earthquake' },
  alert: { Integer: 1 },
  tags: { VecString: ['a', 'b'] },
};

for (const [name, text] of Object.entries(loops)) {
  if (!isWanted(name)) continue;
  const bytes = assemble(`(module ${text})`, false);
  const [plain, metered] = [false, true].map((fuel) => load(bytes, { fuel }).exports.f!);
  compare(
    name,
    () => plain!(1000),
    () => metered!(1000),
  );
}
const guests: [name: string, file: string, columns: readonly string[]][] = [
  ['moment (Rust), one column', 'moment/moment.wasm', ['creation_timestamp']],
  ['moment (Rust), whole row', 'moment/moment.wasm', Object.keys(row)],
  ['quake_energy (C), whole row', 'wasm-functions/quake_energy.wasm', Object.keys(row)],
  ['depth_class (AssemblyScript), whole row', 'wasm-functions/depth_class.wasm', Object.keys(row)],
];
for (const [name, file, columns] of guests) {
  if (!isWanted(name)) continue;
  const [plain, metered] = await Promise.all([false, true].map((fuel) => guest(file, columns, fuel)));
  compare(name, plain!, metered!);
}

function isWanted(name: string): boolean {
  return wanted.length === 0 || wanted.some((word) => name.includes(word));
}

/** Runs 1,000 equal rows. */
async function guest(file: string, columns: readonly string[], fuel: boolean): Promise<() => void> {
  const path = new URL(`../../examples/${file}`, import.meta.url);
  const { bytes, info } = rewrite(readFileSync(path), { fuel });
  const kernelMemory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
  const name = info.exports.find(({ kind, type, name }) => kind === 'function' && type === '() -> ()' && name[0] !== '_')!.name;
  const cpu = new CpuLimit({ msPerRow: 30_000 });
  const module = await WebAssembly.compile(bytes);
  const made = new Guest({ module, info, function: name, kernelMemory, cpu, outputBytesPerRow: 2 ** 20 });
  const input = encodeRow(Object.fromEntries(Object.entries(row).filter(([column]) => columns.includes(column))));
  const memory = Buffer.from(kernelMemory.buffer as unknown as ArrayBuffer);
  memory.set(input, 2 ** 20);
  const words = new Uint32Array(kernelMemory.buffer);
  for (let i = 0; i < 1000; i++) words.set([2 ** 20, 2 ** 20 + input.length], 16_384 + 2 * i);
  const results = 2 ** 19;
  const request = {
    inputs: 65_536,
    rows: 1000,
    results,
    out: 2 ** 21,
    outEnd: 3 * 2 ** 20,
    log: 3 * 2 ** 20,
    logEnd: 3 * 2 ** 20 + 65_536,
  };
  return () => {
    const { done, interruptions } = made.run(request);
    if (done !== 1000 || interruptions.length > 0 || words[(results + 999 * RESULT_BYTES) >> 2] !== 0)
      throw new Error(`${file} failed`);
  };
}

function compare(name: string, plain: () => unknown, metered: () => unknown): void {
  let times = 1;
  while (milliseconds(plain, times) < 2) times *= 2;
  let [without, with_] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    without = Math.min(without, milliseconds(plain, times));
    with_ = Math.min(with_, milliseconds(metered, times));
  }
  const each = ((without / times) * 1000).toFixed(1).padStart(8);
  console.log(`${name.padEnd(44)} ${each} µs without, ${((with_ / without - 1) * 100).toFixed(0).padStart(4)} % more with`);
}

function milliseconds(run: () => unknown, times: number): number {
  const start = performance.now();
  for (let i = 0; i < times; i++) run();
  return performance.now() - start;
}
