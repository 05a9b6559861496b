/** For `reef check --connect`: whether there are files to read, and the right to write. Nothing is opened or made. */
import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ReefError } from '../../errors.ts';
import { fileError } from './file-error.ts';
import { listFiles } from './file-list.ts';
import { isTemplate } from './name-template.ts';

export interface ProbedFile {
  readonly id: string;
  readonly folder: string;
  readonly path: string;
}

export async function probeFilesToRead({ id, folder, path: given }: ProbedFile): Promise<readonly string[]> {
  const path = resolve(folder, given);
  const failed = (error: unknown): never => {
    throw fileError(`read file source "${id}"`, path, error, 'io');
  };
  const { kind, paths } = await listFiles(path).catch(failed);
  for (const file of paths) await access(file, constants.R_OK).catch(failed);
  return [kind === 'file' ? `may read ${path}` : `may read ${paths.length} files of ${path}`];
}

export async function probeFileToWrite({ id, folder, path: given }: ProbedFile): Promise<readonly string[]> {
  // Of a name with columns in it, what stands before the first of them is known.
  const path = resolve(folder, isTemplate(given) ? dirname(given.slice(0, given.indexOf('%{') + 2)) : given);
  try {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    if (found) {
      await access(path, constants.W_OK);
      return [`may write to ${path}`];
    }
    const parent = await nearestFolder(path);
    await access(parent, constants.W_OK | constants.X_OK);
    return [`may make ${path}`];
  } catch (error) {
    if (error instanceof ReefError) throw error;
    throw fileError(`write file sink "${id}"`, path, error, 'io');
  }
}

/** The first folder above that exists: the others are made. */
async function nearestFolder(path: string): Promise<string> {
  const parent = dirname(path);
  const found = await stat(parent).catch(() => undefined);
  return found || parent === path ? parent : nearestFolder(parent);
}
