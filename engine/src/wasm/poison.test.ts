/** Everything that a function can do to hurt, in whole punchlines: each costs its own row, in bounded time, and nothing stays alive. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assemble } from '../../kernel/build-shim.ts';
import { reef, startReef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';

const CPU_MS = 100;
const TIMED_OUT = /^function "f" used more than 100 ms of CPU time \(limits\.cpu_ms_per_row\)/;

const poisons: readonly [what: string, code: string, reason: RegExp][] = [
  ['loops without end', '(loop $l (br $l))', TIMED_OUT],
  ['recurses without end', '(call $deep)', /^function "f" recursed too deep/],
  ['fills memory without end', '(loop $l (memory.fill (i32.const 65536) (i32.const 1) (i32.const 4000000)) (br $l))', TIMED_OUT],
  [
    'copies memory without end',
    '(loop $l (memory.copy (i32.const 65536) (i32.const 131072) (i32.const 4000000)) (br $l))',
    TIMED_OUT,
  ],
  [
    'storms the host for the time',
    '(loop $l (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 64))) (br $l))',
    TIMED_OUT,
  ],
  [
    'reads an input that has ended without end',
    '(loop $l (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))) (br $l))',
    TIMED_OUT,
  ],
  ['wants endless randomness', '(loop $l (drop (call $random (i32.const 65536) (i32.const 4000000))) (br $l))', TIMED_OUT],
  ['grows its memory without end', '(loop $l (drop (memory.grow (i32.const 64))) (br $l))', TIMED_OUT],
  [
    'grows its table without end',
    '(loop $l (drop (table.grow $t (table.get $t (i32.const 0)) (i32.const 1000))) (br $l))',
    TIMED_OUT,
  ],
  [
    'floods its output',
    '(loop $l (call $say (i32.const 1) (i32.const 65536) (i32.const 1000000)) (br $l))',
    /^function "f" answered with more than 16777216 bytes \(limits\.output_bytes_per_row\)/,
  ],
  ['floods its log', '(loop $l (call $say (i32.const 2) (i32.const 65536) (i32.const 1000)) (br $l))', TIMED_OUT],
  [
    'hands bad pointers to the host',
    `(drop (call $fd_read (i32.const 0) (i32.const -4) (i32.const 1) (i32.const -4)))
     (drop (call $fd_write (i32.const 1) (i32.const -4) (i32.const -1) (i32.const 8)))
     (drop (call $clock (i32.const 0) (i64.const 0) (i32.const -1)))
     (drop (call $random (i32.const -8) (i32.const 64))) (return)`,
    /^function "f" gave no answer/,
  ],
  [
    'waits for something',
    '(drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 8))) (return)',
    /gave no answer/,
  ],
  ['ends itself', '(call $exit (i32.const 3))', /^function "f" ended itself with exit code 3/],
  ['says nothing', '(return)', /^function "f" gave no answer/],
  [
    'says half of an answer',
    '(call $say (i32.const 1) (i32.const 16) (i32.const 9)) (return)',
    /gave an answer that cannot be read/,
  ],
  [
    'says that it has 2^60 columns',
    '(call $say (i32.const 1) (i32.const 32) (i32.const 13)) (return)',
    /cannot be read|too many columns/,
  ],
  ['says that a name has 4 GiB', '(call $say (i32.const 1) (i32.const 48) (i32.const 29)) (return)', /cannot be read/],
];

/** Does poison number n for the row {"n": n}, and answers any other row with nothing to add. */
const module = assemble(
  `(module
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 128) (table $t 1 funcref)
    (data (i32.const 16) "\\03\\00\\00\\00\\00")
    (data (i32.const 32) "\\03\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\10")
    (data (i32.const 48) "\\03\\00\\00\\00\\00\\01\\00\\00\\00\\00\\00\\00\\00\\ff\\ff\\ff\\ff\\00\\00\\00\\00aaaaaaaa")
    (func $deep (call $deep))
    (func $say (param $fd i32) (param $at i32) (param $n i32)
      (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $n))
      (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "f") (local $n i64)
      (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 4096))
      (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (local.set $n (i64.load (i32.const ${4096 + 8 + 8 + 1 + 4})))
      ${poisons.map(([, code], n) => `(if (i64.eq (local.get $n) (i64.const ${n})) (then ${code}))`).join('\n')}
      (call $say (i32.const 1) (i32.const 16) (i32.const 13))))`,
  false,
);

const GOOD = '{"n":-1}';

function punchline(folder: string, rows: readonly string[], limits: object): string {
  writeFileSync(join(folder, 'poison.wasm'), module);
  writeFileSync(join(folder, 'in.jsonl'), `${rows.join('\n')}\n`);
  const settings = { path: 'poison.wasm', input_columns: ['n'], limits };
  return writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'f' }] },
    { id: 'f', kind: 'function', type: 'wasm', settings, out: [{ id: 'out' }, { id: 'errors', table: '_ppf_errors' }] },
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.jsonl' } },
    { id: 'errors', kind: 'sink', type: 'file', settings: { path: 'errors.jsonl' } },
  ]);
}

