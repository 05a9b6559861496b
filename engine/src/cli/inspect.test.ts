import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { moduleBytes, section, text } from '../wasm/rewriter/testing.ts';
import { runInspect } from './inspect.ts';

const examples = fileURLToPath(new URL('../../../examples', import.meta.url));

async function inspect(cwd: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const stdout = {
    write(text: string): void {
      written.out += text;
    },
  };
  const stderr = {
    write(text: string): void {
      written.err += text;
    },
  };
  const code = await runInspect(args, { stdout, stderr, cwd });
  return { code, ...written };
}

function folderWith(t: TestContext, name: string, bytes: Uint8Array | string): string {
  const folder = mkdtempSync(join(tmpdir(), 'reef-inspect-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), bytes);
  return folder;
}

test('inspect says what a function is and what it would be allowed', async () => {
  const { code, out, err } = await inspect(examples, 'moment/moment.wasm');
  assert.equal(err, '');
  assert.equal(code, 0);
  assert.match(out, /^moment\/moment\.wasm\n/);
  assert.match(out, /contract +rline: type: wasm, function: moment\n/);
  assert.match(out, /sha256 +[0-9a-f]{64}\n/);
  assert.match(out, /memory +1\.1 MiB at least, at most 256 MiB unless limits say otherwise; it declares no maximum\n/);
  assert.match(out, /after a trap +its state is put back in place\n/);
  assert.match(out, /moment +\(\) -> \(\)\n/);
  assert.match(out, /wasi_snapshot_preview1\.random_get +numbers from a fixed seed, unless random is granted\n/);
});

test('inspect --json is the same for programs', async () => {
  const { code, out } = await inspect(examples, 'wasm-functions/quake_energy.wasm', '--json');
  assert.equal(code, 0);
  const { contract, initialize, info, imports } = JSON.parse(out);
  assert.deepEqual(contract, { kind: 'rline', functions: ['quake_energy'] });
  assert.equal(initialize, true);
  assert.equal(info.functions, 17);
  assert.deepEqual(
    imports.find(({ name }: { name: string }) => name === 'fd_seek'),
    {
      module: 'wasi_snapshot_preview1',
      name: 'fd_seek',
      kind: 'function',
      type: '(i32, i64, i32, i32) -> (i32)',
      access: 'never',
      text: 'files are answered with an error',
    },
  );
});

const exported = (...names: string[]) => names.map((name) => [...text(name), 0, 0]);
const memories = [[0, 1]];

test('inspect says why a module cannot be a function', async (t) => {
  const cases: [why: RegExp, bytes: Uint8Array][] = [
    [/none: it is a command \(_start\): build a library/, moduleBytes({ memories, exports: exported('_start') })],
    [
      /none: it is built with punch_api/,
      moduleBytes({ memories, types: [[[0x7f], []]], exports: exported('allocate', 'deallocate', 'apply') }),
    ],
    [/none: it exports no function of type \(\) -> \(\)/, moduleBytes({ memories, types: [[[0x7f], []]] })],
    [/none: it has no memory/, moduleBytes({})],
    [
      /none: it imports env\.abort, which Reef does not provide/,
      moduleBytes({ memories, imports: [[...text('env'), ...text('abort'), 0, 0]] }),
    ],
  ];
  for (const [why, bytes] of cases) {
    const { code, out } = await inspect(folderWith(t, 'f.wasm', bytes), 'f.wasm');
    assert.equal(code, 3);
    assert.match(out, why);
  }
});

test('inspect gives one clear error for what cannot be read or is no module', async (t) => {
  const random = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7919 + 13) & 255);
  const cases: [message: RegExp, bytes: Uint8Array | string][] = [
    [/it is no wasm module but something that starts with 7b 22 61 22/, '{"a":1}'],
    [/it is no wasm module but something that starts with 0d fc/, random],
    [/the file is empty/, ''],
    [/the file is cut short/, moduleBytes({}).subarray(0, 20)],
    [/it is a WebAssembly component, not a core module/, Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, 1, 2])],
    [/damaged or no wasm module/, Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section(1, [...random.subarray(0, 50)])])],
  ];
  for (const [message, bytes] of cases) {
    const { code, out, err } = await inspect(folderWith(t, 'f.wasm', bytes), 'f.wasm');
    assert.equal(code, 3);
    assert.equal(out, '');
    assert.match(err, /^reef inspect: Cannot load wasm module "f\.wasm": .*\n$/);
    assert.match(err, message);
  }
  const folder = folderWith(t, 'f.wasm', '');
  assert.match((await inspect(folder, 'no.wasm')).err, /Cannot read "no\.wasm": there is no such file/);
  assert.match((await inspect(folder, '.')).err, /Cannot read "\.": it is a folder, expected a wasm module/);
});

test('inspect tells how it is called', async () => {
  for (const args of [[], ['a', 'b'], ['--nope']]) {
    const { code, err } = await inspect('/', ...args);
    assert.equal(code, 2);
    assert.match(err, /usage: reef inspect MODULE\.wasm \[--json\]/);
  }
});
