/**
 * Assembles shim/rline-shim.wat into build/rline-shim.wasm and, without SIMD, build/rline-shim.scalar.wasm, which are committed;
 * with `--check` only says whether these are what stands there.
 * AssemblyScript cannot express two memories, so this one is written in the text format; its assembler, binaryen, comes with it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import binaryen from 'binaryen';

const source = new URL('shim/rline-shim.wat', import.meta.url);
const { All, SIMD128, RelaxedSIMD } = binaryen.Features;

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

/** The few SIMD instructions that the shim has, in pairs of 64-bit ones. */
function withoutSimd(text: string): string {
  return text
    .replace(/\(v128\.load \$g (?:offset=(\d+) )?(\(.*?\))\)/g, (_, offset: string | undefined, at: string) => {
      const first = Number(offset ?? 0);
      return `(i64.or (i64.load $g offset=${first} ${at}) (i64.load $g offset=${first + 8} ${at}))`;
    })
    .replaceAll('(v128.or', '(i64.or')
    .replaceAll('(v128.any_true', '(i64.ne (i64.const 0)');
}

if (import.meta.main) {
  const text = readFileSync(source, 'utf8');
  const builds = {
    'rline-shim.wasm': assemble(text),
    'rline-shim.scalar.wasm': assemble(withoutSimd(text), true, All & ~SIMD128 & ~RelaxedSIMD),
  };
  for (const [name, bytes] of Object.entries(builds)) {
    const target = new URL(`build/${name}`, import.meta.url);
    if (!process.argv.includes('--check')) {
      writeFileSync(target, bytes);
      console.log(`${name}: ${bytes.length} bytes`);
    } else if (!existsSync(target) || Buffer.compare(bytes, readFileSync(target)) !== 0) {
      console.error(`${name} is stale: run node engine/kernel/build-shim.ts`);
      process.exitCode = 1;
    }
  }
}
