import type { Dirent } from 'node:fs';
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
    return { kind: 'folder', paths: await onlyFiles(entries.filter(({ name }) => !name.startsWith('.'))) };
  }
  if (found !== undefined || !magic.test(path)) return { kind: 'file', paths: [path] };
  const entries: Dirent[] = [];
  for await (const entry of glob(path, { withFileTypes: true })) entries.push(entry);
  return { kind: 'glob', paths: await onlyFiles(entries) };
}

/** The folder of a path, or, for a glob, the deepest one without wildcards. */
export function fixedFolder(path: string, kind: FileList['kind']): string {
  if (kind === 'folder') return path;
  let folder = dirname(path);
  while (kind === 'glob' && magic.test(folder)) folder = dirname(folder);
  return folder;
}

/** In name order. Links are followed. */
async function onlyFiles(entries: readonly Dirent[]): Promise<string[]> {
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() || (isUnknown(entry) && (await isFileOrUnknown(path)))) files.push(path);
  }
  return files.sort();
}

/** A link, or on a file system that does not say what its entries are. */
function isUnknown(entry: Dirent): boolean {
  return !(entry.isDirectory() || entry.isFIFO() || entry.isSocket() || entry.isCharacterDevice() || entry.isBlockDevice());
}

async function isFileOrUnknown(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  // One that cannot be looked at stays: opening it gives the error that says why.
  return found === undefined || found.isFile();
}
