import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where a punchline keeps its state unless `--state` says otherwise:
 * `${REEF_STATE_HOME:-${XDG_STATE_HOME:-~/.local/state}/reef}/NAME-HASH8`, HASH8 being the first 8 hexadecimal digits of the SHA-256
 * of the file's absolute path. So it never lands in a repository, and two punchlines of one name do not meet.
 * A punchline from standard input (`-`) has the name alone.
 */
export function defaultStateFolder(
  punchlineFile: string,
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const folder = name.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^\.+/, '_') || 'punchline';
  const suffix =
    punchlineFile === '-'
      ? ''
      : `-${process.getBuiltinModule('node:crypto').createHash('sha256').update(punchlineFile).digest('hex').slice(0, 8)}`;
  return join(stateHome(env), folder + suffix);
}

export function stateHome(env: Readonly<Record<string, string | undefined>>): string {
  if (env.REEF_STATE_HOME) return env.REEF_STATE_HOME;
  // The XDG base directory specification: a relative path is to be ignored.
  const xdg = env.XDG_STATE_HOME;
  const base = xdg && isAbsolute(xdg) ? xdg : join(env.HOME || homedir(), '.local', 'state');
  return join(base, 'reef');
}
