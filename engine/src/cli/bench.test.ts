import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assemble } from '../../kernel/build-shim.ts';
import { runBench } from './bench.ts';

const moment = fileURLToPath(new URL('../../../examples/moment/moment.wasm', import.meta.url));
const earthquakes = fileURLToPath(new URL('../../../examples/moment/earthquakes.jsonl', import.meta.url));

async function bench(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const into = (name: 'out' | 'err') => ({
    write(text: string): void {
      written[name] += text;
    },
  });
  const code = await runBench(args, { stdout: into('out'), stderr: into('err'), cwd: tmpdir() });
  return { code, ...written };
}

function fileWith(t: TestContext, content: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'reef-bench-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'file'), content);
  return join(folder, 'file');
}

const figure = (out: string, label: string): number =>
  Number(new RegExp(`${label} +([\\d,]+) ns a row`).exec(out)?.[1]?.replaceAll(',', ''));

test('bench measures a function against the same rows passed through', async (t) => {
  const { code, out, err } = await bench(moment, '--rows', earthquakes, '--input-columns', 'creation_timestamp');
  assert.equal(code, 0, err);
  t.diagnostic(out);
  assert.match(out, /moment\.wasm: moment\n {2}sent +creation_timestamp, in bincode\n {2}rows +1,707, /);
  assert.match(out, /guest memory +1\.\d MiB\n$/);
  // A row through the guest costs far more than scanning it: the function was called.
  const [all, without, alone] = ['all steps', 'without it', 'the function'].map((label) => figure(out, label));
  assert.ok(all! > without! && without! > 0, out);
  assert.ok(Math.abs(all! - without! - alone!) <= 1, out);
});

test('bench says how many rows the function failed on, and why', async (t) => {
  const rows = fileWith(t, '{"creation_timestamp":1}\n{"creation_timestamp":"x"}\n{"creation_timestamp":"y"}');
  const { code, out } = await bench(moment, '--function', 'moment', '--rows', rows);
  assert.equal(code, 0);
  assert.match(out, /rows +3, .*\n/);
  assert.match(out, /failed +2 rows, first: BadTypeError: Not an integer\n/);
  assert.match(out, /sent +the whole row/);
});

test('bench says why a module does not start', async (t) => {
  const rows = fileWith(t, '{"a":1}\n');
  const bytes = assemble(
    '(module (memory (export "memory") 1) (func $start unreachable) (start $start) (func (export "f")))',
    false,
  );
  const { code, err } = await bench(fileWith(t, bytes), '--rows', rows);
  assert.equal(code, 3);
  assert.equal(err, 'reef bench: Cannot open function "f": its module does not start: unreachable\n');
});

test('bench says what is wrong with its command line, its module and its rows', async (t) => {
  const empty = fileWith(t, '');
  const noModule = fileWith(t, 'hello');
  const cases: [args: string[], code: number, error: RegExp][] = [
    [[], 2, /no file is given, expected the name of a wasm module\nusage: reef bench/],
    [[moment], 2, /--rows is not given/],
    [[moment, '--rows', 'a', '--format', 'xml'], 2, /--format is "xml", expected bincode or json/],
    [['missing.wasm', '--rows', earthquakes], 3, /Cannot read "missing\.wasm": there is no such file, expected a wasm module/],
    [[moment, '--rows', tmpdir()], 3, /: it is a folder, expected a file of JSON rows/],
    [[moment, '--rows', empty], 3, /Cannot measure: there is no row, expected JSON objects/],
    [[moment, '--rows', noModule], 3, /Cannot measure: there is no row/],
    [[noModule, '--rows', earthquakes], 3, /Cannot load wasm module/],
    [[moment, '--rows', earthquakes, '--function', 'momnt'], 3, /did you mean "moment"/],
  ];
  for (const [args, code, error] of cases) {
    const result = await bench(...args);
    assert.equal(result.code, code, args.join(' '));
    assert.match(result.err, error);
    assert.equal(result.out, '');
  }
});
