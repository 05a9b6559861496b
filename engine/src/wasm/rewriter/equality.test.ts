import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeRow } from '../../../../examples/wasm-functions/plain-host.ts';
import { plainWasi } from './plain-wasi.ts';
import { randomProgram } from './random-program.ts';
import { load, mulberry } from './testing.ts';

const place = (path: string) => new URL(`../../../../examples/${path}`, import.meta.url);
const example = (path: string) => readFileSync(place(path));

interface Outcome {
  readonly results: unknown[];
  readonly trace: unknown;
  readonly memory: Buffer;
}

function outcome(exports: Record<string, unknown>, memory: WebAssembly.Memory): Outcome {
  const f = exports.f as (a: number, b: number) => number;
  const results = [f(1, 2), f(-3, 77), f(0, 0)];
  return {
    results,
    trace: (exports.trace as WebAssembly.Global).value,
    memory: Buffer.from(memory.buffer as ArrayBuffer, 0, 64),
  };
}

test('a metered program does what it did before, wherever its loops are left', () => {
  let innermost = 0;
  for (let seed = 1; seed <= 600; seed++) {
    const bytes = randomProgram(mulberry(seed));
    assert.ok(WebAssembly.validate(bytes), `program ${seed} is valid`);
    const before = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    const expected = outcome(before, before.memory as WebAssembly.Memory);
    // A slice of 1 goes to the slow path at every turn, a large one never.
    for (const options of [{ fuelSlice: 1 }, { fuelSlice: 50 }, {}, { fuel: false }]) {
      // A mistake may well be an endless loop.
      let left = 100_000;
      const { exports, memory, looks } = load(bytes, { ...options, stop: () => --left < 0 });
      assert.deepEqual(outcome(exports, memory!), expected, `program ${seed} with ${JSON.stringify(options)}`);
      if (options.fuelSlice === 1) innermost += looks();
    }
  }
  assert.ok(innermost > 1000, `the slow path was taken ${innermost} times`);
});

const ROWS = {
  moment: [
    { creation_timestamp: { Integer: 1_517_365_017 } },
    { creation_timestamp: { Integer: 0 } },
    { other: { String: 'x' } },
  ],
  depth_class: [{ depth: { Float: 12.5 } }, { depth: { Float: 600 } }, {}],
  quake_energy: [{ mag: { Integer: 4 } }, { place: { String: 'x'.repeat(9000) }, mag: { Float: 1.5 } }, {}],
};

for (const [name, rows] of Object.entries(ROWS)) {
  const path = name === 'moment' ? 'moment/moment.wasm' : `wasm-functions/${name}.wasm`;
  const inputs = [...rows.map((row) => Buffer.from(encodeRow(row))), Buffer.from([1, 2, 3]), Buffer.alloc(0)];
  compareBeforeAndAfter(name, path, inputs);
}

// Too large to be committed: compared where somebody has built it.
if (existsSync(place('wasm-functions/place_region.wasm'))) {
  compareBeforeAndAfter('place_region', 'wasm-functions/place_region.wasm', [
    Buffer.from('{"place":{"String":"10km NNE of Anchorage, Alaska"}}\n'),
    Buffer.from('{}\n'),
    Buffer.from('nonsense\n'),
  ]);
}

function compareBeforeAndAfter(name: string, path: string, inputs: readonly Buffer[]): void {
  test(`${name} answers the same before and after, byte for byte, row after row`, () => {
    const bytes = example(path);
    const before = plainWasi();
    const plain = new WebAssembly.Instance(new WebAssembly.Module(bytes), before.imports).exports;
    const after = plainWasi();
    const { exports, memory } = load(bytes, { imports: after.imports, fuelSlice: 1000 });
    for (const [wasi, given, own] of [
      [before, plain, plain.memory],
      [after, exports, memory],
    ] as const) {
      wasi.memory = own as WebAssembly.Memory;
      (given._initialize as (() => void) | undefined)?.();
    }
    for (const input of inputs) {
      const expected = before.call(() => (plain[name] as () => void)(), input);
      const actual = after.call(() => (exports[name] as () => void)(), input);
      assert.deepEqual(actual, expected);
      assert.match(expected, /^(03|trap)/, 'it has answered');
      if (expected.startsWith('trap')) break;
    }
  });
}
