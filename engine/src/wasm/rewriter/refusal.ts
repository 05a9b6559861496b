import { ReefError } from '../../errors.ts';

/** Proposals beyond the allow-list, and how to build without them. */
const ADVICE = {
  'tail calls': 'build without them (clang: -mno-tail-call)',
  'garbage collection': 'build for linear memory',
  'exception handling': 'build without wasm exceptions (Rust: panic=abort, C++: -fno-exceptions)',
  threads: 'build without atomics and shared memory',
  memory64: 'build for wasm32',
  'multiple memories': 'build with one memory',
  'relaxed SIMD': 'build without it (clang: -mno-relaxed-simd); plain SIMD is allowed',
  'typed function references': 'build for plain reference types',
  'stack switching': 'build without it',
  'custom page sizes': 'build with pages of 64 KiB',
  'wide arithmetic': 'build without it (clang: -mno-wide-arithmetic)',
  'half-precision floats': 'build without it (clang: -mno-fp16)',
  'string references': 'build without them',
  'shared-everything threads': 'build without shared globals, tables and functions',
  'memory control': 'build without it',
} as const;

export type Proposal = keyof typeof ADVICE;

/**
 * The problem alone, without its subject: {@link withSubject} makes the sentence that a user sees.
 * The rewriter throws nothing else for bad input.
 */
export function refuse(problem: string, data: Record<string, unknown> = {}): ReefError {
  return new ReefError('config', problem, { data });
}

export function malformed(problem: string, offset: number): ReefError {
  return refuse(`the file is damaged or no wasm module: ${problem} (byte ${offset})`, { offset });
}

export function unsupported(proposal: Proposal, what: string, offset: number): ReefError {
  const text = `it uses ${proposal} (${what}, byte ${offset}), which Reef does not run: ${ADVICE[proposal]}`;
  return refuse(text, { proposal, offset });
}

export function overLimit(problem: string): ReefError {
  return refuse(problem);
}

/** `Cannot load wasm module "x.wasm": …`. */
export function withSubject(error: unknown, name: string | undefined): unknown {
  if (!(error instanceof ReefError)) return error;
  const subject = name === undefined ? 'wasm module' : `wasm module ${JSON.stringify(name)}`;
  return new ReefError(error.code, `Cannot load ${subject}: ${error.message}`, { data: error.data });
}
