/** Node types in a user's own file (`type: ./my-function.ts`) or npm package (`type: package:@acme/nodes/gauge`). Loading one runs its code. */
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ReefError } from '../errors.ts';
import type { NodeSpec } from './node-spec.ts';
import { useOwnEngine } from './own-engine.ts';
import { metricsIssue } from './own-metrics.ts';
import type { NodeKind } from './plan.ts';

const PACKAGE = 'package:';

/** Whether `type` names a file or a package rather than a built-in type. */
export function isUserModule(type: string): boolean {
  return ['./', '../', 'file:', PACKAGE].some((start) => type.startsWith(start)) || isAbsolute(type);
}

/** The `file:` URL that a user's module is known by; a package that is not installed stays what it is. */
export function userModuleUrl(type: string, folder: string): string {
  if (type.startsWith('file:')) return type;
  if (!type.startsWith(PACKAGE)) return pathToFileURL(resolve(folder, type)).href;
  try {
    return pathToFileURL(resolvePackage(type.slice(PACKAGE.length), folder)).href;
  } catch {
    return type;
  }
}

/** As Node finds it from a file in the folder. */
function resolvePackage(name: string, folder: string): string {
  return createRequire(join(folder, 'punchline.yaml')).resolve(name);
}

/** Throws when there is no such file; runs nothing. */
export async function requireUserModule(type: string, folder: string): Promise<string> {
  const url = userModuleUrl(type, folder);
  const subject = `Cannot load node type "${type}"`;
  if (url.startsWith(PACKAGE)) throw new ReefError('config', `${subject}: ${packageProblem(url.slice(PACKAGE.length), folder)}`);
  if (!/\.[cm]?[jt]s$/.test(url)) {
    throw new ReefError(
      'config',
      `${subject}: the name does not end in .ts or .js (or .mts, .mjs), expected a TypeScript or JavaScript module`,
    );
  }
  let path: string;
  try {
    path = fileURLToPath(url);
  } catch {
    throw new ReefError('config', `${subject}: it is no file on this machine, expected a path or a file: URL without a host`);
  }
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new ReefError('config', `${subject}: ${path} does not exist`);
  if (!found.isFile()) throw new ReefError('config', `${subject}: ${path} is not a file`);
  return url;
}

/** Why a package cannot be found. */
function packageProblem(name: string, folder: string): string {
  const install = `expected one that is installed beside the punchline or above it (npm install ${name.match(/^(@[^/]+\/)?[^/]+/)?.[0] ?? ''})`;
  if (!/^(@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*(\/.+)?$/.test(name)) return 'that is no name of a package';
  try {
    resolvePackage(name, folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'MODULE_NOT_FOUND') return `${message.split('\n', 1)[0]}, expected a \`default\` among its "exports"`;
  }
  return `there is no such package, ${install}`;
}

/** Runs the module and takes its default export. */
export async function loadUserModule(kind: NodeKind, type: string, folder: string): Promise<NodeSpec> {
  const url = await requireUserModule(type, folder);
  const subject = `Cannot load node type "${type}"`;
  let module: { readonly default?: unknown };
  // Imported when needed: it brings node:crypto and node:child_process, and most punchlines have no module of their own.
  await useOwnEngine();
  if (url.endsWith('ts')) (await import('./stripped-modules.ts')).useStrippedModules();
  try {
    module = await import(url);
  } catch (cause) {
    throw new ReefError('config', `${subject}: ${errorText(cause)}`, { cause });
  }
  const spec = module.default;
  const made = 'expected `export default` of what source(), batchFunction() or sink() returns';
  if (spec === undefined) throw new ReefError('config', `${subject}: it has no default export, ${made}`);
  if (!isNodeSpec(spec)) throw new ReefError('config', `${subject}: its default export is no node type, ${made}`);
  const issue = metricsIssue(spec);
  if (issue !== undefined) throw new ReefError('config', `${subject}: ${issue}`);
  if (spec.kind !== kind) {
    throw new ReefError('config', `${subject}: it is a ${spec.kind}, but the node says kind: ${kind}`);
  }
  return spec;
}

function isNodeSpec(value: unknown): value is NodeSpec {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, open, settings, reads, writes, codecs } = value as Readonly<Record<string, unknown>>;
  if (typeof open !== 'function' || typeof settings !== 'object' || settings === null) return false;
  if (kind === 'function') return typeof reads === 'function' && typeof writes === 'function';
  return (kind === 'source' || kind === 'sink') && Array.isArray(codecs);
}

function errorText(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.split('\n', 1)[0]!;
}
