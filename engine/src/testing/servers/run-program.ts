/** Runs a program that a server needs before it starts (initdb, a formatter of storage), or that speaks to one from outside. */
import { spawn } from 'node:child_process';

export interface ProgramOptions {
  /** Name of the user that it runs as. Default: that of the tests. */
  readonly user?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  /** What it reads. Default nothing. */
  readonly input?: string | Uint8Array | undefined;
  readonly timeoutMs?: number | undefined;
}

/** Resolves with what it wrote to standard output; rejects with all that it wrote when it fails or takes too long. */
export async function runProgram(command: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const { user, env, cwd, input, timeoutMs = 60_000 } = options;
  const ids = user === undefined ? {} : await userIds(user);
  const child = spawn(command[0]!, command.slice(1), { cwd, env: { ...process.env, ...env }, ...ids, timeout: timeoutMs });
  let stdout = '';
  let all = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    all += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    all += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`Cannot run ${command.join(' ')}: it ended with ${signal ?? code}\n${all}`));
    });
  });
}

/** Ids of a user, for `spawn`; nothing when the tests run as somebody who may not change users. */
export async function userIds(user: string): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = await Promise.all([runProgram(['id', '-u', user]), runProgram(['id', '-g', user])]);
  return { uid: Number(uid), gid: Number(gid) };
}
