import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { controlSocketPath } from './socket-path.ts';

/** A state folder, a file's in it, a punchline's in that: none lies deeper. */
const DEEPEST = 2;

/** State folders at or below `folder` whose punchline listens, or did until it was killed. */
export async function findRunning(folder: string, deeper = DEEPEST): Promise<string[]> {
  const socket = await stat(controlSocketPath(folder)).catch(() => undefined);
  const own = socket?.isSocket() ? [folder] : [];
  if (deeper === 0) return own;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const below = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  const all = await Promise.all(below.sort().map((path) => findRunning(path, deeper - 1)));
  return [...own, ...all.flat()];
}
