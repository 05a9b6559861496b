/** A function's file made ready to run: rewritten, checked against what Reef gives, compiled once. Everything wrong is said at load. */
import { createHash } from 'node:crypto';
import { ReefError } from '../errors.ts';
import { nearestWord } from '../spec/nearest-word.ts';
import { type ModuleInfo, rewrite } from './rewriter/index.ts';
import { WASI_MODULE } from './shim.ts';
import { wasiTypes } from './wasi-types.ts';

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
const START = '_start';
const INITIALIZE = '_initialize';

/** Why a module with `_start` and nothing else to call is no function. */
export const COMMAND =
  'it is a command (_start): build a library (Rust: crate-type cdylib, C: -mexec-model=reactor) and export a function';

export async function loadFunctionModule(bytes: Uint8Array, options: FunctionModuleOptions): Promise<FunctionModule> {
  const { name, memoryBytes } = options;
  const { bytes: rewritten, info } = rewrite(bytes, { name, ...(memoryBytes === undefined ? {} : { memoryBytes }) });
  const subject = `wasm module ${JSON.stringify(name)}`;
  checkImports(info, subject);
  checkImportTypes(info, subject);
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
  const unknown = info.imports.filter(
    ({ module, name, kind }) => kind !== 'memory' && !(kind === 'function' && module === WASI_MODULE && wasiTypes.has(name)),
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

function checkImportTypes(info: ModuleInfo, subject: string): void {
  const other = info.imports.find(({ kind, name, type }) => kind === 'function' && wasiTypes.get(name) !== type);
  if (other === undefined) return;
  throw new ReefError(
    'config',
    `Cannot load ${subject}: it imports ${other.name} as a function ${other.type}; WASI preview 1 has a function ${wasiTypes.get(other.name)}`,
  );
}

function chooseExport(info: ModuleInfo, subject: string, wanted: string | undefined): string {
  const names = callable(info);
  const functions = info.exports.filter(({ kind }) => kind === 'function');
  const initialize = functions.find(({ name }) => name === INITIALIZE);
  if (initialize !== undefined && initialize.type !== SIGNATURE) throw wrongType(subject, initialize);
  if (wanted === START || (names.length === 0 && wanted === undefined && functions.some(({ name }) => name === START)))
    throw new ReefError('config', `Cannot load ${subject}: ${COMMAND}`);
  const there = names.length === 0 ? 'it exports no function without parameters and results' : `it exports ${names.join(', ')}`;
  if (wanted === undefined) {
    if (names.length === 1) return names[0]!;
    throw new ReefError('config', `Cannot load ${subject}: ${there}; set function to the one to call`);
  }
  if (names.includes(wanted)) return wanted;
  const found = info.exports.find(({ name }) => name === wanted);
  if (found?.kind === 'function' && found.type === SIGNATURE && wanted !== INITIALIZE) return wanted;
  if (found !== undefined) throw wrongType(subject, found);
  const near = nearestWord(wanted, names);
  const hint = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
  throw new ReefError('config', `Cannot load ${subject}: it has no export ${JSON.stringify(wanted)}, ${there}${hint}`, {
    data: near === undefined ? {} : { suggestion: near },
  });
}

function wrongType(subject: string, { name, kind, type }: ModuleInfo['exports'][number]): ReefError {
  const is =
    name === INITIALIZE && type === SIGNATURE
      ? 'run before the first row'
      : kind === 'function'
        ? `a function ${type}`
        : `a ${kind}`;
  return new ReefError(
    'config',
    `Cannot load ${subject}: its export ${JSON.stringify(name)} is ${is}, expected a function ${SIGNATURE}`,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
