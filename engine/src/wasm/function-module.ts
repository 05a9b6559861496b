/** A function's file made ready to run: rewritten, checked against what Reef gives, compiled once. Everything wrong is said at load. */
import { createHash } from 'node:crypto';
import { ReefError } from '../errors.ts';
import { nearestWord } from '../spec/nearest-word.ts';
import { type ModuleInfo, rewrite } from './rewriter/index.ts';
import { WASI_MODULE, wasiFunctions } from './shim.ts';

export interface FunctionModuleOptions {
  /** Stands in messages: the path as the punchline has it. */
  readonly name: string;
  /** The export to call; may be left out where there is only one that fits. */
  readonly function?: string | undefined;
  readonly memoryBytes?: number | undefined;
}

export interface FunctionModule {
  readonly module: WebAssembly.Module;
  readonly info: ModuleInfo;
  readonly function: string;
  /** SHA-256 of the file, in hex. */
  readonly digest: string;
}

const SIGNATURE = '() -> ()';

export async function loadFunctionModule(bytes: Uint8Array, options: FunctionModuleOptions): Promise<FunctionModule> {
  const { name, memoryBytes } = options;
  const { bytes: rewritten, info } = rewrite(bytes, { name, ...(memoryBytes === undefined ? {} : { memoryBytes }) });
  const subject = `wasm module ${JSON.stringify(name)}`;
  checkImports(info, subject);
  const chosen = chooseExport(info, subject, options.function);
  if (info.memory === undefined)
    throw new ReefError('config', `Cannot load ${subject}: it has no memory, an rline function needs one`);
  let module: WebAssembly.Module;
  try {
    module = await WebAssembly.compile(rewritten);
  } catch (error) {
    throw new ReefError('config', `Cannot load ${subject}: it does not compile: ${messageOf(error)}`, { cause: error });
  }
  return { module, info, function: chosen, digest: createHash('sha256').update(bytes).digest('hex') };
}

/** Exports that can be called for a row. */
export function callable(info: ModuleInfo): readonly string[] {
  const exports = info.exports.filter(
    ({ kind, type, name }) => kind === 'function' && type === SIGNATURE && !name.startsWith('_'),
  );
  return exports.map(({ name }) => name);
}

function checkImports(info: ModuleInfo, subject: string): void {
  const known = new Set(wasiFunctions());
  const unknown = info.imports.filter(
    ({ module, name, kind }) => kind !== 'memory' && !(kind === 'function' && module === WASI_MODULE && known.has(name)),
  );
  if (unknown.length === 0) return;
  const names = unknown
    .slice(0, 5)
    .map(({ module, name, kind }) => `${module}.${name}${kind === 'function' ? '' : ` (a ${kind})`}`);
  const more = unknown.length > names.length ? ` and ${unknown.length - names.length} more` : '';
  throw new ReefError(
    'config',
    `Cannot load ${subject}: it imports ${names.join(', ')}${more}; functions are given WASI preview 1 (${WASI_MODULE}) and nothing else`,
    { data: { imports: unknown.map(({ module, name }) => `${module}.${name}`) } },
  );
}

function chooseExport(info: ModuleInfo, subject: string, wanted: string | undefined): string {
  const names = callable(info);
  const there = names.length === 0 ? 'it exports no function without parameters and results' : `it exports ${names.join(', ')}`;
  if (wanted === undefined) {
    if (names.length === 1) return names[0]!;
    throw new ReefError('config', `Cannot load ${subject}: ${there}; set function to the one to call`);
  }
  if (names.includes(wanted)) return wanted;
  const found = info.exports.find(({ name }) => name === wanted);
  if (found !== undefined) {
    const is = found.kind === 'function' ? `a function ${found.type}` : `a ${found.kind}`;
    throw new ReefError(
      'config',
      `Cannot load ${subject}: its export ${JSON.stringify(wanted)} is ${is}, expected a function ${SIGNATURE}`,
    );
  }
  const near = nearestWord(wanted, names);
  const hint = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
  throw new ReefError('config', `Cannot load ${subject}: it has no export ${JSON.stringify(wanted)}, ${there}${hint}`, {
    data: near === undefined ? {} : { suggestion: near },
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
