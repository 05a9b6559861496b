import { glob, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorNumber } from './file-error.ts';

const magic = /[*?[\]{}]/;

export interface FileList {
  /** Absolute paths in name order. Without hidden files, except when a path names one. */
  readonly paths: readonly string[];
  /** What the setting turned out to be. A file need not exist. */
  readonly kind: 'file' | 'folder' | 'glob';
}

/** The files that `path` (absolute) stands for: itself, the files directly in it, or those that match it. */
export async function listFiles(path: string): Promise<FileList> {
  const found = await stat(path).catch((error: unknown) => {
    if (errorNumber(error) === 'ENOENT' || errorNumber(error) === 'ENOTDIR') return undefined;
    throw error;
  });
  if (found?.isDirectory()) {
    const entries = await readdir(path, { withFileTypes: true });
    const files = entries.filter((entry) => !entry.name.startsWith('.') && (entry.isFile() || entry.isSymbolicLink()));
    return { kind: 'folder', paths: await onlyFiles(files.map((entry) => join(path, entry.name))) };
  }
  if (found !== undefined || !magic.test(path)) return { kind: 'file', paths: [path] };
  const paths: string[] = [];
  for await (const match of glob(path)) paths.push(match);
  return { kind: 'glob', paths: await onlyFiles(paths) };
}

/** The folder of a path, or, for a glob, the deepest one without wildcards. */
export function fixedFolder(path: string, kind: FileList['kind']): string {
  if (kind === 'folder') return path;
  let folder = dirname(path);
  while (kind === 'glob' && magic.test(folder)) folder = dirname(folder);
  return folder;
}

async function onlyFiles(paths: string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths.sort()) {
    const found = await stat(path).catch(() => undefined);
    // One that cannot be looked at stays: opening it gives the error that says why.
    if (found === undefined || found.isFile()) files.push(path);
  }
  return files;
}
