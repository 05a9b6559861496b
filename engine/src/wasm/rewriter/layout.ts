import type { Limits } from './limits.ts';
import type { Feature, ModuleExport, ModuleImport } from './types.ts';

/** Section numbers of the binary format. */
export const Section = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

export interface FunctionType {
  readonly params: readonly number[];
  readonly results: readonly number[];
}

export interface GlobalType {
  readonly type: number;
  readonly mutable: boolean;
}

export interface TableType extends Limits {
  readonly type: number;
}

/**
 * What has been learnt of the module so far. Counts and types only: sections are copied or rewritten as they are read.
 */
export interface Layout {
  readonly types: FunctionType[];
  /** Type of every function, imported ones first. */
  readonly functions: number[];
  readonly globals: GlobalType[];
  readonly tables: TableType[];
  memory: { declared: Limits; max: number; imported: boolean } | undefined;
  importedFunctions: number;
  importedGlobals: number;
  importedTables: number;
  elementSegments: number;
  dataCount: number | undefined;
  start: boolean;
  readonly imports: ModuleImport[];
  readonly exports: ModuleExport[];
  readonly features: Set<Feature>;
  /** The first instruction after which a copy of memory and globals no longer is the whole state. */
  unresettable: string | undefined;
}
