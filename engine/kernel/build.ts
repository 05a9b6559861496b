/**
 * Compiles the kernel (assembly/, AssemblyScript) to the three modules in build/, which are committed:
 * kernel.wasm (SIMD), kernel.scalar.wasm (the same sources without SIMD) and kernel.debug.wasm (every access asserted).
 * `--check` compiles and compares instead: exit code 1 when a committed module is stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const here = fileURLToPath(new URL('.', import.meta.url));

const common = [
  'assembly/index.ts',
  '--runtime',
  'stub',
  '--optimizeLevel',
  '3',
  '--importMemory',
  '--noExportMemory',
  '--sharedMemory',
  '--initialMemory',
  '1',
  '--maximumMemory',
  '65536',
  '--enable',
  'threads',
  // Pointers are 32 bits wide, as numbers in the row table are.
  '--disableWarning',
  '201',
  // A failed assertion is a trap without words.
  '--use',
  'abort=',
];

const variants: Record<string, readonly string[]> = {
  'kernel.wasm': ['--enable', 'simd', '--noAssert'],
  'kernel.scalar.wasm': ['--noAssert'],
  'kernel.debug.wasm': ['--enable', 'simd'],
};

async function compile(flags: readonly string[]): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main([...common, ...flags, '--baseDir', here, '--outFile', 'kernel.wasm'], {
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) binary = contents as Uint8Array;
    },
  });
  if (error || !binary) throw new Error(`Cannot compile the kernel:\n${stderr.toString()}`);
  return binary;
}

const check = process.argv.includes('--check');
mkdirSync(new URL('build/', import.meta.url), { recursive: true });
for (const [name, flags] of Object.entries(variants)) {
  const file = new URL(`build/${name}`, import.meta.url);
  const binary = await compile(flags);
  if (!check) {
    writeFileSync(file, binary);
    console.log(`${name}: ${binary.length} bytes`);
  } else if (!readFileSync(file).equals(binary)) {
    console.error(`engine/kernel/build/${name} is stale: run "node engine/kernel/build.ts" and commit it`);
    process.exitCode = 1;
  }
}