async function run(t: TestContext, rows: readonly string[], limits: object = { cpu_ms_per_row: CPU_MS }) {
  const folder = temporaryFolder(t);
  const file = punchline(folder, rows, limits);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  // CPU time of the whole process: what else the machine does is not in it.
  const ms = Number(/\n {2}CPU +([\d.]+) s/.exec(stderr)?.[1]) * 1000;
  const lines = (name: string) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1);
  const reasons = lines('errors.jsonl').map((line) => JSON.parse(JSON.parse(line)._ppf_error_document).reason as string);
  return { out: lines('out.jsonl'), reasons, ms, stderr };
}

let cleanMs = 0;

test('rows without poison pass', async (t) => {
  const { out, ms } = await run(t, [GOOD, GOOD, GOOD]);
  assert.deepEqual(out, [GOOD, GOOD, GOOD]);
  cleanMs = ms;
});

for (const [n, [what, , reason]] of poisons.entries()) {
  test(`a row on which the function ${what} costs itself, and the process ends`, async (t) => {
    const { out, reasons, ms } = await run(t, [GOOD, `{"n":${n}}`, GOOD, `{"n":${n}}`, GOOD]);
    t.diagnostic(`two stops took ${(ms - cleanMs).toFixed(0)} ms of CPU time`);
    assert.deepEqual(out, [GOOD, GOOD, GOOD]);
    assert.equal(reasons.length, 2);
    for (const text of reasons) assert.match(text, reason);
  });
}

test('all poisons in one punchline, again and again, leave the good rows and bounded memory', async (t) => {
  const short = poisons.flatMap(([, , reason], n) => (reason === TIMED_OUT ? [] : [`{"n":${n}}`]));
  const rows = Array.from({ length: 100 }, () => short.flatMap((bad) => [bad, GOOD])).flat();
  const { out, reasons, ms, stderr } = await run(t, rows);
  assert.equal(out.length, 100 * short.length);
  assert.equal(reasons.length, 100 * short.length);
  t.diagnostic(`${reasons.length} stops took ${(ms - cleanMs).toFixed(0)} ms of CPU time in all`);
  const megabytes = Number(/memory +([\d.]+) MB at most/.exec(stderr)?.[1]);
  assert.ok(megabytes < 300, `${megabytes} MB`);
});

test('a log that is flooded is cut to its rate, and says how much was cut', async (t) => {
  const flood = poisons.findIndex(([what]) => what === 'floods its log');
  const { stderr } = await run(t, [GOOD, `{"n":${flood}}`, GOOD], { cpu_ms_per_row: CPU_MS, log_bytes_per_sec: 1000 });
  assert.match(stderr, /printed \d{4,} bytes more than log_bytes_per_sec \(1000\) lets through/);
  assert.ok(stderr.length < 20_000, `${stderr.length} bytes of log`);
});

/** What `npm install` puts on the path. */
const installed = fileURLToPath(new URL('../../bin/reef.js', import.meta.url));

const stops: readonly [how: string, args: readonly string[], signals: number, waits: number, code: number][] = [
  ['the end of the time to deliver', ['--drain-secs', '1'], 1, 1000, 4],
  ['no time to deliver at all', ['--drain-secs', '0'], 1, 0, 4],
  ['a second signal', [], 2, 0, 143],
];

for (const [how, args, signals, waits, code] of stops) {
  test(`${how} ends a function in the middle of a loop that may run for an hour`, async (t) => {
    const folder = temporaryFolder(t);
    const file = punchline(folder, [GOOD, '{"n":0}', GOOD], { cpu_ms_per_row: 3_600_000 });
    const { child, ended } = startReef(t, ['run', file, '--state', join(folder, 'state'), ...args], {}, installed);
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    const until = async (is: () => boolean): Promise<void> => {
      while (!isOver && !is()) await new Promise(setImmediate);
    };
    // The in-flight record names the partition once one of its batches is being computed.
    const names = join(folder, 'state/inflight.names');
    await until(() => existsSync(names) && readFileSync(names).length > 0);
    let from = performance.now();
    child.kill('SIGTERM');
    if (signals === 2) {
      let said = '';
      child.stderr.on('data', (text: string) => {
        said += text;
      });
      await until(() => said.includes('once more ends at once'));
      from = performance.now();
      child.kill('SIGTERM');
    }
    const end = await ended;
    const ms = performance.now() - from;
    t.diagnostic(`the end came after ${ms.toFixed(0)} ms, ${waits} of them asked for`);
    assert.equal(end.code, code, end.stderr);
    assert.ok(ms >= waits && ms < waits + 10_000, `${ms} ms`);
    // What was cut short was not delivered as if it had failed.
    assert.equal(readFileSync(join(folder, 'errors.jsonl'), 'utf8'), '');
    // A thread that cannot be ended takes the process with it, and the next start finds the row: this was none.
    assert.equal(end.signal, null);
  });
}
