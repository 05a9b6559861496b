import { readFileSync } from 'node:fs';
import { kernelFile } from '../assets.ts';
import { supportsSimd } from '../batch/kernel-module.ts';

/** What the shim (engine/kernel/shim/rline-shim.wat) exports beside the WASI functions. All pointers lie in the kernel's memory. */
export interface ShimExports {
  begin(results: number, out: number, outEnd: number, log: number, logEnd: number): void;
  run(rows: number, inputs: number): number;
  abandon(status: number): number;
  call(): void;
  picture(): number;
  reset(): void;
  /** Makes all of the guest's memory zero. */
  zero(): void;
  readonly guest: WebAssembly.Table;
  /** Memory of the shim alone: the picture, and from `largeAt` on an answer that had no room in the kernel's. */
  readonly own: WebAssembly.Memory;
  readonly largeAt: WebAssembly.Global;
  /** Where the next answer and the next log text will go. */
  readonly out: WebAssembly.Global;
  readonly log: WebAssembly.Global;
  /** The row that runs. */
  readonly row: WebAssembly.Global;
  readonly status: WebAssembly.Global;
  /** Of a status that has one: the exit code. */
  readonly detail: WebAssembly.Global;
  readonly maxOutput: WebAssembly.Global;
  readonly maxRowLog: WebAssembly.Global;
  /** Nanoseconds since 1970 that the guest's wall clock shows. */
  readonly now: WebAssembly.Global<bigint>;
}

/** First word of a row's result; {@link RESULT_BYTES} long each. */
export const RowStatus = { ended: 0, trapped: 1, exited: 2, tooMuchOutput: 3, endedLarge: 4 } as const;
export const RESULT_BYTES = 32;

export const WASI_MODULE = 'wasi_snapshot_preview1';
const WASI_NAME = /^(args|environ|clock|fd|path|poll|proc|random|sched|sock)_/;

let compiled: WebAssembly.Module | undefined;

/** Compiled once per thread. */
export function shimModule(): WebAssembly.Module {
  compiled ??= loadShim(supportsSimd() ? 'simd' : 'scalar');
  return compiled;
}

export function loadShim(variant: 'simd' | 'scalar'): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(kernelFile(variant === 'simd' ? 'rline-shim.wasm' : 'rline-shim.scalar.wasm')));
}

/** Names of the WASI functions that every guest is given. */
export function wasiFunctions(): readonly string[] {
  return WebAssembly.Module.exports(shimModule())
    .map(({ name }) => name)
    .filter((name) => WASI_NAME.test(name));
}
