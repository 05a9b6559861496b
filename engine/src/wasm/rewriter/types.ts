/** What may be asked of the rewriter. All sizes are upper bounds; what the module itself declares stays when it is less. */
export interface RewriteOptions {
  /** Stands in error messages: a file name, usually. */
  readonly name?: string;
  /** Insert the fuel meter. Default true. */
  readonly fuel?: boolean;
  /**
   * Fuel between two calls of `reef.fuel_out`, about one per instruction. Default {@link DEFAULT_FUEL_SLICE}: 0.2 to 0.5 ms of a
   * tight loop, tens of milliseconds of one that waits for memory at each step.
   * The host may set less (or 0, for a look at the next loop head) through the exported global `reef:fuel`.
   */
  readonly fuelSlice?: number;
  /** Maximum of the guest's memory. Default: the larger of 256 MiB and the declared minimum. Never above 1 GiB. */
  readonly memoryBytes?: number;
  /** Entries that any one table may have. Default 131,072 (about 3 MB). */
  readonly tableEntries?: number;
}

export const DEFAULT_FUEL_SLICE = 4_000_000;

export interface RewriteResult {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly info: ModuleInfo;
}

export type ExternalKind = 'function' | 'table' | 'memory' | 'global';

export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternalKind;
  /** `(i32, i32) -> (i32)` for functions, `i32` or `mutable i32` for globals, `funcref` for tables. */
  readonly type: string;
}

export interface ModuleExport {
  readonly name: string;
  readonly kind: ExternalKind;
  readonly type: string;
}

/** Names of what the allow-list holds beyond WebAssembly 1.0, for `inspect`. */
export type Feature =
  | 'sign extension'
  | 'mutable globals'
  | 'multi-value'
  | 'saturating conversions'
  | 'bulk memory'
  | 'reference types'
  | 'SIMD'
  | 'extended constants';

export interface ModuleInfo {
  /** Size of the original. */
  readonly sizeBytes: number;
  /** Functions that the module defines, imports not counted. */
  readonly functions: number;
  /** Everything that the original imports, the memory included. */
  readonly imports: readonly ModuleImport[];
  /** Everything that the original exports; the rewritten module exports the same and the `reef:` names. */
  readonly exports: readonly ModuleExport[];
  readonly memory: ModuleMemory | undefined;
  readonly tables: readonly { readonly type: string; readonly min: number; readonly max: number | undefined }[];
  readonly features: readonly Feature[];
  /** It has a start function: code runs, metered, during instantiation. */
  readonly start: boolean;
  /**
   * Whether `reef:save`, `reef:restore` and a copy of the memory bring an instance back to where it was.
   * Otherwise (it changes tables, or drops segments) a new instance is the only clean state; `because` names the instruction.
   */
  readonly reset: { readonly inPlace: true } | { readonly inPlace: false; readonly because: string };
  /** The module's own name from its name section. */
  readonly declaredName: string | undefined;
  /** Languages and tools, as the module says: `Rust`, `clang 14.0.6`. */
  readonly producers: readonly string[];
}

/** The memory that the host must provide as `reef.memory`. Pages of 64 KiB. */
export interface ModuleMemory {
  readonly minPages: number;
  /** The bound after the limits were applied: the maximum of the memory to provide. */
  readonly maxPages: number;
  /** What the module itself declared; `undefined`: nothing. */
  readonly declaredMaxPages: number | undefined;
  /** True when the original imported it rather than defined it. */
  readonly imported: boolean;
}

/** Names that the rewriter adds. A guest that already has one of them is refused. */
export const REEF = {
  importModule: 'reef',
  memory: 'memory',
  fuelOut: 'fuel_out',
  exportPrefix: 'reef:',
  /** i32: what is left of the fuel. The host may set it at any time. */
  fuel: 'reef:fuel',
  /**
   * i32: the memory's size in pages as the guest sees it; `memory.size` and `memory.grow` go by it. After a reset it may be below the
   * real size: the host must have zeroed the pages beyond it. {@link REEF.save} and {@link REEF.restore} include it.
   */
  pages: 'reef:pages',
  /** `() -> ()`: remembers all mutable globals (one set: a second call overwrites it). Meant for after `_initialize`. */
  save: 'reef:save',
  /** `() -> ()`: puts them back. The memory is the host's to put back; tables need nothing while `reset.inPlace`. */
  restore: 'reef:restore',
} as const;
