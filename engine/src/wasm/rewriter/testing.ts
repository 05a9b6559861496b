/** Modules made byte by byte, and a host for rewritten ones: for tests of the rewriter and its fuzz program. */
import { type ModuleInfo, type RewriteOptions, rewrite } from './index.ts';

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const FUNCREF = 0x70;
export const EXTERNREF = 0x6f;

export function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

export function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)];
  return [...leb(bytes.length), ...bytes];
}

export function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

/** A section of counted entries; none when there are no entries. */
export function vector(id: number, entries: readonly (readonly number[])[]): number[] {
  return entries.length === 0 ? [] : section(id, [...leb(entries.length), ...entries.flat()]);
}

export interface Parts {
  /** Parameters and results of each type; default one: `() -> ()`. */
  readonly types?: readonly (readonly [params: readonly number[], results: readonly number[]])[];
  readonly imports?: readonly (readonly number[])[];
  /** Type of each function. */
  readonly functions?: readonly number[];
  readonly tables?: readonly (readonly number[])[];
  readonly memories?: readonly (readonly number[])[];
  readonly globals?: readonly (readonly number[])[];
  readonly exports?: readonly (readonly number[])[];
  readonly start?: number;
  readonly elements?: readonly (readonly number[])[];
  readonly dataCount?: number;
  /** Instructions of each function, without the last `end`; a list of locals may stand in front: `locals(…)`. */
  readonly code?: readonly (readonly number[])[];
  readonly data?: readonly (readonly number[])[];
}

/** Bodies start with their locals: this is none. */
export const NO_LOCALS = [0];

/** A module with one exported function `f` of the first type, unless told otherwise. */
export function moduleBytes(parts: Parts): Uint8Array {
  const { types = [[[], []]], functions = [0], code = [NO_LOCALS] } = parts;
  const typeEntries = types.map(([params, results]) => [
    0x60,
    ...leb(params.length),
    ...params,
    ...leb(results.length),
    ...results,
  ]);
  const imported = (parts.imports ?? []).filter((entry) => entry.at(-2) === 0).length;
  const exports = parts.exports ?? (functions.length > 0 ? [[...text('f'), 0, ...leb(imported)]] : []);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...vector(1, typeEntries),
    ...vector(2, parts.imports ?? []),
    ...vector(3, functions.map(leb)),
    ...vector(4, parts.tables ?? []),
    ...vector(5, parts.memories ?? []),
    ...vector(6, parts.globals ?? []),
    ...vector(7, exports),
    ...(parts.start === undefined ? [] : section(8, leb(parts.start))),
    ...vector(9, parts.elements ?? []),
    ...(parts.dataCount === undefined ? [] : section(12, leb(parts.dataCount))),
    ...vector(10, functions.length === 0 ? [] : code.map((body) => [...leb(body.length + 1), ...body, 0x0b])),
    ...vector(11, parts.data ?? []),
  ]);
}

export interface Loaded {
  readonly instance: WebAssembly.Instance;
  readonly exports: Record<string, (...args: unknown[]) => unknown>;
  readonly memory: WebAssembly.Memory | undefined;
  readonly info: ModuleInfo;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Calls of `reef.fuel_out` so far. */
  readonly looks: () => number;
  readonly global: (name: string) => WebAssembly.Global;
}

export interface LoadOptions extends RewriteOptions {
  /** Answers `reef.fuel_out`: true stops the guest. */
  readonly stop?: () => boolean;
  readonly imports?: WebAssembly.Imports;
}

/** Rewrites a module and gives it what the host gives. */
export function load(bytes: Uint8Array, options: LoadOptions = {}): Loaded {
  const result = rewrite(bytes, options);
  const { memory: declared } = result.info;
  const memory = declared && new WebAssembly.Memory({ initial: declared.minPages, maximum: declared.maxPages });
  let looks = 0;
  const fuelOut = () => {
    looks++;
    return options.stop?.() ? 1 : 0;
  };
  const module = new WebAssembly.Module(result.bytes);
  const instance = new WebAssembly.Instance(module, { ...options.imports, reef: { memory, fuel_out: fuelOut } });
  return {
    instance,
    exports: instance.exports as Loaded['exports'],
    memory,
    info: result.info,
    bytes: result.bytes,
    looks: () => looks,
    global: (name) => instance.exports[name] as WebAssembly.Global,
  };
}

/** Random numbers in [0, 1) that are the same for the same seed. */
export function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
