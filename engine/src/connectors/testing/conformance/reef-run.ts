/** A real `reef run` over a punchline, started, stopped and killed again and again over one state folder. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { controlSocketPath } from '../../../control/socket-path.ts';
import { type Ended, type ReefProcess, startReef, writePunchline } from '../../../testing/reef-process.ts';
import { patienceMs } from './patience.ts';

export const DRAIN_SECS = 1;
const FAILED = 1;
const WRONG_PUNCHLINE = 3;
const WRONG = /punchline\.yaml:\d+:\d+: error:/;
/** What a stop may take beyond that: a machine may be busy. */
const MOST_STOP_MARGIN_MS = 8_000;
const LOOK_MS = 20;

export class ReefRun {
  readonly #t: TestContext;
  readonly #args: readonly string[];
  readonly #socket: string;
  #process: ReefProcess | undefined;
  #waiting: { readonly pattern: RegExp; readonly resolve: () => void }[] = [];
  /** It has ended, and nobody asked it to: there is nothing to wait for. */
  gone = false;
  /** It has found the punchline wrong. */
  #refused = false;
  /** What it wrote so far, over all starts. */
  stderr = '';
  stdout = '';
  /** What it wrote since its last start. */
  said = '';

  constructor(t: TestContext, folder: string, nodes: readonly object[]) {
    const file = writePunchline(folder, 'StreamPunchline', nodes);
    const state = join(folder, 'state');
    this.#t = t;
    this.#socket = controlSocketPath(state);
    this.#args = ['run', file, '--state', state, '--workers', '1', '--drain-secs', String(DRAIN_SECS)];
  }

  get stdin(): Writable {
    return this.#process!.child.stdin;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  start(...more: readonly string[]): this {
    const started = startReef(this.#t, [...this.#args, ...more]);
    this.#process = started;
    this.said = '';
    this.gone = false;
    // What a killed process has begun to write does not hide what the next one writes.
    if (this.stdout !== '' && !this.stdout.endsWith('\n')) this.stdout += '\n';
    started.child.stderr.on('data', (text: string) => {
      this.stderr += text;
      this.said += text;
      this.#tell();
    });
    started.child.stdout.on('data', (text: string) => {
      this.stdout += text;
    });
    void started.ended.then(({ code }) => {
      this.#refused = code === WRONG_PUNCHLINE;
      if (this.#process === started) {
        this.gone = !started.child.killed;
        this.#process = undefined;
      }
      this.#tell();
    });
    return this;
  }

  /** Resolves once it has started (or ended): how long that takes says how busy the machine is, and nothing of a connector. */
  async up(): Promise<void> {
    while (this.running && !(await accepts(this.#socket))) await pause(LOOK_MS);
  }

  /** Starts it where it must not wait: it says what it lacks, and ends with exit code 1. */
  async failsToStart(pattern: RegExp): Promise<void> {
    this.start('--connect');
    const { ended } = this.#process!;
    await this.says(pattern);
    const { code } = await ended;
    if (code !== FAILED) throw new Error(`reef --connect has ended with exit code ${code}, expected ${FAILED}:\n${this.said}`);
  }

  async kill(): Promise<void> {
    const ended = this.#process?.ended;
    this.#process?.child.kill('SIGKILL');
    await ended;
  }

  /** SIGTERM. Rejects when it does not end in its time. */
  async stop(): Promise<Ended> {
    const stopping = this.#process;
    if (!stopping) throw new Error(`Cannot stop reef: it has ended by itself:\n${this.said.slice(-4000)}`);
    stopping.child.kill('SIGTERM');
    const limit = new AbortController();
    const marginMs = Math.min(MOST_STOP_MARGIN_MS, patienceMs());
    const late = pause(DRAIN_SECS * 1000 + marginMs, 'late' as const, { signal: limit.signal }).catch(() => 'late' as const);
    const ended = await Promise.race([stopping.ended, late]);
    limit.abort();
    if (ended !== 'late') return ended;
    stopping.child.kill('SIGKILL');
    throw new Error(`reef has not ended ${marginMs / 1000} s behind its drain of ${DRAIN_SECS} s:\n${this.said.slice(-4000)}`);
  }

  /** Resolves once it has written this since its start; rejects when it does not within `ms` from then on. */
  async says(pattern: RegExp, ms = patienceMs()): Promise<void> {
    if (pattern.test(this.said) && !WRONG.test(this.said)) return;
    const over = new AbortController();
    const said = new Promise<boolean>((resolve) => {
      this.#waiting.push({ pattern, resolve: () => resolve(pattern.test(this.said) && !this.#refused) });
    });
    const late = this.up().then(() => pause(ms, false, { signal: over.signal }).catch(() => false));
    const inTime = await Promise.race([said, late]);
    over.abort();
    if (!inTime)
      throw new Error(`reef did not say ${pattern}${this.running ? '' : ' before it ended'}, but:\n${this.said.slice(-4000)}`);
  }

  /** Memory that it has now. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.#process!.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
  }

  #tell(): void {
    this.#waiting = this.#waiting.filter(({ pattern, resolve }) => {
      // A punchline that is wrong may be told of in the same words: then the process ends.
      if (this.running && (!pattern.test(this.said) || WRONG.test(this.said))) return true;
      resolve();
      return false;
    });
  }
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
