/** The files that a name on the command line stands for: itself, or the punchlines of a folder. */
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ReefError } from '../errors.ts';

/**
 * Of a folder each `*.yaml` and `*.yml`, in the order of their names; not those of its folders, hidden ones, and cases for
 * `reef test`. A name that cannot be looked at stays: reading it says why.
 */
export async function punchlineFiles(name: string, cwd: string): Promise<readonly string[]> {
  if (name === '-') return [name];
  const path = resolve(cwd, name);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return [name];
  const entries = await readdir(path, { withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  const names = files.filter((file) => /^[^.].*\.ya?ml$/.test(file) && !/\.test\.ya?ml$/.test(file)).sort();
  if (names.length === 0) {
    throw new ReefError(
      'config',
      `Cannot read the folder "${name}": it holds no punchline, expected files whose names end in .yaml or .yml`,
    );
  }
  return names.map((file) => join(name, file));
}
