/**
 * Types are stripped from users' TypeScript once, in a process of its own, and the JavaScript is kept: Node's own stripper costs
 * some 10 MB in every thread that loads a `.ts` file, and a third of a second of CPU at every start (docs/data-path.md).
 * Where the cache cannot be used, Node does it as it always does.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { threadId } from 'node:worker_threads';

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
    const kept = join(folder, keptName(path));
    // What was stripped stands in front of what came of it: no digest is needed to know that it is the same.
    const head = `// ${process.version} ${source.length}\n${source}\n`;
    try {
      const text = readFileSync(kept, 'utf8');
      if (text.startsWith(head)) return text.slice(head.length);
    } catch {
      // Not there yet.
    }
    // Loaded when needed: it costs every thread some milliseconds.
    const text = process.getBuiltinModule('node:child_process').execFileSync(process.execPath, ['--no-warnings', '-e', STRIP], {
      input: source,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    keep(folder, kept, head + text);
    return text;
  } catch {
    return undefined;
  }
}

/** One file for each module: the name of a file may have 255 bytes. */
function keptName(path: string): string {
  const name = encodeURIComponent(path);
  if (name.length <= 200) return `${name}.kept`;
  return `${process.getBuiltinModule('node:crypto').createHash('sha256').update(path).digest('hex')}.kept`;
}

function keep(folder: string, path: string, text: string): void {
  // Threads may keep the same one at the same time.
  const temporary = `${path}.${process.pid}.${threadId}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, path);
  } catch {
    // A read-only home: the next start strips again.
  }
}
