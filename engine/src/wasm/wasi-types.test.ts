import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../kernel/build-shim.ts';
import { loadShim, WASI_MODULE, wasiFunctions } from './shim.ts';
import { wasiTypes } from './wasi-types.ts';

test('each WASI function that the shim has is of the type that modules are held to', () => {
  assert.deepEqual([...wasiTypes.keys()].sort(), [...wasiFunctions()].sort());
  const imports = Array.from(wasiTypes, ([name, type]) => {
    const [, params, results] = /^\((.*)\) -> \((.*)\)$/.exec(type)!;
    const words = `(param ${params!.replaceAll(',', '')}) (result ${results})`;
    return `(import "${WASI_MODULE}" "${name}" (func ${words.replace('(param )', '').replace('(result )', '')}))`;
  });
  const shim = new WebAssembly.Instance(loadShim('scalar'), {
    reef: { memory: new WebAssembly.Memory({ initial: 1 }), fuel_out: () => 0 },
    kernel: { memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }) },
  });
  const guest = new WebAssembly.Module(assemble(`(module ${imports.join(' ')})`, false));
  assert.doesNotThrow(() => new WebAssembly.Instance(guest, { [WASI_MODULE]: shim.exports }));
});
