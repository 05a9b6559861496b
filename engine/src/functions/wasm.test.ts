import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assemble } from '../../kernel/build-shim.ts';
import { mainFile, reef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';

const momentFile = fileURLToPath(new URL('../../../examples/moment/moment.wasm', import.meta.url));

/** Runs rows through one wasm node to a file and its error table to another. */
async function run(t: TestContext, settings: object, rows: readonly string[], prepare?: (folder: string) => void) {
  return runDeclared(t, settings, rows, undefined, prepare);
}

/** The edge into the node declares these columns. */
async function runDeclared(
  t: TestContext,
  settings: object,
  rows: readonly string[],
  columns?: readonly object[],
  prepare?: (folder: string) => void,
) {
  const folder = temporaryFolder(t);
  prepare?.(folder);
  writeFileSync(join(folder, 'in.jsonl'), `${rows.join('\n')}\n`);
  const into = { id: 'f', ...(columns ? { columns } : {}) };
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl', encoding: 'json' }, out: [into] },
    { id: 'f', kind: 'function', type: 'wasm', settings, out: [{ id: 'out' }, { id: 'errors', table: '_ppf_errors' }] },
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.jsonl', encoding: 'json' } },
    { id: 'errors', kind: 'sink', type: 'file', settings: { path: 'errors.jsonl', encoding: 'json' } },
  ]);
  const ended = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  const check = () => reef(t, ['check', file]);
  const read = (name: string) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  return {
    ...ended,
    check,
    out: () => read('out.jsonl'),
    errors: () => read('errors.jsonl').map((line) => JSON.parse(JSON.parse(line)._ppf_error_document)),
  };
}

const rows = ['{"creation_timestamp":1700006400}', '{"creation_timestamp":"x"}', '{"creation_timestamp":1700049600,"a":[1 ]}'];

test('a punchline runs a wasm function, and a row that fails goes to its error table with the digest', async (t) => {
  const { code, out, errors, stderr } = await run(t, { path: momentFile, function: 'moment' }, rows);
  assert.equal(code, 0, stderr);
  assert.deepEqual(out(), [
    '{"creation_timestamp":1700006400,"moment":"midnight"}',
    '{"creation_timestamp":1700049600,"a":[1 ],"moment":"midday"}',
  ]);
  const [document] = errors();
  assert.equal(document.reason, 'BadTypeError: Not an integer');
  assert.match(document.digest, /^[0-9a-f]{64}$/);
  assert.equal(document.node, 'f');
});

test('a function runs where SIMD is missing, and its traps cost their rows', (t) => {
  const folder = temporaryFolder(t);
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'f' }] },
    { id: 'f', kind: 'function', type: 'wasm', settings: { path: 'f.wasm' }, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.jsonl' } },
  ]);
  copyFileSync(momentFile, join(folder, 'f.wasm'));
  writeFileSync(
    join(folder, 'in.jsonl'),
    `${Array.from({ length: 100 }, () => rows)
      .flat()
      .join('\n')}\n`,
  );
  // V8 gives WebAssembly no SIMD on a processor without SSE 4.1; other processors have it always.
  const flags = process.arch === 'x64' ? ['--no-enable-sse4-1'] : [];
  const { status, stderr } = spawnSync(process.execPath, [...flags, mainFile, 'run', file, '--state', join(folder, 'state')], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.equal(readFileSync(join(folder, 'out.jsonl'), 'utf8').split('\n').length, 201);
  assert.equal(readFileSync(join(folder, 'state/dead-letters.ndjson'), 'utf8').split('\n').length, 101);
});

test('a module is found in the artifact folder', async (t) => {
  const { code, out, stderr } = await run(t, { path: 'wasm:reef:moment:latest' }, rows, (folder) => {
    mkdirSync(join(folder, 'artifacts/moment'), { recursive: true });
    writeFileSync(join(folder, 'artifacts/moment/metadata.yaml'), 'type: wasm\ngroup: reef\nartifact: moment\nversion: 1.0\n');
    copyFileSync(momentFile, join(folder, 'artifacts/moment/moment.wasm'));
  });
  assert.equal(code, 0, stderr);
  assert.equal(out().length, 2);
});

test('a punchline whose module is wrong does not start', async (t) => {
  const { code, stderr } = await run(t, { path: momentFile, function: 'momnt' }, rows);
  assert.notEqual(code, 0);
  assert.match(stderr, /it has no export "momnt", it exports moment; did you mean "moment"\?/);
});

test('a module that does not get through its start is told when the punchline starts', async (t) => {
  const { code, stderr } = await run(t, { path: 'start.wasm' }, rows, (folder) => {
    const module = '(module (memory (export "memory") 1) (func (export "_initialize") (unreachable)) (func (export "f")))';
    writeFileSync(join(folder, 'start.wasm'), assemble(module, false));
  });
  assert.notEqual(code, 0);
  assert.match(stderr, /Cannot open function "f": its module does not start: unreachable/);
});

