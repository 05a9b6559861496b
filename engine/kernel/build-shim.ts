/**
 * Assembles shim/rline-shim.wat into build/rline-shim.wasm, which is committed; with `--check` only says whether that is what stands there.
 * AssemblyScript cannot express two memories, so this one is written in the text format; its assembler, binaryen, comes with it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import binaryen from 'binaryen';

const source = new URL('shim/rline-shim.wat', import.meta.url);
const target = new URL('build/rline-shim.wasm', import.meta.url);

/**
 * Text format to binary; `optimize` must not be asked for where odd code is the point. Without garbage collection among the features,
 * nulls have the types that the text gives them.
 */
export function assemble(text: string, optimize = true, features = binaryen.Features.All): Uint8Array {
  const module = binaryen.parseText(text);
  try {
    module.setFeatures(features);
    if (!module.validate()) throw new Error('Cannot assemble the module: it is not valid, see above');
    if (optimize) {
      binaryen.setOptimizeLevel(3);
      module.optimize();
    }
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

if (import.meta.main) {
  const bytes = assemble(readFileSync(source, 'utf8'));
  if (!process.argv.includes('--check')) {
    writeFileSync(target, bytes);
    console.log(`rline-shim.wasm: ${bytes.length} bytes`);
  } else if (Buffer.compare(bytes, readFileSync(target)) !== 0) {
    console.error('rline-shim.wasm is stale: run node engine/kernel/build-shim.ts');
    process.exitCode = 1;
  }
}
