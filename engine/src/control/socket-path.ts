import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a Unix socket's path may have; the system allows 108, others less. */
const MOST_BYTES = 100;

/** Where a punchline listens for those who ask it how it does: in its state folder, or where that is too long a path, in the temporary one. */
export function controlSocketPath(stateFolder: string): string {
  const path = join(stateFolder, 'control.sock');
  if (Buffer.byteLength(path) <= MOST_BYTES) return path;
  const digest = process.getBuiltinModule('node:crypto').createHash('sha256').update(stateFolder).digest('hex');
  return join(tmpdir(), `reef-${digest.slice(0, 24)}.sock`);
}
