/**
 * Compiles the kernel (assembly/, AssemblyScript) to the three modules in build/, which are committed:
 * kernel.wasm (SIMD), kernel.scalar.wasm (the same sources without SIMD) and kernel.debug.wasm (every access asserted);
 * and what native functions do per byte (assembly/functions/) to functions.wasm and so on, a module of its own: who uses none of
 * them does not load it.
 * `--check` compiles and compares instead: exit code 1 when a committed module is stale. `kernel` or `functions`: only that one.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
// The compiler's own types would replace Node's `console` in the whole project, so it is run as a program.
const compiler = fileURLToPath(import.meta.resolve('assemblyscript/bin/asc.js'));

const common = [
  ...['--runtime', 'stub', '--optimizeLevel', '3'],
  ...['--importMemory', '--noExportMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--enable', 'threads'],
  // Pointers are 32 bits wide, as the numbers in the row table are.
  ...['--disableWarning', '201'],
  // A failed assertion is a trap without words.
  ...['--use', 'abort='],
];

const variants: Record<string, readonly string[]> = {
  wasm: ['--enable', 'simd', '--noAssert'],
  'scalar.wasm': ['--noAssert'],
  'debug.wasm': ['--enable', 'simd'],
};

/** Entries, and where their constants stand: all instances share the memory below 64 KiB. */
const modules: Record<string, readonly string[]> = {
  kernel: ['assembly/index.ts'],
  functions: ['assembly/functions/index.ts', '--memoryBase', '32768'],
};

const check = process.argv.includes('--check');
const work = mkdtempSync(join(tmpdir(), 'reef-kernel-'));
process.on('exit', () => rmSync(work, { recursive: true }));
mkdirSync(new URL('build/', import.meta.url), { recursive: true });
const wanted = process.argv.slice(2).filter((word) => word in modules);
const outputs = Object.keys(modules).flatMap((module) => Object.keys(variants).map((variant) => [module, variant] as const));
for (const [module, variant] of outputs) {
  if (wanted.length > 0 && !wanted.includes(module)) continue;
  const name = `${module}.${variant}`;
  const output = join(work, name);
  const flags = [...modules[module]!, ...variants[variant]!];
  execFileSync(process.execPath, [compiler, ...common, ...flags, '--baseDir', here, '--outFile', output], { stdio: 'inherit' });
  const binary = readFileSync(output);
  const committed = new URL(`build/${name}`, import.meta.url);
  if (!check) {
    writeFileSync(committed, binary);
    console.log(`${name}: ${binary.length} bytes`);
  } else if (!readFileSync(committed).equals(binary)) {
    console.error(`engine/kernel/build/${name} is stale: run "node engine/kernel/build.ts" and commit it`);
    process.exitCode = 1;
  }
}
