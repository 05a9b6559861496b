/**
 * Finds the module that `path` of a wasm node names: a file, or an artifact in the local artifact folder
 * (`group:artifact:version:file.wasm`, `wasm:group:artifact:version`; `latest` is the highest version).
 */
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { ReefError } from '../../errors.ts';
import { nearestWord } from '../../spec/nearest-word.ts';
import { type Artifact, type Catalog, readCatalog } from './catalog.ts';
import { compareVersions } from './version.ts';

export interface ModuleReference {
  /** As the punchline has it. */
  readonly path: string;
  /** Folder that relative paths start from. */
  readonly folder: string;
  /** The local artifact folder, relative to `folder` or absolute. */
  readonly artifacts: string;
}

export interface ResolvedModule {
  readonly bytes: Uint8Array;
  /** For people: the file, or the artifact with its version and place. */
  readonly from: string;
}

interface ArtifactName {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
  /** `undefined`: the only module in the artifact. */
  readonly file: string | undefined;
}

const MOST_FILE_BYTES = 64 * 1024 * 1024;

export async function resolveModule(reference: ModuleReference): Promise<ResolvedModule> {
  const name = parseArtifactName(reference.path);
  return name === undefined ? readModuleFile(reference) : readArtifact(name, reference);
}

/** `undefined`: it is a path of a file. */
export function parseArtifactName(path: string): ArtifactName | undefined {
  const parts = path.split(':');
  if (parts.length === 1 || path.startsWith('.') || isAbsolute(path)) return undefined;
  const [first = '', second = '', third = '', fourth = ''] = parts;
  if (parts.length === 4 && parts.every((part) => part !== '')) {
    if (fourth.endsWith('.wasm')) return { group: first, artifact: second, version: third, file: fourth };
    if (first === 'wasm') return { group: second, artifact: third, version: fourth, file: undefined };
  }
  throw new ReefError(
    'config',
    `${subject(path)}: it is neither a file nor an artifact, expected ./file.wasm, group:artifact:version:file.wasm or wasm:group:artifact:version`,
  );
}

async function readModuleFile({ path, folder }: ModuleReference): Promise<ResolvedModule> {
  const file = resolve(folder, path);
  try {
    const { size } = await stat(file);
    if (size > MOST_FILE_BYTES) {
      throw new ReefError(
        'config',
        `${subject(path)}: it has ${size} bytes, expected at most ${MOST_FILE_BYTES}: build for size, strip debug sections`,
      );
    }
    return { bytes: await readFile(file), from: file };
  } catch (cause) {
    if (cause instanceof ReefError) throw cause;
    const { code } = cause as { code?: string };
    const reason = code === 'ENOENT' ? `${file} does not exist` : code === 'EISDIR' ? `${file} is a folder` : messageOf(cause);
    throw new ReefError('config', `${subject(path)}: ${reason}, expected a wasm file`, { cause });
  }
}

async function readArtifact(name: ArtifactName, { path, folder, artifacts }: ModuleReference): Promise<ResolvedModule> {
  const place = resolve(folder, artifacts);
  const catalog = await readCatalog(place, subject(path));
  const found = choose(name, catalog, `${subject(path)}: `, place);
  const file = chooseFile(name.file, found, subject(path));
  try {
    const { group, artifact, version } = found;
    return { bytes: await found.readModule(file), from: `${group}:${artifact}:${version} (${found.path})` };
  } catch (cause) {
    throw new ReefError('config', `${subject(path)}: ${found.path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function choose(
  { group, artifact, version }: ArtifactName,
  { artifacts, broken }: Catalog,
  prefix: string,
  place: string,
): Artifact {
  const versions = artifacts.filter((one) => one.group === group && one.artifact === artifact);
  const problems = broken.map(({ path, problem }) => `; ${path} was passed over: ${problem}`).join('');
  if (versions.length === 0) {
    const names = artifacts.map((one) => `${one.group}:${one.artifact}`);
    const near = nearestWord(`${group}:${artifact}`, names);
    const hint = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
    throw new ReefError('config', `${prefix}${place} holds no artifact ${group}:${artifact}${hint}${problems}`);
  }
  versions.sort((a, b) => compareVersions(b.version, a.version));
  const wanted = version === 'latest' ? versions[0]!.version : version;
  const fitting = versions.filter((one) => one.version === wanted);
  if (fitting.length === 1) return fitting[0]!;
  if (fitting.length === 0) {
    const there = versions.map((one) => one.version).join(', ');
    throw new ReefError(
      'config',
      `${prefix}${place} holds no version ${wanted} of ${group}:${artifact}, only ${there}${problems}`,
    );
  }
  const paths = fitting.map((one) => one.path).join(' and ');
  throw new ReefError('config', `${prefix}version ${wanted} of ${group}:${artifact} stands twice, in ${paths}: remove one`);
}

function chooseFile(wanted: string | undefined, { modules, path }: Artifact, prefix: string): string {
  if (wanted !== undefined) {
    if (modules.includes(wanted)) return wanted;
    const there = modules.length === 0 ? 'no wasm file' : `only ${modules.join(', ')}`;
    throw new ReefError('config', `${prefix}: ${path} has no file ${wanted}, ${there}`);
  }
  if (modules.length === 1) return modules[0]!;
  const there = modules.length === 0 ? 'no wasm file' : `${modules.length} wasm files (${modules.join(', ')})`;
  throw new ReefError('config', `${prefix}: ${path} has ${there}, expected one; name it: group:artifact:version:file.wasm`);
}

function subject(path: string): string {
  return `Cannot load wasm module ${JSON.stringify(path)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