test('a module that loops in its start is told with the limit', async (t) => {
  const settings = { path: 'start.wasm', limits: { cpu_ms_per_row: 100 } };
  for (const start of ['(func (export "_initialize") (loop $l (br $l)))', '(func $s (loop $l (br $l))) (start $s)']) {
    const { code, stderr } = await run(t, settings, rows, (folder) => {
      writeFileSync(
        join(folder, 'start.wasm'),
        assemble(`(module (memory (export "memory") 1) ${start} (func (export "f")))`, false),
      );
    });
    assert.notEqual(code, 0);
    assert.match(stderr, /"f": its module does not start: it used more than 100 ms of CPU time \(limits\.cpu_ms_per_row\)/);
  }
});

test('a start that fails leaves the outputs of the run before as they are, and is not taken for a kill', async (t) => {
  let folder = '';
  const { stderr } = await run(t, { path: 'f.wasm' }, rows, (made) => {
    folder = made;
    writeFileSync(join(folder, 'f.wasm'), 'no module');
    writeFileSync(join(folder, 'out.jsonl'), 'what an earlier run has written\n');
  });
  assert.match(stderr, /Cannot load wasm module "f\.wasm"/);
  assert.equal(readFileSync(join(folder, 'out.jsonl'), 'utf8'), 'what an earlier run has written\n');
  copyFileSync(momentFile, join(folder, 'f.wasm'));
  const again = await reef(t, ['run', join(folder, 'punchline.yaml'), '--state', join(folder, 'state')]);
  assert.equal(again.code, 0, again.stderr);
  assert.doesNotMatch(again.stderr, /was killed/);
  assert.equal(readFileSync(join(folder, 'out.jsonl'), 'utf8').split('\n').length, 3);
});

test('a WASI function that is imported with another type is named', async (t) => {
  const { stderr } = await run(t, { path: 'type.wasm' }, rows, (folder) => {
    const imported = '(import "wasi_snapshot_preview1" "fd_read" (func (param i32)))';
    writeFileSync(
      join(folder, 'type.wasm'),
      assemble(`(module ${imported} (memory (export "memory") 1) (func (export "f")))`, false),
    );
  });
  assert.match(
    stderr,
    /Cannot load wasm module "type\.wasm": it imports fd_read as a function \(i32\) -> \(\); WASI preview 1 has /,
  );
});

test('repeated failure stops the punchline when told so, and loses no row', async (t) => {
  const many = Array.from({ length: 400 }, () => '{"creation_timestamp":"x"}');
  const settings = { path: momentFile, function: 'moment', on_repeated_failure: 'stop', failure_rate: 0.1 };
  const { code, stderr } = await run(t, settings, many);
  assert.notEqual(code, 0);
  assert.match(stderr, /Stopping at function "f": 100 % of its last rows failed, more than failure_rate 0\.1/);
});

test('what a function prints is in the log, and a panic says in the reason what it printed', async (t) => {
  const shout = assemble(
    `(module
      (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\\10\\00\\00\\00\\05\\00\\00\\00") (data (i32.const 16) "panic")
      (func (export "f") (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8))) (unreachable)))`,
    false,
  );
  const { code, errors, stderr } = await run(t, { path: 'shout.wasm' }, ['{"a":1}'], (folder) => {
    writeFileSync(join(folder, 'shout.wasm'), shout);
  });
  assert.equal(code, 0, stderr);
  assert.equal(errors()[0].reason, 'function "f" trapped: unreachable; it said: panic');
  assert.match(stderr, /panic/);
});

test('a column that the edge into the node declares is sent with that type', async (t) => {
  const columns = [{ name: 'creation_timestamp', type: 'float' }];
  const { errors, stderr } = await runDeclared(t, { path: momentFile }, ['{"creation_timestamp":1700006400}'], columns);
  assert.equal(errors()[0].reason, 'BadTypeError: Not an integer', stderr);
});

