export { rewrite } from './rewrite.ts';
export {
  DEFAULT_FUEL_SLICE,
  type ExternalKind,
  type Feature,
  type ModuleExport,
  type ModuleImport,
  type ModuleInfo,
  type ModuleMemory,
  REEF,
  type RewriteOptions,
  type RewriteResult,
} from './types.ts';
