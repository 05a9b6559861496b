/**
 * Fuzzes the rewriter: `node engine/src/wasm/rewriter/fuzz.ts [--seconds 30] [--seed N] [MODULE.wasm…]`.
 * Real modules and random programs are damaged in many ways. Each must be refused by a `ReefError` or come out as a module that validates and
 * can be instantiated with what the host gives, in bounded time and space. What is accepted is run for a moment, and must stop when told.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ReefError } from '../../errors.ts';
import { type RewriteResult, rewrite } from './index.ts';
import { randomProgram } from './random-program.ts';
import { mulberry } from './testing.ts';

const EXAMPLES = ['moment/moment.wasm', 'wasm-functions/depth_class.wasm', 'wasm-functions/quake_energy.wasm'];
const MAX_MS = 2000;
const MAX_RUN_MS = 2000;

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '30' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) } },
  allowPositionals: true,
});
const paths =
  positionals.length > 0 ? positionals : EXAMPLES.map((path) => new URL(`../../../../examples/${path}`, import.meta.url));
const seed = Number(values.seed);
const random = mulberry(seed);
const originals = paths.map((path) => new Uint8Array(readFileSync(path)));
const counts = { inputs: 0, refused: 0, accepted: 0, ran: 0, stopped: 0, slowestMs: 0, slowestStopMs: 0 };

const end = performance.now() + Number(values.seconds) * 1000;
while (performance.now() < end) {
  const original = pick(4) === 0 ? randomProgram(random) : originals[pick(originals.length)]!;
  const input = mutate(original);
  counts.inputs++;
  try {
    check(input);
  } catch (error) {
    console.error(`seed ${seed}, input ${counts.inputs}: ${error instanceof Error ? error.stack : error}`);
    console.error(`module: ${Buffer.from(input).toString('base64').slice(0, 4000)}`);
    process.exit(1);
  }
}
console.log(`seed ${seed}: ${JSON.stringify(counts)}`);

function pick(most: number): number {
  return Math.floor(random() * most);
}

/** Small damage mostly, as random bytes are refused at the first of them; sections stay whole so that it reaches their inside. */
function mutate(original: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(original);
  const changes = 1 + pick(4);
  for (let i = 0; i < changes; i++) {
    const at = pick(bytes.length);
    const kind = pick(8);
    if (kind === 0) bytes[at] = pick(256);
    else if (kind === 1) bytes[at]! ^= 1 << pick(8);
    else if (kind === 2) bytes[at]! += 1;
    else if (kind === 3) bytes[at] = [0x00, 0x01, 0x0b, 0x03, 0x40, 0x7f, 0x80, 0xff, 0xfc, 0xfd, 0xfe, 0xfb][pick(12)]!;
    else if (kind === 4) bytes.copyWithin(at, pick(bytes.length), pick(bytes.length));
    else if (kind === 5) bytes.fill(0xff, at, at + pick(6));
    else if (kind === 6) return shortened(bytes, at);
    else bytes.set(bytes.slice(pick(bytes.length)).subarray(0, Math.min(pick(20), bytes.length - at)), at);
  }
  return bytes;
}

function shortened(bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  if (pick(2) === 0) return bytes.slice(0, at) as Uint8Array<ArrayBuffer>;
  const cut = pick(16);
  return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + cut)]);
}

function check(input: Uint8Array<ArrayBuffer>): void {
  const start = performance.now();
  const result = attempt(input);
  const took = performance.now() - start;
  counts.slowestMs = Math.max(counts.slowestMs, Math.round(took));
  if (took > MAX_MS) throw new Error(`it took ${took} ms`);
  if (result === undefined) {
    counts.refused++;
    return;
  }
  counts.accepted++;
  if (!WebAssembly.validate(input)) throw new Error('a module that does not validate was accepted');
  if (!WebAssembly.validate(result.bytes)) throw new Error('the rewritten module does not validate');
  runShortly(result);
}

function attempt(input: Uint8Array): RewriteResult | undefined {
  try {
    return rewrite(input, { fuel: pick(10) > 0, memoryBytes: 2 ** 24, fuelSlice: 1 + pick(100_000) });
  } catch (error) {
    if (!(error instanceof ReefError)) throw error;
    if (!error.message.startsWith('Cannot load wasm module: ')) throw new Error(`the message is "${error.message}"`);
    return undefined;
  }
}

function runShortly({ bytes, info }: RewriteResult): void {
  const { memory: declared } = info;
  const memory = declared && new WebAssembly.Memory({ initial: declared.minPages, maximum: declared.maxPages });
  const module = new WebAssembly.Module(bytes);
  const metered = WebAssembly.Module.imports(module).some(({ module, name }) => module === 'reef' && name === 'fuel_out');
  const deadline = performance.now() + 5;
  const stop = () => (performance.now() > deadline ? 1 : 0);
  const others = new Proxy({}, { get: () => () => 0 });
  const imports = new Proxy(
    { reef: { memory, fuel_out: stop } },
    { get: (target, name) => (name === 'reef' ? target.reef : others) },
  ) as unknown as WebAssembly.Imports;
  if (!metered) return;
  const start = performance.now();
  try {
    const instance = new WebAssembly.Instance(module, imports);
    for (const { name, kind } of info.exports) {
      if (kind !== 'function') continue;
      counts.ran++;
      (instance.exports[name] as (...args: unknown[]) => unknown)(1, 2, 3);
    }
  } catch (error) {
    counts.stopped++;
    const expected = [WebAssembly.RuntimeError, WebAssembly.LinkError, RangeError, TypeError, SyntaxError];
    if (!expected.some((kind) => error instanceof kind)) throw error;
  }
  const took = performance.now() - start;
  counts.slowestStopMs = Math.max(counts.slowestStopMs, Math.round(took));
  if (took > MAX_RUN_MS) throw new Error(`it ran for ${took} ms after it was told to stop`);
}