test('check says what a function is, is sent, and may use', async (t) => {
  const { check } = await run(t, { path: momentFile, grant: { clock: true } }, rows);
  const { code, stdout } = await check();
  assert.equal(code, 0);
  assert.match(stdout, /function "f" calls moment of .*moment\.wasm, 96 KiB, SHA-256 [0-9a-f]{12}…, in bincode/);
  assert.match(stdout, /function "f" is sent the whole row: input_columns with what the function reads/);
  assert.match(stdout, /function "f" imports random_get, fd_read, .*; is granted clock/);
  assert.match(stdout, /may use 30000 ms of CPU time \(that is how long a poisoned row holds its partition/);
});

test('check reports a module that cannot be opened, at the node', async (t) => {
  const { check } = await run(t, { path: 'missing.wasm' }, rows);
  const { code, stderr } = await check();
  assert.equal(code, 3);
  assert.match(stderr, /punchline\.yaml:\d+:\d+: error: Cannot load wasm module "missing\.wasm": .* does not exist/);
});

test('integers beyond 32 bits are warned of once for each column and counted, or rejected when told so', async (t) => {
  const wide = Array.from(
    { length: 12_000 },
    (_, n) => `{"creation_timestamp":${n < 9000 ? 5e9 + n : n},"b":${n === 7 ? 2 ** 40 : 1}}`,
  );
  const lenient = await run(t, { path: momentFile }, wide);
  assert.equal(lenient.code, 0, lenient.stderr);
  assert.equal(lenient.out().length, 12_000);
  const warned = lenient.stderr.match(/warn .*rows with integers beyond 32 bits in column "\w+"/g)!;
  assert.deepEqual(warned.map((line) => /"(\w+)"$/.exec(line)![1]).sort(), ['b', 'creation_timestamp']);
  assert.match(lenient.stderr, / 9,000 at "f" with integers beyond 32 bits in column "creation_timestamp"\n/);
  assert.match(lenient.stderr, / 1 at "f" with integers beyond 32 bits in column "b"\n/);
  const strict = await run(t, { path: momentFile, strict_integers: true, input_columns: ['creation_timestamp'] }, wide);
  assert.equal(strict.out().length, 3000);
  assert.equal(strict.errors().length, 9000);
  assert.match(strict.errors()[0].reason, /column "creation_timestamp" holds an integer beyond 32 bits/);
  assert.doesNotMatch(strict.stderr, /rows with integers/);
});

test('limits that make no sense are told at the node, with what would be right', async (t) => {
  const folder = temporaryFolder(t);
  const cases: [limits: object, problem: RegExp][] = [
    [{ cpu_ms_per_row: 0 }, /cpu_ms_per_row" is the number 0, expected .*10/],
    [{ cpu_ms_per_row: -1 }, /cpu_ms_per_row" is the number -1, expected .*10/],
    [{ cpu_ms_per_row: 1e12 }, /cpu_ms_per_row" is the number 1000000000000, expected .*3600000/],
    [{ cpu_ms_per_row: 12.5 }, /cpu_ms_per_row" is the number 12.5, expected/],
    [{ memory_bytes: 1 }, /memory_bytes" is the number 1, expected .*65536/],
    [{ memory_bytes: 2 ** 33 }, /memory_bytes" is the number 8589934592, expected .*1073741824/],
    [{ output_bytes_per_row: 0 }, /output_bytes_per_row" is the number 0, expected .*64/],
    [{ output_bytes_per_row: 2 ** 32 }, /output_bytes_per_row" is the number 4294967296, expected .*268435456/],
    [{ log_bytes_per_sec: -5 }, /log_bytes_per_sec" is the number -5, expected .*0/],
    [{ cpu_secs: 1 }, /cpu_secs/],
  ];
  for (const [limits, problem] of cases) {
    const file = writePunchline(folder, 'BatchPunchline', [
      { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'f' }] },
      { id: 'f', kind: 'function', type: 'wasm', settings: { path: momentFile, limits }, out: [{ id: 'out' }] },
      { id: 'out', kind: 'sink', type: 'blackhole' },
    ]);
    const { code, stderr } = await reef(t, ['check', file]);
    assert.equal(code, 3, JSON.stringify(limits));
    assert.match(stderr, problem);
  }
});

test('the smallest and the largest limits work', async (t) => {
  const smallest = { cpu_ms_per_row: 10, memory_bytes: 4 * 2 ** 20, output_bytes_per_row: 64, log_bytes_per_sec: 0 };
  const largest = {
    cpu_ms_per_row: 3_600_000,
    memory_bytes: 2 ** 30,
    output_bytes_per_row: 256 * 2 ** 20,
    log_bytes_per_sec: 2 ** 20,
  };
  for (const limits of [smallest, largest]) {
    const { code, out, stderr } = await run(t, { path: momentFile, input_columns: ['creation_timestamp'], limits }, rows);
    assert.equal(code, 0, stderr);
    assert.equal(out().length, 2);
  }
});

test('a module that needs more memory than memory_bytes is refused with both figures', async (t) => {
  const { code, stderr } = await run(t, { path: momentFile, limits: { memory_bytes: 65_536 } }, rows);
  assert.notEqual(code, 0);
  assert.match(stderr, /Cannot load wasm module .*memory/);
});
