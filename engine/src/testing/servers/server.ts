/**
 * A real server for tests: on free ports, in a folder of its own, ready when it says so. It can be stopped, killed and started again
 * on the same ports over the same folder; it ends with its test, and with the process of the tests whatever ends that.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Owner } from '../owner.ts';
import { freePort } from './free-port.ts';
import { findProgram } from './needs.ts';
import { userIds } from './run-program.ts';

/** Where a server lives. */
export interface ServerPlace<P extends string = string> {
  readonly folder: string;
  readonly ports: Readonly<Record<P, number>>;
}

export interface ServerOptions<P extends string> {
  readonly name: string;
  /** Names of the ports that it listens on. */
  readonly ports: readonly P[];
  /** Before the first start: writes its configuration, makes its storage. */
  prepare?(place: ServerPlace<P>): void | Promise<void>;
  command(place: ServerPlace<P>): readonly string[];
  /** Asks it whether it serves: resolves with true, or anything else (also a rejection) when it does not yet. */
  ready(place: ServerPlace<P>): Promise<boolean>;
  /** For servers that refuse to run as root; the folder is theirs. Default: the user of the tests. */
  readonly user?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default 60 s. */
  readonly readyMs?: number;
  /** What asks it to end in order. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** True: its standard input stays open. Default: it has none. */
  readonly stdin?: boolean;
}

export interface Server<P extends string = string> extends ServerPlace<P> {
  /** The end of what it wrote, for messages. */
  readonly log: string;
  readonly pid: number | undefined;
  /** Ends it in order; after 10 s by force. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** Starts it again where it was, once it was stopped or killed; resolves when it serves. */
  start(): Promise<void>;
  /** Stops it if it runs, and starts it. */
  restart(): Promise<void>;
  /** It keeps its connections and answers nothing, until `resume`. */
  freeze(): void;
  resume(): void;
}

const LOG_CHARACTERS = 32_768;
const POLL_MS = 20;
const STOP_MS = 10_000;

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export async function startServer<P extends string>(owner: Owner, options: ServerOptions<P>): Promise<Server<P>> {
  const folder = await mkdtemp(join(tmpdir(), `reef-${options.name}-`));
  const ids = options.user === undefined ? {} : await userIds(options.user);
  if (ids.uid !== undefined && ids.gid !== undefined) await chown(folder, ids.uid, ids.gid);
  const ports = {} as Record<P, number>;
  for (const port of options.ports) ports[port] = await freePort();
  const server = new RunningServer(options, { folder, ports }, ids);
  owner.after(async () => {
    await server.kill();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  await options.prepare?.(server);
  await server.start();
  return server;
}

class RunningServer<P extends string> implements Server<P> {
  readonly folder: string;
  readonly ports: Readonly<Record<P, number>>;
  readonly #options: ServerOptions<P>;
  readonly #ids: { uid?: number; gid?: number };
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  log = '';

  constructor(options: ServerOptions<P>, { folder, ports }: ServerPlace<P>, ids: { uid?: number; gid?: number }) {
    this.folder = folder;
    this.ports = ports;
    this.#options = options;
    this.#ids = ids;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    if (this.#child) throw new Error(`Cannot start ${this.#options.name}: it runs`);
    const { name, env, stdin, readyMs = 60_000 } = this.#options;
    const child = spawnBound(this.#options.command(this), {
      cwd: this.folder,
      env: { ...process.env, ...env },
      stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      ...this.#ids,
    });
    this.#child = child;
    alive.add(child);
    let failure: Error | undefined;
    const keep = (text: string): void => {
      this.log = (this.log + text).slice(-LOG_CHARACTERS);
    };
    child.stdout!.setEncoding('utf8').on('data', keep);
    child.stderr!.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => {
      failure = error;
    });
    this.#ended = new Promise((resolve) => {
      child.once('close', () => {
        alive.delete(child);
        if (this.#child === child) this.#child = undefined;
        resolve();
      });
    });
    const deadline = performance.now() + readyMs;
    while (!(await this.#answers())) {
      if (this.#child !== child) throw this.#failed(`it ended${failure ? `: ${failure.message}` : ''}`);
      if (performance.now() > deadline) {
        await this.kill();
        throw this.#failed(`it does not serve within ${readyMs / 1000} s`);
      }
      await pause(POLL_MS);
    }
    if (this.#child !== child) throw this.#failed(`it ended, and another one answers on the ports of ${name}`);
  }

  async #answers(): Promise<boolean> {
    try {
      return (await this.#options.ready(this)) === true;
    } catch {
      return false;
    }
  }

  #failed(why: string): Error {
    return new Error(`Cannot start ${this.#options.name}: ${why}; its log:\n${this.log}`);
  }

  async stop(): Promise<void> {
    this.#child?.kill(this.#options.stopSignal ?? 'SIGTERM');
    const force = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_MS);
    await this.#ended;
    clearTimeout(force);
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }
}

/** Where the system can, the kernel ends it together with this process, also when that is killed. */
function spawnBound(command: readonly string[], options: Parameters<typeof spawn>[2]): ChildProcess {
  const [file, ...args] = [findProgram(command[0]!) ?? command[0]!, ...command.slice(1)];
  const setpriv = findProgram('setpriv');
  return setpriv === undefined ? spawn(file, args, options) : spawn(setpriv, ['--pdeathsig=KILL', file, ...args], options);
}
