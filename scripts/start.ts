/**
 * `npm start`: the main job, examples/moment/, in two halves. First the real rows, to be looked at; then the same rows repeated to
 * some five million, to see speed and progress. The repeated file lies in the user's cache folder and is used again.
 */
import { spawn } from 'node:child_process';
import { mkdir, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytes, whole } from '../engine/src/observe/format.ts';
import { isWritten, type Many, repeatEarthquakes } from './make-many.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const example = join(root, 'examples', 'moment');
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'reef', 'moment');
const wantedRows = Number(process.env.REEF_DEMO_ROWS ?? 5_000_000);
/** Output rows are longer by the column `moment`. */
const OUTPUT_PER_INPUT = 1.15;

// Ctrl-C reaches reef too, which drains and ends; this process waits for it and passes its exit code on.
process.on('SIGINT', () => {});

process.exitCode = (await firstHalf()) || (await secondHalf());
if (process.exitCode === 0) sayWhatNext();

async function firstHalf(): Promise<number> {
  title('1 of 2', '1,707 earthquakes of the USGS feed → function moment → screen and file');
  return reef(['run', join(example, 'moment.yaml')]);
}

async function secondHalf(): Promise<number> {
  if (wantedRows === 0) return 0;
  const many = await repeatEarthquakes(new URL('../examples/moment/earthquakes.jsonl', import.meta.url), wantedRows);
  title('2 of 2', `the same rows repeated, ${whole(many.rows)} rows, ${bytes(many.bytes)} → function moment → file`);
  const input = join(cache, `earthquakes-${many.rows}.jsonl`);
  await mkdir(cache, { recursive: true });
  if (!(await prepared(many, input))) return 0;
  const output = join(cache, 'moment-many.jsonl');
  return reef(['run', join(example, 'moment-many.yaml')], { REEF_DEMO_INPUT: input, REEF_DEMO_OUTPUT: output });
}

/** Makes the input unless it is there; false when the disk is too small for it and the output. */
async function prepared(many: Many, input: string): Promise<boolean> {
  const reuse = await isWritten(many, input);
  const needed = many.bytes * ((reuse ? 0 : 1) + OUTPUT_PER_INPUT);
  const { bavail, bsize } = await statfs(cache);
  if (bavail * bsize < needed * 1.1) {
    console.error(`Skipped: ${cache} has ${bytes(bavail * bsize)} free, this half needs ${bytes(needed * 1.1)}.`);
    console.error('Set REEF_DEMO_ROWS to fewer rows, or XDG_CACHE_HOME to a folder on a larger disk.');
    return false;
  }
  if (!reuse) {
    const started = performance.now();
    await many.write(input);
    console.error(`made ${input} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
  return true;
}

/** Runs the reef command as a user would, and shows how. */
function reef(args: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const shown = args.map((arg) => (arg.startsWith(root) ? relative(process.cwd(), arg) : arg));
  const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  if (set.length > 0) console.error(`$ export ${set.join(' ')}`);
  console.error(`$ npx --no-install reef ${shown.join(' ')}\n`);
  const child = spawn(process.execPath, [join(root, 'engine', 'bin', 'reef.js'), ...args], {
    stdio: 'inherit',
    // For people, also where what it says is kept.
    env: { REEF_LOG_FORMAT: 'text', ...process.env, ...env },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

function title(part: string, what: string): void {
  console.error(`\n── ${part}: ${what}`);
}

function sayWhatNext(): void {
  console.error(`
What to try next
  examples/moment/moment.yaml  the punchline that ran: change it, check it, run it again
  examples/moment/rust/        the function, in Rust; build.sh there builds it
  docs/wasm-functions.md       how to write one of your own, in Rust, C or another language
  docs/native-functions.md     and one in TypeScript, over columns

  npx --no-install reef check examples/moment/moment.yaml
  npx --no-install reef run examples/moment/moment-native.yaml
  head -3 examples/moment/earthquakes.jsonl | npx --no-install reef run examples/moment/moment-stdin.yaml
  rm -r ${cache}    # deletes what the second half made`);
}
