import type { ScanExports } from './kernel-abi.ts';

/**
 * What a kernel instance exports beside scanning. Columns come as three pointers (starts, ends, kinds), rows as a pointer to their
 * numbers and how many they are; what each function does stands in engine/kernel/assembly/{columns-*,encode-rows}.ts.
 */
export interface KernelExports extends ScanExports {
  /** Gives back all that was allocated behind `pointer`. */
  release(pointer: number): void;
  useScratch(pointer: number): void;

  anyKind(kinds: number, size: number): number;
  plainKinds(kinds: number, size: number, out: number): void;
  readIntegers: ReadColumn;
  readFloats: ReadColumn;
  readBooleans: ReadColumn;
  // biome-ignore format: one parameter list
  compareNumbers(starts: number, ends: number, kinds: number, rows: number, n: number, value: number, out: number): number;
  // biome-ignore format: one parameter list
  compareTexts(starts: number, ends: number, kinds: number, rows: number, n: number, text: number, length: number, out: number): void;
  // biome-ignore format: one parameter list
  matchTexts(starts: number, ends: number, kinds: number, rows: number, n: number, how: number, text: number, length: number, out: number): void;
  // biome-ignore format: one parameter list
  matchAddresses(starts: number, ends: number, kinds: number, rows: number, n: number, ranges4: number, count4: number, ranges6: number, count6: number, out: number): void;

  written(): number;
  // biome-ignore format: one parameter list
  fillIntegers(rows: number, n: number, values: number, valid: number, nullToken: number, starts: number, ends: number, kinds: number, out: number): void;
  // biome-ignore format: one parameter list
  fillFloats(rows: number, n: number, values: number, valid: number, nullToken: number, starts: number, ends: number, kinds: number, out: number): number;
  // biome-ignore format: one parameter list
  fillBooleans(rows: number, n: number, values: number, valid: number, words: number, starts: number, ends: number, kinds: number): void;
  // biome-ignore format: one parameter list
  fillIndexed(rows: number, n: number, indexes: number, width: number, entries: number, count: number, valid: number, nullToken: number, starts: number, ends: number, kinds: number): number;
  fillListed(rows: number, n: number, start: number, end: number, starts: number, ends: number, kinds: number): void;
  fillLines(rows: number, n: number, start: number, end: number, starts: number, ends: number, kinds: number): number;
  // biome-ignore format: one parameter list
  fillIds(rowStarts: number, size: number, origin: number, base: number, prefix: number, prefixLength: number, starts: number, ends: number, kinds: number, out: number): void;
  // biome-ignore format: one parameter list
  fillPositionIds(positions: number, size: number, prefix: number, prefixLength: number, starts: number, ends: number, kinds: number, out: number): void;
  findRecords(begin: number, rowStarts: number, size: number, heads: number): void;
  recordColumn(heads: number, size: number, index: number, starts: number, ends: number, kinds: number): void;
  recordPositions(heads: number, rowStarts: number, size: number, many: number, out: number): void;
  // biome-ignore format: one parameter list
  mergeColumns(size: number, aStarts: number, aEnds: number, aKinds: number, bStarts: number, bEnds: number, bKinds: number, starts: number, ends: number, kinds: number): void;
  countDoubtful(starts: number, ends: number, kinds: number, rows: number, n: number, type: number): number;
  // biome-ignore format: one parameter list
  convertColumn(starts: number, ends: number, kinds: number, rows: number, from: number, n: number, type: number, status: number, out: number, outEnd: number): number;
  roomToConvert(starts: number, ends: number, rows: number, index: number): number;

  splitJson(state: number, from: number, to: number, out: number, outEnd: number): number;
  encodeCsv(plan: number, rows: number, from: number, to: number, out: number, outEnd: number, offsets: number): number;
  encodeRows(plan: number, rows: number, from: number, to: number, out: number, outEnd: number, offsets: number): number;
  findNewlines(starts: number, ends: number, kinds: number, rows: number, n: number, out: number): number;
  // biome-ignore format: one parameter list
  locate(rowStarts: number, rowEnds: number, errors: number, size: number, name: number, length: number, starts: number, ends: number, kinds: number): void;
}

type ReadColumn = (starts: number, ends: number, kinds: number, rows: number, n: number, out: number, status: number) => number;

/** The kernel's kind of a string that is raw UTF-8, without quotes and escapes: a line. */
export const KIND_RAW = 9;

/** What the kernel says of a value that it was to read or convert. */
export const Verdict = { missing: 0, good: 1, wrong: 2, range: 3, ask: 4 } as const;
