/**
 * Where the CPU time of a wasm function goes: a whole run under V8's sampling profiler, by thread and by what was being done.
 *
 *   node bench/wasm-profile.ts                          moment, sent the whole row
 *   node bench/wasm-profile.ts --pipeline moment-wasm   the same, sent one column
 *   node bench/wasm-profile.ts --module FILE.wasm       a build that is there; it must have its names
 *
 * What the guest does is told by the names of its functions, so moment is built as it is committed, but with names. Optimising put
 * parts of one function into another, so the borders inside the guest are those that the compiler left. Needs `npm run build`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inputWith } from './rows.ts';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    pipeline: { type: 'string', default: 'moment-wasm-row' },
    module: { type: 'string' },
  },
});
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const cache = here('../.cache/moment-rust-names');
// The modules as tsc makes them, not the one file of the command: their names say what is done.
const command = `
  const { runCommand } = await import(${JSON.stringify(new URL('../engine/dist/cli/command.js', import.meta.url).href)});
  const { stdout, stderr, stdin, env } = process;
  process.exitCode = await runCommand(process.argv.slice(2), { stdout, stderr, stdin, env, cwd: process.cwd() });
`;

/** What a guest built with the published crates does, by the innermost function on its stack that says so. */
const guestParts: readonly [pattern: RegExp, part: string][] = [
  [/(read_to_end|fd_read)/, 'guest: reads its standard input'],
  [/(RawTable.*drop|drop_in_place)/, 'guest: frees the row'],
  [
    /(bincode.*(de|Decode)|HashMap.*insert|BuildHasher|Hasher|from_utf8|reserve_rehash|deserialize)/,
    'guest: decodes columns into its HashMap',
  ],
  [/(Write|BufWriter|flush|LocalKey|fd_write|Encode|bincode.*enc)/, 'guest: encodes and writes its answer'],
];
const GUEST_REST = 'guest: the exported function, with the decoding, freeing and own work that were inlined into it';

/** What the kernel does, by the file of the caller. */
const kernelParts: readonly [file: string, part: string][] = [
  ['wasm/row-encoding', 'kernel: encodes rows for the guest'],
  ['wasm/row-decoding', 'kernel: reads the answers'],
  ['batch/decoder', 'kernel: scans and validates the rows'],
  ['batch/view', 'kernel: encodes the rows for the sink'],
];

const folder = mkdtempSync(join(tmpdir(), 'reef-profile-'));
try {
  const { path: input } = await inputWith(Number(values.rows));
  const args = ['run', here(`pipelines/${values.pipeline}.yaml`), '--workers', '1', '--state', join(folder, 'state')];
  const entry = join(folder, 'run.mjs');
  writeFileSync(entry, command);
  const flags = ['--cpu-prof', '--cpu-prof-interval', '500', '--cpu-prof-dir', join(folder, 'profiles')];
  const { status, stderr } = spawnSync(process.execPath, [...flags, entry, ...args], {
    encoding: 'utf8',
    env: {
      ...process.env,
      REEF_BENCH_INPUT: input,
      REEF_BENCH_OUTPUT: join(folder, 'output.jsonl'),
      REEF_BENCH_MODULE: values.module ?? namedModule(),
    },
  });
  if (status !== 0) throw new Error(`The run ended with ${status}:\n${stderr}`);
  report(readdirSync(join(folder, 'profiles')).map((file) => readFileSync(join(folder, 'profiles', file), 'utf8')));
} finally {
  rmSync(folder, { recursive: true });
}

function namedModule(): string {
  const out = join(cache, 'moment.wasm');
  if (existsSync(out)) return out;
  const { status, stderr } = spawnSync('bash', [here('../examples/moment/rust/build.sh'), out], {
    encoding: 'utf8',
    env: { ...process.env, CARGO_PROFILE_RELEASE_STRIP: 'none', CARGO_TARGET_DIR: cache },
  });
  if (status !== 0) throw new Error(`Cannot build moment with its names:\n${stderr}`);
  return out;
}

function report(texts: readonly string[]): void {
  const parts = new Map<string, number>();
  for (const text of texts) addProfile(JSON.parse(text) as Profile, parts);
  const all = [...parts.values()].reduce((sum, time) => sum + time, 0);
  console.log(
    `${Number(values.rows).toLocaleString('en')} rows, ${values.pipeline}: ${(all / 1e6).toFixed(2)} s of work in all threads\n`,
  );
  console.log('| What | share | µs a row |\n| --- | --: | --: |');
  for (const [part, time] of [...parts].sort(([, a], [, b]) => b - a)) {
    console.log(`| ${part} | ${((100 * time) / all).toFixed(1)} % | ${(time / Number(values.rows)).toFixed(2)} |`);
  }
}

function addProfile({ nodes, samples, timeDeltas }: Profile, parts: Map<string, number>): void {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map<ProfileNode, ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(byId.get(child)!, node);
  const stackOf = (node: ProfileNode): ProfileNode[] => {
    const stack: ProfileNode[] = [];
    for (let at: ProfileNode | undefined = node; at; at = parents.get(at)) stack.push(at);
    return stack;
  };
  const isWorker = nodes.some(({ callFrame: { url } }) => url.includes('/worker/entry'));
  const guest = nodes.find(({ callFrame: { functionName, url } }) => isWasm(url) && /^moment(\.|$)/.test(functionName))?.callFrame
    .url;
  for (const [index, id] of samples.entries()) {
    const stack = stackOf(byId.get(id)!);
    const part = partOf(stack, guest) ?? (isWorker ? workerPart(stack) : 'main thread: reading, writing, control');
    // Waiting is no work.
    if (stack[0]!.callFrame.functionName === '(idle)') continue;
    parts.set(part, (parts.get(part) ?? 0) + (timeDeltas[index + 1] ?? 0));
  }
}

function isWasm(url: string): boolean {
  return url.startsWith('wasm:');
}

function partOf(stack: readonly ProfileNode[], guest: string | undefined): string | undefined {
  const [leaf] = stack;
  if (isStarting(stack)) return 'start: loading and compiling';
  if (leaf!.callFrame.functionName === '(garbage collector)') return 'garbage collection';
  const caller = stack.find(({ callFrame: { url } }) => url.startsWith('file:'))?.callFrame.url ?? '';
  const inWasm = stack.find(({ callFrame: { url } }) => isWasm(url))?.callFrame.url;
  if (inWasm === undefined) return undefined;
  if (inWasm === guest) {
    const names = stack.filter(({ callFrame: { url } }) => url === guest).map(({ callFrame }) => callFrame.functionName);
    for (const name of names) for (const [pattern, part] of guestParts) if (pattern.test(name)) return part;
    return GUEST_REST;
  }
  if (caller.includes('wasm/guest')) return 'shim: row loop, moving bytes in and out';
  return kernelParts.find(([file]) => caller.includes(file))?.[1] ?? 'kernel: the rest';
}

/** What Node's module loader does, and our rewriter and compiler; what runs below a handler that a module has set does not count. */
function isStarting(stack: readonly ProfileNode[]): boolean {
  for (const { callFrame } of stack) {
    if (/node:internal\/(modules|bootstrap)|wasm\/rewriter/.test(callFrame.url) || callFrame.functionName === 'compile')
      return true;
    if (callFrame.url.startsWith('file:')) return false;
  }
  return false;
}

function workerPart(stack: readonly ProfileNode[]): string {
  if (stack.some(({ callFrame }) => callFrame.functionName === 'postMessage')) return 'worker: messages to the main thread';
  return 'worker: JavaScript for each batch';
}
