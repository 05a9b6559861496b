/**
 * Rows by HTTP, acknowledgements on: HTTP → moment → HTTP with bodies of 100 rows both ways, and single rows beside a bare
 * node:http server in the same run. `wrk` drives it; `hey` where requests are to come at half the rate of saturation.
 *
 *   node bench/http.ts [--secs 5] [--rounds 3] [--connections 64]
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { describeMachine } from './machine.ts';
import { peakOf } from './measure.ts';
import { chunks } from './rows.ts';

const { values } = parseArgs({
  options: {
    secs: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
  },
});
const seconds = Number(values.secs);
const rounds = Number(values.rounds);
const connections = Number(values.connections);
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const run = promisify(execFile);
/** /proc counts CPU time in these. */
const TICKS_PER_SECOND = 100;

interface Server {
  readonly child: ChildProcess;
  readonly url: string;
}

interface Load {
  readonly requests: number;
  readonly failed: number;
  readonly cpuSeconds: number;
  readonly perSecond: number;
  readonly p50: string;
  readonly p99: string;
}

if (process.env.REEF_SETUP === '1') {
  execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'wrk', 'hey'], { stdio: 'inherit' });
}
const folder = mkdtempSync(join(tmpdir(), 'reef-http-'));
const children: ChildProcess[] = [];
try {
  if (!has('wrk')) throw new Error('wrk is missing: REEF_SETUP=1 node bench/http.ts installs it (as root, on Debian)');
  for (const rows of [1, 100]) writeBody(rows);
  console.log(describeMachine([version('wrk')]).join('; '));
  await singleRows();
  await hundredRows('moment', false);
  await hundredRows('moment', true);
  await hundredRows('moment-wasm', false);
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
}

/** One row a request, in turn with the bare server. */
async function singleRows(): Promise<void> {
  const bare = await start([at('rivals/http-echo.ts')]);
  const reef = await startReef('http-echo.yaml');
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const there = await drive(bare, 1);
    const here = await drive(reef, 1);
    ratios.push(perCpu(here) / perCpu(there));
    say(`1 row a request, bare node:http`, there, 1);
    say(`1 row a request, HTTP → /dev/null`, here, 1);
  }
  console.log(`requests per CPU-second, times the bare server: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}`);
  await stop(reef);
  await stop(bare);
}

async function hundredRows(through: 'moment' | 'moment-wasm', ordered: boolean): Promise<void> {
  const target = await start([at('http-target.ts')]);
  const reef = await startReef(`http-${through}.yaml`, { REEF_BENCH_URL: target.url, REEF_BENCH_ORDERED: String(ordered) });
  let sent = 0;
  let fastest = 0;
  for (let round = 0; round < rounds; round++) {
    const load = await drive(reef, 100);
    sent += (load.requests + load.warmUp) * 100;
    fastest = Math.max(fastest, load.perSecond);
    say(`100 rows a request, HTTP → ${through} → HTTP, ${ordered ? 'in order' : 'eight at a time'}`, load, 100);
  }
  if (has('hey')) console.log(await halfRate(reef, fastest / 2));
  const arrived = Number(await (await fetch(target.url)).text());
  if (arrived < sent) throw new Error(`${sent - arrived} of ${sent} rows were lost`);
  console.log(`all ${sent} rows that were answered for have arrived; ${(peakOf(reef.child.pid!) / 1e6).toFixed(0)} MB at most`);
  await stop(reef);
  await stop(target);
}

async function drive({ child, url }: Server, rows: number): Promise<Load & { readonly warmUp: number }> {
  const warmUp = await wrk(url, rows, 1);
  const before = cpuTicks(child.pid!);
  const text = await wrk(url, rows, seconds);
  const cpuSeconds = (cpuTicks(child.pid!) - before) / TICKS_PER_SECOND;
  return {
    warmUp: requestsIn(warmUp),
    requests: requestsIn(text),
    failed: Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0) + Number(/connect (\d+)/.exec(text)?.[1] ?? 0),
    cpuSeconds,
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]),
    p50: /^\s+50%\s+(\S+)/m.exec(text)?.[1] ?? '?',
    p99: /^\s+99%\s+(\S+)/m.exec(text)?.[1] ?? '?',
  };
}

async function wrk(url: string, rows: number, secs: number): Promise<string> {
  const script = join(folder, `${rows}.lua`);
  const { stdout } = await run('wrk', ['-t1', `-c${connections}`, `-d${secs}s`, '--latency', '-s', script, url]);
  return stdout;
}

function requestsIn(text: string): number {
  return Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
}

/** Latency when requests come at a set rate. */
async function halfRate({ url }: Server, perSecond: number): Promise<string> {
  const clients = 16;
  const rate = (perSecond / clients).toFixed(2);
  const args = ['-z', `${seconds}s`, '-c', String(clients), '-q', rate, '-m', 'POST', '-T', 'application/x-ndjson'];
  const { stdout } = await run('hey', [...args, '-D', join(folder, '100.body'), url]);
  const percentile = (n: number): string =>
    `${(Number(new RegExp(`${n}%+ in ([\\d.]+)`).exec(stdout)?.[1]) * 1000).toFixed(1)} ms`;
  return `at half the rate (${perSecond.toFixed(0)} requests/s): p50 ${percentile(50)}, p99 ${percentile(99)}`;
}

function say(what: string, { requests, failed, cpuSeconds, perSecond, p50, p99 }: Load, rows: number): void {
  const perRow = ((requests * rows) / cpuSeconds / 1000).toFixed(rows === 1 ? 1 : 0);
  const each = ((cpuSeconds / requests) * 1e6).toFixed(0);
  const bad = failed === 0 ? '' : `, ${failed} FAILED`;
  console.log(
    `${what}: ${perRow} k rows/CPU-s, ${each} µs CPU a request, ${perSecond.toFixed(0)} requests/s, p50 ${p50}, p99 ${p99}${bad}`,
  );
}

function perCpu({ requests, cpuSeconds }: Load): number {
  return requests / cpuSeconds;
}

function writeBody(rows: number): void {
  const [first] = chunks(2000);
  const body = first!.toString().split('\n').slice(0, rows).join('\n');
  writeFileSync(join(folder, `${rows}.body`), `${body}\n`);
  writeFileSync(
    join(folder, `${rows}.lua`),
    `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/x-ndjson"\nwrk.body = [==[${body}\n]==]\n`,
  );
}

function startReef(pipeline: string, env: Readonly<Record<string, string>> = {}): Promise<Server> {
  const args = [at('../engine/bin/reef.js'), 'run', at(`pipelines/${pipeline}`), '--state', join(folder, pipeline)];
  return start(args, env);
}

/** Resolves when the process says where it listens. */
async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Server> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, REEF_LOG_FORMAT: 'text', ...env },
  });
  children.push(child);
  let text = '';
  const url = await new Promise<string>((resolve, reject) => {
    const look = (piece: Buffer): void => {
      text += piece.toString();
      const found = /listens on (http:\/\/\S+)/.exec(text);
      if (found) resolve(found[1]!);
    };
    child.stdout!.on('data', look);
    child.stderr!.on('data', look);
    child.once('exit', () => reject(new Error(`${args.join(' ')} ended:\n${text}`)));
  });
  return { child, url };
}

async function stop({ child }: Server): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function has(command: string): boolean {
  return version(command) !== '';
}

function version(command: string): string {
  try {
    return execFileSync('sh', ['-c', `command -v ${command} && dpkg-query -W -f '\${Package} \${Version}' ${command} || true`])
      .toString()
      .trim()
      .split('\n')
      .at(-1)!;
  } catch {
    return '';
  }
}
