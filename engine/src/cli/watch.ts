/** `reef test --watch`: runs the tests again, each time in a process of its own, when a file beside them changes. */
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { CommandIo } from './command-io.ts';

/** What people write; anything else may be written by the tests themselves, and counts only while none is running. */
const WRITTEN = /\.(ya?ml|[cm]?[jt]s|wasm|sql)$/;
/** An editor that saves makes several changes at once. */
const SETTLE_MS = 100;

/** Ends with the first SIGINT or SIGTERM. */
export async function watchTests(names: readonly string[], args: readonly string[], io: CommandIo): Promise<number> {
  const folders = new Set<string>();
  for (const name of names) {
    const path = resolve(io.cwd, name);
    const kind = await stat(path).catch(() => undefined);
    folders.add(kind?.isDirectory() ? path : dirname(path));
  }
  const own = args.filter((arg) => arg !== '--watch');
  let running = false;
  let again = true;
  let timer: NodeJS.Timeout | undefined;
  const run = (): void => {
    if (running || !again) return;
    again = false;
    running = true;
    const child = spawn(process.execPath, [process.argv[1]!, 'test', ...own], { stdio: 'inherit', cwd: io.cwd });
    child.once('close', () => {
      running = false;
      io.stderr.write('reef test: waiting for changes; Ctrl-C ends\n');
      run();
    });
  };
  const watchers = [...folders].map((folder) =>
    watch(folder, { recursive: true }, (_, file) => {
      if (file === null || /(^|[\\/])(node_modules|\.git)[\\/]/.test(file)) return;
      if (running && !WRITTEN.test(file)) return;
      again = true;
      clearTimeout(timer);
      timer = setTimeout(run, SETTLE_MS);
    }),
  );
  run();
  return new Promise((resolve) => {
    const end = (): void => {
      for (const watcher of watchers) watcher.close();
      clearTimeout(timer);
      resolve(0);
    };
    process.once('SIGINT', end).once('SIGTERM', end);
  });
}
