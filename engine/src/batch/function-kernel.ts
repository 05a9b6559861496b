/**
 * The module that does per byte what native functions ask for: reading JSON, pairs, CSV, syslog and times out of texts, digests, masks,
 * addresses. It is apart from the kernel (engine/kernel/assembly/functions), so that who uses none of it does not load it, and works in the same
 * arena: before a call it is told where the arena's free part begins, afterwards the kernel takes over what it has taken.
 */
import type { Arena } from './arena.ts';
import { ArenaFullError } from './arena-full-error.ts';
import { type KernelVariant, loadFunctionsModule } from './kernel-module.ts';
import type { TokenAccess } from './token-access.ts';
import { type Tokens, takeTokens } from './tokens.ts';

/** What it exports. Columns come as three pointers (starts, ends, kinds), rows as a pointer to their numbers and how many they are. */
export interface FunctionKernel {
  reset(start: number, end: number): void;
  alloc(bytes: number): number;
  release(pointer: number): void;
  useInput(from: number, to: number): void;

  // biome-ignore format: one parameter list
  takeTexts(starts: number, ends: number, kinds: number, rows: number, n: number, others: number, outStarts: number, outEnds: number, outKinds: number): number;

  openFields(rows: number, limit: number, more: number): number;
  addField(name: number, length: number): number;
  fieldCount(): number;
  fieldEntries(): number;
  parseJson: ParseTexts<[]>;
  // biome-ignore format: one parameter list
  setPairs(pair: number, pairLength: number, equals: number, equalsLength: number, quotes: number, keysAlone: number, truth: number): void;
  parsePairs: ParseTexts<[]>;
  parseCsv: ParseTexts<[separator: number, quotes: number, strict: number, sparse: number]>;
  // biome-ignore format: one parameter list
  setSyslog(fields: number, words: number, times: number, isoTime: number, now: number, zone: number, keep: number): void;
  parseSyslog: ParseTexts<[standard: number]>;

  matchTexts: ParseTexts<[expressions: number, count: number, most: number]>;

  // biome-ignore format: one parameter list
  readTimes(starts: number, ends: number, kinds: number, rows: number, n: number, programs: number, reference: number, offset: number, seconds: number, nanos: number, states: number): number;
  // biome-ignore format: one parameter list
  writeTimes(rows: number, n: number, seconds: number, nanos: number, states: number, program: number, starts: number, ends: number, kinds: number, to: number): number;
  timesEnd(): number;

  // biome-ignore format: one parameter list
  maskEnds: (...args: [...ColumnArguments, first: number, last: number, length: number, mark: number, markLength: number]) => number;
  maskPatterns: (...args: [...ColumnArguments, patterns: number, mark: number, markLength: number]) => number;
  readAddresses: (...args: [...ColumnArguments, versions: number, out: number]) => number;
  shortenAddresses: (...args: [...ColumnArguments, bits4: number, bits6: number, versions: number, to: number]) => number;
  // biome-ignore format: one parameter list
  joinTexts(parts: number, count: number, rows: number, n: number, lenient: number, starts: number, ends: number, kinds: number): number;
  // biome-ignore format: one parameter list
  flattenObjects: (...args: [...ColumnArguments, prefix: number, prefixLength: number, joint: number, jointLength: number, depth: number, indexed: number, bare: number, problems: number]) => number;
  // biome-ignore format: one parameter list
  nestColumns(steps: number, count: number, rows: number, n: number, stack: number, starts: number, ends: number, kinds: number): number;

  hashTexts: (...args: [...ColumnArguments, seed: number, out: number]) => void;
  sha256Texts: (...args: [...ColumnArguments, tables: number, keyed: number, out: number]) => number;
  sha256Block(tables: number, block: number, state: number): number;
  xxh64Texts: (...args: [...ColumnArguments, out: number]) => void;
}

export type ColumnArguments = [starts: number, ends: number, kinds: number, rows: number, n: number];
/** Returns how many rows are bad, -1 when the arena is full. */
type ParseTexts<Options extends number[]> = (...args: [...ColumnArguments, ...Options, problems: number]) => number;

/** What functions that use it see of a batch. */
export type TokenBatch = TokenAccess & { readonly size: number; readonly rows: Uint32Array };

const modules = new Map<KernelVariant | undefined, WebAssembly.Module>();
const instances = new WeakMap<Arena, FunctionKernel>();
let chosen: KernelVariant | undefined;

/** For tests: the build that arenas get that have none yet. */
export function chooseFunctionKernel(variant: KernelVariant | undefined): void {
  chosen = variant;
}

/** Compiles the module unless that is done: at the opening of a function, not in its first batch. */
export function loadFunctionKernel(): WebAssembly.Module {
  let module = modules.get(chosen);
  if (module === undefined) {
    module = loadFunctionsModule(chosen);
    modules.set(chosen, module);
  }
  return module;
}

/**
 * Calls `run` with the module, over the arena of `view`. `run` must not take anything of the arena by itself, nor ask the view for
 * what does.
 */
export function withFunctionKernel<T>(view: TokenBatch, run: (kernel: FunctionKernel) => T): T {
  const { arena } = view;
  const kernel = instances.get(arena) ?? instantiate(arena);
  kernel.release(arena.mark());
  if (view.size > 0) {
    kernel.useInput(arena.words[view.rowStarts >>> 2]!, arena.words[(view.rowEnds >>> 2) + view.size - 1]!);
  }
  const result = run(kernel);
  arena.release(kernel.alloc(0));
  return result;
}

function instantiate(arena: Arena): FunctionKernel {
  const { exports } = new WebAssembly.Instance(loadFunctionKernel(), { env: { memory: arena.memory } });
  const kernel = exports as unknown as FunctionKernel;
  kernel.reset(arena.bounds.start, arena.bounds.end);
  instances.set(arena, kernel);
  return kernel;
}

/** Fails when a call of the module says by a negative result that there was no room. */
export function unlessFull(result: number): number {
  if (result < 0) throw new ArenaFullError('Cannot run the function: the arena is full');
  return result;
}

/** Kinds that {@link takeTexts} takes beside strings: one bit each. */
export const TextOf = { strings: 0, objects: 1 << 7, values: 0b1_1011_1100 } as const;

/** The texts of a column as raw UTF-8 (kind `KIND_RAW`); what is no text keeps its kind. */
export function takeTexts(view: TokenBatch, tokens: Tokens, others: number = TextOf.strings): Tokens {
  const texts = takeTokens(view.arena, view.size);
  const { rowsPointer, rows } = view;
  withFunctionKernel(view, (kernel) =>
    // biome-ignore format: one argument list
    unlessFull(kernel.takeTexts(
      tokens.starts, tokens.ends, tokens.kinds, rowsPointer, rows.length, others, texts.starts, texts.ends, texts.kinds,
    )),
  );
  return texts;
}

/** A column and the live rows, as the module's functions take them. */
export function columnArguments({ rowsPointer, rows }: TokenBatch, { starts, ends, kinds }: Tokens): ColumnArguments {
  return [starts, ends, kinds, rowsPointer, rows.length];
}
