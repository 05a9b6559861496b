/** Runs the built `reef` command for tests, in a folder that goes with the test. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The built command. */
export const mainFile = fileURLToPath(new URL('../../bin/reef.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ReefProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ended: Promise<Ended>;
}

/** A new folder, removed after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'reef-test-'));
  // What still runs may write into it while it goes.
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Writes a punchline with the given nodes, in flow style, and returns its path. */
export function writePunchline(folder: string, kind: 'BatchPunchline' | 'StreamPunchline', nodes: readonly object[]): string {
  const file = join(folder, 'punchline.yaml');
  writeFileSync(file, JSON.stringify({ kind, metadata: { name: 'test' }, spec: { dag: nodes } }));
  return file;
}

/** Starts `reef`; killed with the test at the latest. `entry`: another file than the built command's own. */
export function startReef(
  t: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  entry = mainFile,
): ReefProcess {
  const child = spawn(process.execPath, [entry, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // What most tests look at is what people see.
    env: { REEF_LOG_FORMAT: 'text', ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => {});
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  t.after(() => {
    child.kill('SIGKILL');
  });
  return { child, ended };
}

/** Runs `reef` to its end. */
export function reef(t: TestContext, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended> {
  const { child, ended } = startReef(t, args, env);
  child.stdin.end();
  return ended;
}
