/** What a local artifact folder holds: Punch's zips and unpacked folders, each with metadata.yaml or metadata.yml. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { ReefError } from '../../errors.ts';
import { openZip } from './zip.ts';

export interface Artifact {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
  /** The zip or folder. */
  readonly path: string;
  /** Names of the `.wasm` files in it. */
  readonly modules: readonly string[];
  readModule(name: string): Promise<Buffer>;
}

export interface Catalog {
  readonly artifacts: readonly Artifact[];
  /** Zips and folders that cannot be read, and why. */
  readonly broken: readonly { readonly path: string; readonly problem: string }[];
}

const METADATA = ['metadata.yaml', 'metadata.yml'];
const MOST_METADATA_BYTES = 1024 * 1024;
const MOST_MODULE_BYTES = 64 * 1024 * 1024;
const DEEPEST = 6;

/** Reads all that stands in the folder, at any depth to six. Rejects only when the folder itself cannot be read; `subject` begins what it says. */
export async function readCatalog(folder: string, subject: string): Promise<Catalog> {
  const artifacts: Artifact[] = [];
  const broken: { path: string; problem: string }[] = [];
  const visit = async (path: string, read: (path: string) => Promise<Artifact>): Promise<void> => {
    try {
      artifacts.push(await read(path));
    } catch (error) {
      broken.push({ path: relative(folder, path) || '.', problem: messageOf(error) });
    }
  };
  const walk = async (path: string, depth: number): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true });
    if (entries.some(({ name }) => METADATA.includes(name))) return visit(path, readFolder);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const below = join(path, entry.name);
      if (entry.isDirectory() && depth < DEEPEST) await walk(below, depth + 1);
      else if (entry.isFile() && entry.name.endsWith('.zip')) await visit(below, readZip);
    }
  };
  try {
    await walk(folder, 0);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const problem = missing
      ? `the artifact folder ${folder} does not exist`
      : `the artifact folder cannot be read: ${messageOf(cause)}`;
    throw new ReefError('config', `${subject}: ${problem}; set artifacts to a folder with artifacts`, { cause });
  }
  return { artifacts, broken };
}

async function readZip(path: string): Promise<Artifact> {
  const zip = await openZip(path).catch((error: unknown) => {
    throw new Error(`it is no zip that can be read: ${messageOf(error)}`);
  });
  try {
    const name = zip.names.find((name) => METADATA.includes(name));
    if (name === undefined) throw new Error('it holds no metadata.yaml at its top');
    const identity = await parseMetadata((await zip.read(name, MOST_METADATA_BYTES)).toString());
    return {
      ...identity,
      path,
      modules: zip.names.filter((name) => name.endsWith('.wasm')),
      readModule: async (name) => {
        const again = await openZip(path);
        try {
          return await again.read(name, MOST_MODULE_BYTES);
        } finally {
          again.close();
        }
      },
    };
  } finally {
    zip.close();
  }
}

async function readFolder(path: string): Promise<Artifact> {
  const names = await readdir(path);
  const metadata = join(path, METADATA.find((name) => names.includes(name))!);
  const { size } = await stat(metadata);
  if (size > MOST_METADATA_BYTES) throw new Error(`its ${basename(metadata)} has ${size} bytes`);
  const identity = await parseMetadata(await readFile(metadata, 'utf8'));
  return {
    ...identity,
    path,
    modules: names.filter((name) => name.endsWith('.wasm')),
    readModule: (name) => readFile(join(path, name)),
  };
}

async function parseMetadata(text: string): Promise<Pick<Artifact, 'group' | 'artifact' | 'version'>> {
  const { parse } = await import('yaml');
  // Every scalar stays a string: an unquoted version 1.10 must not become 1.1.
  let metadata: unknown;
  try {
    metadata = parse(text, { schema: 'failsafe', logLevel: 'error' });
  } catch (error) {
    throw new Error(`its metadata is no YAML: ${messageOf(error).split('\n')[0]}`);
  }
  const field = (name: string): string => {
    const value = metadata !== null && typeof metadata === 'object' ? (metadata as Record<string, unknown>)[name] : undefined;
    if (typeof value === 'string' && value !== '') return value;
    throw new Error(`its metadata has no ${name}`);
  };
  return { group: field('group'), artifact: field('artifact'), version: field('version') };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
