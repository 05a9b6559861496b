import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeRow } from '../../../examples/wasm-functions/plain-host.ts';
import { assemble } from '../../kernel/build-shim.ts';
import { CpuLimit } from './cpu-limit.ts';
import { loadFunctionModule } from './function-module.ts';
import type { Grants } from './grants.ts';
import { Guest, type Interruption } from './guest.ts';
import { loadShim, RESULT_BYTES } from './shim.ts';

interface Answer {
  readonly status: number;
  readonly output: Buffer;
  readonly log: string;
  readonly dropped: number;
}

interface Options {
  readonly name?: string;
  readonly cpuMs?: number;
  readonly outputBytes?: number;
  readonly memoryBytes?: number;
  readonly grants?: Grants;
  readonly cancel?: Int32Array;
  /** Room for all answers together in the kernel's memory. */
  readonly room?: number;
  readonly shim?: 'simd' | 'scalar';
}

/** A guest with a kernel memory of its own; `run` hands rows over and fetches what came of each. */
async function open(bytes: Uint8Array, options: Options = {}) {
  const {
    module,
    info,
    function: name,
  } = await loadFunctionModule(bytes, {
    name: 'test.wasm',
    function: options.name,
    memoryBytes: options.memoryBytes,
  });
  const kernelMemory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
  const cpu = new CpuLimit({ msPerRow: options.cpuMs ?? 30_000, ...(options.cancel ? { cancel: options.cancel } : {}) });
  const guest = new Guest({
    module,
    info,
    function: name,
    kernelMemory,
    cpu,
    outputBytesPerRow: options.outputBytes ?? 16 * 2 ** 20,
    ...(options.grants ? { grants: options.grants } : {}),
    ...(options.shim ? { shim: loadShim(options.shim) } : {}),
  });
  const memory = Buffer.from(kernelMemory.buffer as unknown as ArrayBuffer);
  const out = 2 * 2 ** 20;
  const outEnd = out + (options.room ?? 2 ** 20);

  function run(rows: readonly Uint8Array[]): { answers: Answer[]; interruptions: Interruption[] } {
    const answers: Answer[] = [];
    const interruptions: Interruption[] = [];
    while (answers.length < rows.length) {
      const first = answers.length;
      const left = rows.slice(first, first + 1000);
      let at = 2 ** 20;
      for (const [i, row] of left.entries()) {
        memory.writeUInt32LE(at, 65_536 + 8 * i);
        memory.set(row, at);
        at += row.length;
        memory.writeUInt32LE(at, 65_536 + 8 * i + 4);
      }
      const results = 2 ** 19;
      const outcome = guest.run({
        inputs: 65_536,
        rows: left.length,
        results,
        out,
        outEnd,
        log: 3 * 2 ** 20,
        logEnd: 3 * 2 ** 20 + 65_536,
      });
      for (let i = 0; i < outcome.done; i++) {
        const word = (offset: number) => memory.readUInt32LE(results + RESULT_BYTES * i + offset);
        const isLarge = outcome.large !== undefined && i === outcome.done - 1;
        answers.push({
          status: word(0),
          output: isLarge ? Buffer.from(outcome.large!) : Buffer.from(memory.subarray(word(4), Math.max(word(4), word(8)))),
          log: memory.toString('utf8', word(16), word(20)),
          dropped: word(24),
        });
      }
      interruptions.push(...outcome.interruptions.map(({ row, what }) => ({ row: row + first, what })));
    }
    return { answers, interruptions };
  }
  return { guest, cpu, run, kernelMemory };
}

/** A module around a body; `$say` writes bytes at an address to a stream, `$read` reads the row to 4096 and returns its length. */
function module(body: string, { memory = '1', before = '' } = {}): Uint8Array {
  return assemble(
    `(module
      (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
      ${before}
      (memory (export "memory") ${memory})
      (global $count (mut i32) (i32.const 0))
      (func $say (param $fd i32) (param $at i32) (param $n i32)
        (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $n))
        (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
      (func $read (result i32)
        (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 60000))
        (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (i32.load (i32.const 8)))
      ${body})`,
    false,
  );
}

