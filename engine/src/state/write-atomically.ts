import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces a file in one step: a reader, or the next start after a kill, sees the old text or the new one, never a part.
 * Without `sync` that holds against a kill of the process, with it also against a loss of power.
 * A long text may come in pieces, which are not in memory all at once. Two calls for one file must not overlap.
 */
export async function writeAtomically(
  path: string,
  text: string | Iterable<string>,
  options: { readonly sync: boolean },
): Promise<void> {
  const temporary = `${path}.new`;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(text);
      if (options.sync) await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  if (options.sync) await syncFolder(dirname(path));
}

/** Makes renames and removals in a folder safe against power loss. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
