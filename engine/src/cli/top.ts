/** `reef top`: what the running punchlines do now, node by node. */
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ask } from '../control/ask.ts';
import { askEndpoint } from '../control/ask-endpoint.ts';
import { findRunning } from '../control/find-running.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import { type Span, topLines } from '../observe/top-table.ts';
import { stateHome } from '../state/state-folder.ts';
import { argumentProblem } from './argument-problem.ts';
import type { CommandIo } from './command-io.ts';
import { topUsage } from './usage.ts';

interface TopArgs {
  /** Of a process that is asked over its endpoint for metrics. */
  readonly url: string | undefined;
  readonly state: string | undefined;
  readonly once: boolean;
  readonly json: boolean;
  readonly everySecs: number;
}

const CTRL_C = 3;
const HOME_AND_CLEAR_LINE = '\x1b[H';
const CLEAR_REST_OF_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
/** `--once` shows rates too: of so long a time. */
const ONCE_SECS = 0.5;

/** Exit codes: 0 shown, 1 nothing runs there, 2 a wrong command line. */
export async function runTop(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseTopArgs(args);
  if (typeof parsed === 'string') {
    io.stderr.write(`reef top: ${parsed}\nusage: ${topUsage}\n`);
    return 2;
  }
  const { url } = parsed;
  const folder = parsed.state === undefined ? stateHome(io.env) : resolve(io.cwd, parsed.state);
  const look = url === undefined ? () => lookInto(folder) : () => lookAt(url, io.env.REEF_METRICS_TOKEN || undefined);
  let first: Looks;
  try {
    first = await look();
  } catch (error) {
    io.stderr.write(`reef top: ${(error as Error).message}\n`);
    return 1;
  }
  if (first.size === 0) {
    const where = url === undefined ? `with its state in ${folder}; reef run --state DIR keeps it elsewhere` : `at ${url}`;
    io.stderr.write(`reef top: no punchline runs ${where}\n`);
    return 1;
  }
  if (parsed.json) {
    for (const snapshot of first.values()) io.stdout.write(`${JSON.stringify(snapshot)}\n`);
    return 0;
  }
  if (parsed.once || !io.stdout.isTTY) {
    await pause(ONCE_SECS * 1000);
    const lines = topLines(spans(first, await look(), ONCE_SECS));
    io.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  }
  await keepShowing(look, first, parsed.everySecs, io);
  return 0;
}

/** Until q or Ctrl-C; where the last punchline ends, this does too. */
async function keepShowing(look: () => Promise<Looks>, first: Looks, everySecs: number, io: CommandIo): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const { stdin } = process;
  const onKey = (key: Buffer): void => {
    // In raw mode Ctrl-C is a key like any other.
    if (key.includes('q') || key.includes(CTRL_C)) stop.abort();
  };
  if (stdin.isTTY) stdin.setRawMode(true).on('data', onKey);
  io.stdout.write(ENTER);
  try {
    let before = first;
    let at = performance.now();
    let shown = ONCE_SECS;
    while (!stop.signal.aborted) {
      await pause(shown * 1000, undefined, { signal: stop.signal }).catch(() => {});
      if (stop.signal.aborted) return;
      const now = await look().catch(() => new Map() as Looks);
      if (now.size === 0) return;
      const time = performance.now();
      const width = io.stdout.columns || 120;
      const all = topLines(spans(before, now, (time - at) / 1000));
      const lines = fitting(all, process.stdout.rows || 24).map((line) => `${line.slice(0, width)}${CLEAR_REST_OF_LINE}`);
      io.stdout.write(`${HOME_AND_CLEAR_LINE}${lines.join('\n')}${CLEAR_BELOW}`);
      before = now;
      at = time;
      shown = everySecs;
    }
  } finally {
    io.stdout.write(LEAVE);
    if (stdin.isTTY) stdin.setRawMode(false).off('data', onKey).unref();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** What does not fit is counted: a screen that scrolls would lose its head. */
function fitting(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows) return lines;
  return [
    ...lines.slice(0, rows - 1),
    `… ${lines.length - rows + 1} more lines: a higher terminal or reef top --once shows them`,
  ];
}

/** By state folder, or what else tells one punchline from others. */
type Looks = ReadonlyMap<string, Snapshot>;

async function lookAt(url: string, token: string | undefined): Promise<Looks> {
  return new Map((await askEndpoint(url, token)).map((snapshot) => [snapshot.punchline, snapshot]));
}

async function lookInto(folder: string): Promise<Looks> {
  const found = await Promise.all(
    (await findRunning(folder)).map(async (path): Promise<[string, Snapshot] | undefined> => {
      try {
        for await (const answer of ask(path, { ask: 'metrics' })) return [path, answer as Snapshot];
      } catch {
        // It has been killed, or has ended just now.
      }
      return undefined;
    }),
  );
  return new Map(found.filter((entry) => entry !== undefined));
}

function spans(before: Looks, now: Looks, seconds: number): Span[] {
  return Array.from(now, ([path, snapshot]) => {
    const last = before.get(path);
    // Another process with the same state: its figures begin anew.
    if (last?.pid !== snapshot.pid) return { now: snapshot, seconds: Math.max(snapshot.process.uptimeSeconds, 0.001) };
    return { now: snapshot, before: last, seconds };
  });
}

function parseTopArgs(args: readonly string[]): TopArgs | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        state: { type: 'string' },
        once: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        every: { type: 'string', default: '1' },
      },
      allowPositionals: true,
    });
    const [url, ...more] = positionals;
    if (more.length > 0) return `"${more[0]}" is one word too many, expected one URL at most`;
    if (url !== undefined && !(/^https?:\/\//.test(url) && URL.canParse(url)))
      return `"${url}" is no URL, expected http://HOST:PORT of reef run --metrics`;
    if (url !== undefined && values.state !== undefined) return '--state and a URL are given, expected one of them';
    if (values.state === '') return '--state is empty, expected the name of a folder';
    const everySecs = Number(values.every);
    if (!(everySecs >= 0.1 && everySecs <= 3600)) return `--every is "${values.every}", expected seconds from 0.1 to 3600`;
    return { url, state: values.state, once: values.once, json: values.json, everySecs };
  } catch (error) {
    return argumentProblem(error);
  }
}
