import { readFileSync } from 'node:fs';
import { kernelFile } from '../assets.ts';
import type { ScanExports } from './kernel-abi.ts';

/**
 * The builds of the kernel: `simd`, the one that runs; `scalar`, the same without SIMD, for machines that lack it and as the
 * tests' oracle; `debug`, which traps when an access leaves what the kernel was given.
 */
export type KernelVariant = 'simd' | 'scalar' | 'debug';

const endings: Record<KernelVariant, string> = {
  simd: 'wasm',
  scalar: 'scalar.wasm',
  debug: 'debug.wasm',
};

/** A module with one function that returns i8x16.bitmask of a constant: valid only where SIMD is known. */
const simdProbe = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 5, 1, 0x60, 0, 1, 0x7f],
  ...[3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 0x41, 0, 0xfd, 0x0f, 0xfd, 0x64, 0x0b],
);

export function supportsSimd(): boolean {
  return WebAssembly.validate(simdProbe);
}

/** Reads and compiles the kernel; the module can be posted to workers. Without `variant`: the fastest that runs here. */
export function loadKernelModule(variant?: KernelVariant): WebAssembly.Module {
  return compile('kernel', variant);
}

/** The same for what native functions do per byte (function-kernel.ts). */
export function loadFunctionsModule(variant?: KernelVariant): WebAssembly.Module {
  return compile('functions', variant);
}

function compile(name: 'kernel' | 'functions', variant: KernelVariant = supportsSimd() ? 'simd' : 'scalar'): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(kernelFile(`${name}.${endings[variant]}`)));
}

/**
 * A kernel over `memory` (shared, at most 65,536 pages). It owns nothing until `reset` gives it an arena. The memory below
 * 64 KiB holds the kernel's constants and belongs to all instances together.
 */
export function instantiateKernel<Exports extends ScanExports = ScanExports>(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Exports {
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return instance.exports as unknown as Exports;
}
