import { overLimit } from './refusal.ts';
import type { RewriteOptions } from './types.ts';

/**
 * Bounds on what is compiled. Compilation cannot be interrupted, so all that makes it long or large is bounded here.
 * They lie well above what compilers make, and at or below the engine's own, so that the message is ours.
 */
export const LIMITS = {
  moduleBytes: 64 * 1024 * 1024,
  bodyBytes: 7_654_321,
  types: 100_000,
  functions: 300_000,
  imports: 10_000,
  exports: 20_000,
  globals: 50_000,
  tables: 8,
  segments: 100_000,
  parameters: 1_000,
  results: 1_000,
  locals: 50_000,
  nesting: 50_000,
} as const;

export const PAGE_BYTES = 65_536;
export const MEMORY_CEILING_BYTES = 1024 * 1024 * 1024;
const DEFAULT_MEMORY_BYTES = 256 * 1024 * 1024;
const DEFAULT_TABLE_ENTRIES = 131_072;

export interface Limits {
  readonly min: number;
  readonly max: number | undefined;
}

/** The maximum, in pages, of a memory that declares these limits. */
export function memoryMaximum(declared: Limits, options: RewriteOptions): number {
  const ceiling = MEMORY_CEILING_BYTES / PAGE_BYTES;
  if (declared.min > ceiling) {
    throw overLimit(`its memory is at least ${mebibytes(declared.min)}, at most ${mebibytes(ceiling)} can be given`);
  }
  const wanted = options.memoryBytes === undefined ? undefined : Math.floor(options.memoryBytes / PAGE_BYTES);
  if (wanted !== undefined && declared.min > wanted) {
    const problem = `its memory is at least ${mebibytes(declared.min)}, but the limit is ${mebibytes(wanted)}`;
    throw overLimit(`${problem}: set memory_bytes to ${declared.min * PAGE_BYTES} or more`);
  }
  const given = Math.min(ceiling, wanted ?? Math.max(declared.min, DEFAULT_MEMORY_BYTES / PAGE_BYTES));
  return declared.max === undefined ? given : Math.min(given, declared.max);
}

export function tableMaximum(declared: Limits, options: RewriteOptions): number {
  const most = options.tableEntries ?? DEFAULT_TABLE_ENTRIES;
  if (declared.min > most) throw overLimit(`a table has ${declared.min} entries, at most ${most} are accepted`);
  return declared.max === undefined ? most : Math.min(most, declared.max);
}

function mebibytes(pages: number): string {
  return `${Math.ceil(pages / 16)} MiB`;
}
