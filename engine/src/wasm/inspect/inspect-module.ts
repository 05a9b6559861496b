import { createHash } from 'node:crypto';
import { COMMAND, callable } from '../function-module.ts';
import { type ModuleInfo, rewrite } from '../rewriter/index.ts';
import { type ImportAccess, importAccess } from './wasi-access.ts';

/** All that can be said of a module without running it. */
export interface Inspection {
  readonly info: ModuleInfo;
  readonly sha256: string;
  /** `rline`: it can be a `wasm` node's function; otherwise what keeps it from that. */
  readonly contract:
    | { readonly kind: 'rline'; readonly functions: readonly string[] }
    | { readonly kind: 'none'; readonly why: string };
  /** Called once before the first row. */
  readonly initialize: boolean;
  readonly imports: readonly (ModuleInfo['imports'][number] & ImportAccess)[];
  /** By how much the fuel meter makes it larger, 0.03 for 3 %. */
  readonly meterOverhead: number;
}

/** Throws the `ReefError` with which the module would be refused at load. */
export function inspectModule(bytes: Uint8Array, name?: string): Inspection {
  const { info, bytes: rewritten } = rewrite(bytes, name === undefined ? {} : { name });
  const imports = info.imports.map((entry) => ({ ...entry, ...accessOf(entry) }));
  return {
    info,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    contract: contractOf(info, imports),
    initialize: exportsFunction(info, '_initialize'),
    imports,
    meterOverhead: rewritten.length / bytes.length - 1,
  };
}

function accessOf({ module, name, kind }: ModuleInfo['imports'][number]): ImportAccess {
  if (kind === 'memory') return { access: 'always', text: 'Reef provides the memory' };
  if (kind !== 'function') return { access: 'unknown', text: 'not known: the module is refused' };
  return importAccess(module, name);
}

function contractOf(info: ModuleInfo, imports: Inspection['imports']): Inspection['contract'] {
  const functions = callable(info);
  const unknown = imports.find(({ access }) => access === 'unknown');
  const none = (why: string) => ({ kind: 'none', why }) as const;
  if (unknown !== undefined) return none(`it imports ${unknown.module}.${unknown.name}, which Reef does not provide`);
  if (functions.length > 0 && info.memory !== undefined) return { kind: 'rline', functions };
  if (['allocate', 'deallocate', 'apply'].every((name) => exportsFunction(info, name))) {
    return none('it is built with punch_api, the forerunner of rline_api: build it with rline_api and rline_macro 1.0');
  }
  if (exportsFunction(info, '_start')) return none(COMMAND);
  if (functions.length === 0)
    return none('it exports no function of type () -> (): export one that reads standard input and writes the result');
  return none('it has no memory');
}

function exportsFunction(info: ModuleInfo, wanted: string): boolean {
  return info.exports.some(({ name, kind }) => kind === 'function' && name === wanted);
}
