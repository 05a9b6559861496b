/**
 * Compiles the kernel (assembly/, AssemblyScript) to the three modules in build/, which are committed:
 * kernel.wasm (SIMD), kernel.scalar.wasm (the same sources without SIMD) and kernel.debug.wasm (every access asserted).
 * `--check` compiles and compares instead: exit code 1 when a committed module is stale.
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
  'assembly/index.ts',
  ...['--runtime', 'stub', '--optimizeLevel', '3'],
  ...['--importMemory', '--noExportMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--enable', 'threads'],
  // Pointers are 32 bits wide, as the numbers in the row table are.
  ...['--disableWarning', '201'],
  // A failed assertion is a trap without words.
  ...['--use', 'abort='],
];

const variants: Record<string, readonly string[]> = {
  'kernel.wasm': ['--enable', 'simd', '--noAssert'],
  'kernel.scalar.wasm': ['--noAssert'],
  'kernel.debug.wasm': ['--enable', 'simd'],
};

const check = process.argv.includes('--check');
const work = mkdtempSync(join(tmpdir(), 'reef-kernel-'));
process.on('exit', () => rmSync(work, { recursive: true }));
mkdirSync(new URL('build/', import.meta.url), { recursive: true });
for (const [name, flags] of Object.entries(variants)) {
  const output = join(work, name);
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
