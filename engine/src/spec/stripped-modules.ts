/**
 * Types are stripped from users' TypeScript once, in a process of its own, and the JavaScript is kept: Node's own stripper costs
 * some 10 MB in every thread that loads a `.ts` file, and a third of a second of CPU at every start (docs/data-path.md).
 * Where the cache cannot be used, Node does it as it always does.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const STRIP = `process.stdout.write(require('node:module').stripTypeScriptTypes(require('node:fs').readFileSync(0, 'utf8')))`;

let registered = false;

/** From now on this thread loads `.ts` files through the cache. */
export function useStrippedModules(): void {
  // Unbuilt, the engine itself runs as TypeScript: the stripper is there already.
  if (registered || import.meta.url.endsWith('.ts')) return;
  registered = true;
  registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith('file:') || !/\.m?ts$/.test(url)) return nextLoad(url, context);
      const source = stripped(fileURLToPath(url));
      return source === undefined ? nextLoad(url, context) : { format: 'module', source, shortCircuit: true };
    },
  });
}

/** `undefined` where something goes wrong: Node then loads the file itself and says what. */
function stripped(path: string): string | undefined {
  try {
    const source = readFileSync(path, 'utf8');
    const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'reef', 'stripped-types');
    const kept = join(folder, `${createHash('sha256').update(process.version).update(source).digest('hex')}.js`);
    try {
      return readFileSync(kept, 'utf8');
    } catch {
      const text = execFileSync(process.execPath, ['--no-warnings', '-e', STRIP], {
        input: source,
        encoding: 'utf8',
        stdio: 'pipe',
      });
      keep(folder, kept, text);
      return text;
    }
  } catch {
    return undefined;
  }
}

function keep(folder: string, path: string, text: string): void {
  const temporary = `${path}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, path);
  } catch {
    // A read-only home: the next start strips again.
  }
}
