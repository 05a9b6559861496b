import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadPlainly, type PlainFunction } from './plain-host.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Builds a function from source into a folder of its own; skips the test where the compiler is missing. */
function build(t: TestContext, script: string, name: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'reef-build-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const out = join(folder, `${name}.wasm`);
  const { status, stderr } = spawnSync('bash', [here(script), out], { encoding: 'utf8' });
  if (status === 69) {
    t.skip(stderr.split('\n')[0]!);
    return undefined;
  }
  assert.equal(status, 0, stderr);
  return out;
}

function checkDepthClass({ bincode }: PlainFunction): void {
  assert.deepEqual(bincode({ depth: { Float: 12.5 } }), { Ok: { depth_class: { String: 'shallow' } } });
  assert.deepEqual(bincode({ place: { VecString: ['a', ''] }, depth: { Integer: 70 } }), {
    Ok: { depth_class: { String: 'intermediate' } },
  });
  assert.deepEqual(bincode({ depth: { Float: 1 }, n: { VecFloat: [1, 2] }, b: { VecU8: [1, 2, 3] } }), {
    Ok: { depth_class: { String: 'shallow' } },
  });
  assert.deepEqual(bincode({ depth: { Float: 600 } }), { Ok: { depth_class: { String: 'deep' } } });
  assert.deepEqual(bincode({}), { Err: 'column depth is missing' });
  assert.deepEqual(bincode({ depth: { String: '9' } }), { Err: 'column depth is no number' });
}

function checkQuakeEnergy({ bincode, call }: PlainFunction): void {
  for (let i = 0; i < 1000; i++) {
    assert.deepEqual(bincode({ place: { String: 'x'.repeat(i * 10) }, magnitude: { Integer: 4 } }), {
      Ok: { energy_joules: { Float: 10 ** 10.8 } },
    });
  }
  assert.deepEqual(bincode({ magnitude: { VecFloat: [] } }), { Err: 'column magnitude is no number' });
  assert.deepEqual(bincode({ mag: { Float: 1 } }), { Err: 'column magnitude is missing' });
  assert.match(Buffer.from(call(new Uint8Array([1, 2, 3]))).toString(), /column magnitude is missing/);
}

function checkPlaceRegion({ json }: PlainFunction): void {
  const place = (text: string) => json({ mag: { Float: 1 }, place: { String: text } });
  assert.deepEqual(place('10km NNE of Anchorage, Alaska'), { Ok: { region: { String: 'Alaska' } } });
  assert.deepEqual(place('South of the "Fiji" Islands'), { Ok: { region: { String: 'South of the "Fiji" Islands' } } });
  assert.deepEqual(json({}), { Err: 'column place is missing or no string' });
}

test('the AssemblyScript function answers by the rline contract', () => {
  checkDepthClass(loadPlainly(here('depth_class.wasm'), 'depth_class'));
});

test('the AssemblyScript function built from source behaves as the committed one', (t) => {
  const built = build(t, 'assemblyscript/build.sh', 'depth_class');
  if (built) checkDepthClass(loadPlainly(built, 'depth_class'));
});

test('the C function answers by the rline contract', () => {
  checkQuakeEnergy(loadPlainly(here('quake_energy.wasm'), 'quake_energy'));
});

test('the C function built from source behaves as the committed one', (t) => {
  const built = build(t, 'c/build.sh', 'quake_energy');
  if (built) checkQuakeEnergy(loadPlainly(built, 'quake_energy'));
});

test('the Go function built from source answers by the JSON form of the contract', (t) => {
  const built = build(t, 'go/build.sh', 'place_region');
  if (built) checkPlaceRegion(loadPlainly(built, 'place_region'));
});