const rows = (...texts: string[]) => texts.map((text) => Buffer.from(text));
/** Says the row back, unless it starts with `!`: then it does the given thing first. */
const poison = (what: string, before = '', options: { memory?: string } = {}) =>
  module(
    `${before}
     (func (export "f") (local $n i32)
       (local.set $n (call $read))
       (if (i32.eq (i32.load8_u (i32.const 4096)) (i32.const 33)) (then ${what}))
       (call $say (i32.const 1) (i32.const 4096) (local.get $n)))`,
    options,
  );
const texts = (answers: readonly Answer[]) => answers.map(({ output }) => output.toString());

/** Milliseconds of this thread's CPU, for saying how long a stop took. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

test('rows go through the guest in order, each with its own answer', async () => {
  const { run } = await open(poison('(nop)'));
  const texts500 = Array.from({ length: 2500 }, (_, i) => `row ${i} ${'x'.repeat(i % 300)}`);
  const { answers, interruptions } = run(rows(...texts500));
  assert.deepEqual(texts(answers), texts500);
  assert.deepEqual(interruptions, []);
});

test('the Rust function answers through the shim as it does in a plain host', async () => {
  const bytes = readFileSync(new URL('../../../examples/moment/moment.wasm', import.meta.url));
  const { run } = await open(bytes, { name: 'moment' });
  const noon = Buffer.from(encodeRow({ creation_timestamp: { Integer: 1_700_049_600 }, other: { String: 'é' } }));
  const { answers } = run([noon, Buffer.from([1, 2, 3]), noon]);
  const midday = '0300000000010000000000000006000000000000006d6f6d656e740000000006000000000000006d6964646179';
  assert.equal(answers[0]!.output.toString('hex'), midday);
  assert.match(answers[1]!.output.toString(), /Wasm deserialization error : RuntimeError: UnexpectedEnd \{ additional: 5 \}$/);
  assert.equal(answers[2]!.output.toString('hex'), midday);
});

const ways: readonly [name: string, what: string, reason: RegExp, before?: string][] = [
  ['traps', '(unreachable)', /^trapped: unreachable$/],
  ['divides by zero', '(drop (i32.div_s (i32.const 1) (i32.sub (local.get $n) (local.get $n))))', /^trapped: divide by zero$/],
  ['recurses without end', '(call $deep)', /^recursed too deep$/, '(func $deep (call $deep))'],
  ['reads beyond its memory', '(drop (i32.load (i32.const -8)))', /^trapped: memory access out of bounds$/],
  ['exits', '(call $exit (i32.const 7))', /^ended itself with exit code 7$/],
  [
    'floods its output',
    '(loop $l (call $say (i32.const 1) (i32.const 0) (i32.const 60000)) (br $l))',
    /^answered with more than 16777216 bytes/,
  ],
  ['loops without end', '(loop $l (br $l))', /^used more than 30 ms of CPU time/],
  [
    'storms the host',
    '(loop $l (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 8))) (br $l))',
    /^used more than 30 ms/,
  ],
  [
    'asks for endless randomness',
    '(loop $l (drop (call $random (i32.const 0) (i32.const 65536))) (br $l))',
    /^used more than 30 ms/,
  ],
  [
    'fills memory without end',
    '(loop $l (memory.fill (i32.const 8192) (i32.const 0) (i32.const 50000)) (br $l))',
    /^used more than 30 ms/,
  ],
  [
    'floods its log without end',
    '(loop $l (call $say (i32.const 2) (i32.const 0) (i32.const 60000)) (br $l))',
    /^used more than 30 ms/,
  ],
];
for (const [name, what, reason, before] of ways) {
  test(`a row on which the function ${name} costs only itself`, async (t) => {
    const { run, guest } = await open(poison(what, before), { cpuMs: 30 });
    const start = cpuMs();
    const { answers, interruptions } = run(rows('a', 'b', '!', 'c', '!', 'd'));
    t.diagnostic(`two stops took ${(cpuMs() - start).toFixed(1)} ms of CPU time`);
    assert.deepEqual(
      interruptions.map(({ row }) => row),
      [2, 4],
    );
    for (const { what } of interruptions) assert.match(what, reason);
    assert.deepEqual(
      [0, 1, 3, 5].map((row) => texts(answers)[row]),
      ['a', 'b', 'c', 'd'],
    );
    assert.equal(guest.resets, 2);
  });
}

for (const shim of ['simd', 'scalar'] as const) {
  test(`what a row changed in memory, globals and memory size is gone after a trap, with the ${shim} shim`, async () => {
    const { run } = await open(
      module(
        `(func (export "f") (local $n i32)
         (local.set $n (call $read))
         (global.set $count (i32.add (global.get $count) (i32.const 1)))
         (i32.store8 (i32.const 50000) (i32.add (i32.load8_u (i32.const 50000)) (i32.const 1)))
         (i32.store8 (i32.const 20) (i32.add (i32.const 48) (global.get $count)))
         (i32.store8 (i32.const 21) (i32.add (i32.const 48) (i32.load8_u (i32.const 50000))))
         (i32.store8 (i32.const 22) (i32.add (i32.const 48) (memory.size)))
         (drop (memory.grow (i32.const 1)))
         (i32.store8 (i32.add (i32.const -1) (i32.mul (memory.size) (i32.const 65536))) (i32.const 9))
         (call $say (i32.const 1) (i32.const 20) (i32.const 3))
         (if (i32.eq (i32.load8_u (i32.const 4096)) (i32.const 33)) (then (unreachable))))
       (data (i32.const 50000) "\\02")`,
      ),
      { shim },
    );
    const { answers } = run(rows('a', 'b', '!', 'a', '!', 'a', 'b'));
    assert.deepEqual(
      texts(answers).filter((_, i) => i !== 2 && i !== 4),
      ['131', '242', '131', '131', '242'],
    );
  });

  test(`the ${shim} shim finds a byte that was changed wherever it stands`, async () => {
    // Says how much is not zero in the page from 128 KiB on, then writes a byte where the row says, and traps.
    const { run } = await open(
      module(
        `(func (export "f") (local $i i32) (local $sum i32)
           (drop (call $read))
           (loop $l
             (local.set $sum (i32.or (local.get $sum) (i32.load8_u (i32.add (i32.const 131072) (local.get $i)))))
             (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4096))))
           (i32.store8 (i32.const 20) (i32.add (i32.const 48) (local.get $sum)))
           (call $say (i32.const 1) (i32.const 20) (i32.const 1))
           (i32.store8 (i32.add (i32.const 131072) (i32.load16_u (i32.const 4096))) (i32.const 1))
           (unreachable))`,
        { memory: '3' },
      ),
      { shim },
    );
    const places = Array.from({ length: 4096 }, (_, at) => Buffer.from([at & 255, at >> 8]));
    for (const { status, output } of run(places).answers) assert.deepEqual([status, output.toString()], [1, '0']);
  });
}

test('a function that changes its table gets a new instance after a trap', async () => {
  const { run } = await open(
    module(
      `(table $t 2 funcref)
       (elem (i32.const 0) $one $two) (elem declare func $two)
       (func $one (i32.store8 (i32.const 20) (i32.const 49))) (func $two (i32.store8 (i32.const 20) (i32.const 50)))
       (func (export "f")
         (drop (call $read))
         (call_indirect (i32.const 0))
         (table.set $t (i32.const 0) (ref.func $two))
         (call $say (i32.const 1) (i32.const 20) (i32.const 1))
         (if (i32.eq (i32.load8_u (i32.const 4096)) (i32.const 33)) (then (unreachable))))`,
    ),
  );
  assert.deepEqual(
    texts(run(rows('a', 'b', '!', 'a', 'b')).answers).filter((_, i) => i !== 2),
    ['1', '2', '1', '2'],
  );
});

test('memory stays flat over 100,000 traps, however much each row allocates', async (t) => {
  const { run, guest } = await open(
    poison('(drop (memory.grow (i32.const 4))) (i32.store (i32.const 70000) (i32.const 1)) (unreachable)'),
  );
  const batch = Array.from({ length: 1000 }, () => Buffer.from('!'));
  run(batch);
  const before = { guest: guest.memoryBytes, rss: process.memoryUsage.rss() };
  const start = cpuMs();
  for (let i = 0; i < 100; i++) run(batch);
  t.diagnostic(`a trap and its reset took ${(((cpuMs() - start) * 1000) / 100_000).toFixed(1)} us of CPU time`);
  assert.equal(guest.resets, 101_000);
  assert.equal(guest.memoryBytes, before.guest);
  assert.ok(process.memoryUsage.rss() - before.rss < 64 * 2 ** 20, `${process.memoryUsage.rss() - before.rss} bytes more`);
});

test('growing memory ends at memory_bytes, and large memory is given back', async () => {
  const { run, guest } = await open(
    poison('(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)'),
    {
      memoryBytes: 128 * 2 ** 20,
    },
  );
  const { answers, interruptions } = run(rows('a', '!', 'b'));
  assert.equal(interruptions[0]!.what, 'trapped: unreachable');
  assert.equal(answers[2]!.output.toString(), 'b');
  assert.equal(guest.memoryBytes, 65_536);
});

test('bad pointers are answered with EFAULT, and nothing outside the guest is touched', async () => {
  const call = (code: string) =>
    `(i32.store8 (i32.const 30) (i32.add (i32.const 48) ${code})) (call $say (i32.const 1) (i32.const 30) (i32.const 1))`;
  const { run, kernelMemory } = await open(
    module(
      `(func (export "f")
        (i32.store (i32.const 16) (i32.const -16)) (i32.store (i32.const 20) (i32.const 64))
        ${call('(call $fd_read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 8))')}
        ${call('(call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8))')}
        ${call('(call $fd_write (i32.const 1) (i32.const -4) (i32.const 1) (i32.const 8))')}
        ${call('(call $fd_write (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 65533))')}
        ${call('(call $fd_write (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 8))')}
        ${call('(call $random (i32.const 1) (i32.const -1))')}
        ${call('(call $clock (i32.const 0) (i64.const 0) (i32.const -7))')}
        ${call('(call $clock (i32.const 9) (i64.const 0) (i32.const 8))')})`,
    ),
  );
  const guarded = new Uint8Array(kernelMemory.buffer as unknown as ArrayBuffer, 3.5 * 2 ** 20).fill(7);
  const fault = String.fromCharCode(48 + 21);
  assert.equal(
    texts(run([Buffer.alloc(100)]).answers)[0],
    `${fault}${fault}${fault}${fault}8${fault}${fault}${String.fromCharCode(48 + 28)}`,
  );
  assert.ok(guarded.every((byte) => byte === 7));
});

test('an answer that has no room beside the others arrives whole', async () => {
  const big = Array.from({ length: 40 }, (_, i) => `${i}${'y'.repeat(i % 5 === 0 ? 50_000 : 10)}`);
  const { run } = await open(poison('(nop)'), { room: 70_000 });
  assert.deepEqual(texts(run(rows(...big)).answers), big);
});

test('of what a row prints to standard error the first bytes are kept and the rest counted', async () => {
  const { run } = await open(
    poison('(call $say (i32.const 2) (i32.const 4096) (local.get $n)) (call $say (i32.const 2) (i32.const 4096) (local.get $n))'),
  );
  const { answers } = run(rows('!oops', 'a', `!${'z'.repeat(5000)}`));
  assert.deepEqual(
    answers.map(({ log, dropped }) => [log.length, dropped]),
    [
      [10, 0],
      [0, 0],
      [2048, 10_002 - 2048],
    ],
  );
  assert.equal(answers[0]!.log, '!oops!oops');
});

test('without grants random bytes, clocks, environment and arguments are the same every time', async () => {
  const look = module(
    `(func (export "f")
      (drop (call $random (i32.const 100) (i32.const 13)))
      (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 113)))
      (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 121)))
      (drop (call $sizes (i32.const 129) (i32.const 133)))
      (call $say (i32.const 1) (i32.const 100) (i32.const 37)))`,
    { before: '(import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))' },
  );
  const once = async () => {
    const { run, guest } = await open(look);
    guest.setTime(1_700_000_000_123);
    return run(rows('', '')).answers.map(({ output }) => output);
  };
  const [first, second] = await once();
  assert.deepEqual(await once(), [first, second]);
  assert.notDeepEqual(first!.subarray(0, 13), second!.subarray(0, 13));
  assert.equal(first!.readBigUInt64LE(13), 1_700_000_000_123_000_000n);
  assert.ok(first!.readBigUInt64LE(21) > 0n && second!.readBigUInt64LE(21) > first!.readBigUInt64LE(21));
  assert.equal(first!.readUInt32LE(29), 0);
});

test('granted clock, randomness, environment and arguments are the real ones', async () => {
  const { run } = await open(
    module(
      `(func (export "f")
        (drop (call $random (i32.const 100) (i32.const 16)))
        (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 116)))
        (drop (call $sizes (i32.const 124) (i32.const 128)))
        (drop (call $environ (i32.const 200) (i32.const 132)))
        (call $say (i32.const 1) (i32.const 100) (i32.const 40)))`,
      {
        before: `(import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
                 (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))`,
      },
    ),
    { grants: { clock: true, random: true, env: { SITE: 'x1' }, args: [] } },
  );
  const before = BigInt(Date.now()) * 1_000_000n;
  const [first, second] = run(rows('', '')).answers.map(({ output }) => output);
  assert.notDeepEqual(first!.subarray(0, 16), second!.subarray(0, 16));
  assert.ok(first!.readBigUInt64LE(16) >= before);
  assert.deepEqual([first!.readUInt32LE(24), first!.readUInt32LE(28)], [1, 8]);
  assert.equal(first!.toString('latin1', 32, 40), 'SITE=x1\0');
});

test('a flag in shared memory stops a running function at once', async () => {
  const cancel = new Int32Array(new SharedArrayBuffer(4));
  const { run } = await open(poison('(loop $l (br $l))'), { cancel });
  assert.deepEqual(texts(run(rows('a')).answers), ['a']);
  cancel[0] = 1;
  const start = cpuMs();
  assert.throws(() => run(rows('!')), /it was cancelled/);
  assert.ok(cpuMs() - start < 1000);
});

test('after a time-out a row has 1 s until 1,000 rows have passed', () => {
  let now = 0;
  const cpu = new CpuLimit({ msPerRow: 30_000, clock: () => now });
  cpu.begin();
  // Measured from the second look on: the first only tells which row runs.
  assert.equal(cpu.look(0), 0);
  assert.equal(cpu.look(0), 0);
  now = 29_999;
  assert.equal(cpu.look(0), 0);
  now = 30_000;
  assert.equal(cpu.look(0), 1);
  assert.equal(cpu.takeStopped(), 'cpu');
  cpu.passed(1, true);
  assert.equal(cpu.limitMs, 1000);
  assert.equal(cpu.look(1), 0);
  assert.equal(cpu.look(1), 0);
  now += 1000;
  assert.equal(cpu.look(1), 1);
  cpu.passed(999, false);
  assert.equal(cpu.limitMs, 1000);
  cpu.passed(1, false);
  assert.equal(cpu.limitMs, 30_000);
});

test('after a time-out a slow function keeps 100 times its p99', () => {
  let now = 0;
  const cpu = new CpuLimit({ msPerRow: 30_000, clock: () => now });
  for (let row = 0; row < 100; row++) {
    cpu.begin();
    cpu.look(row);
    cpu.look(row);
    now += 60;
    cpu.look(row);
    cpu.passed(1, false);
  }
  cpu.begin();
  cpu.passed(1, true);
  assert.equal(cpu.limitMs, 6400);
});
