/** Every punchline below examples/ passes `reef check`, runs, and gives what a plain loop over the same rows gives. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, globSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { halfHours } from './carbon-metering/intensity-server.ts';

type Row = Record<string, unknown>;

interface Expected {
  /** File for standard input. */
  readonly stdin?: string;
  /** Where the rows come out: a file beside the punchline (JSON lines, or a database), or standard output. */
  readonly output: string | 'stdout';
  readonly rows: () => Row[];
  /** A server that it asks: its file, and the variable that says where it listens. */
  readonly server?: readonly [file: string, variable: string];
}

const examples = fileURLToPath(new URL('.', import.meta.url));
const reef = fileURLToPath(new URL('../engine/bin/reef.js', import.meta.url));

/** A punchline that is missing here fails its test: each example says what is right. */
const expected: Readonly<Record<string, Expected>> = {
  'carbon-metering/carbon.yaml': {
    output: 'out/carbon.jsonl',
    rows: withGrams,
    server: ['intensity-server.ts', 'CARBON_API'],
  },
  'moment/moment.yaml': { output: 'out/moment.jsonl', rows: withMoment },
  'moment/moment-many.yaml': { output: 'out/moment-many.jsonl', rows: withMoment },
  'moment/moment-native.yaml': { output: 'out/moment-native.jsonl', rows: withMoment },
  'moment/moment-stdin.yaml': { stdin: 'earthquakes.jsonl', output: 'stdout', rows: withMoment },
  'custom-nodes/weather.yaml': { output: 'out/weather.db', rows: withWind },
  'wasm-functions/quakes.yaml': { output: 'out/quakes.jsonl', rows: withDepthAndEnergy },
};

const punchlines = globSync('*/*.yaml', { cwd: examples }).filter((name) => !name.endsWith('.test.yaml'));

for (const name of punchlines.sort()) {
  test(`${name} runs, and its rows are right`, async (t) => {
    const { stdin, output, rows, server } = expected[name] ?? assert.fail('examples.test.ts does not say what it must give');
    const file = join(examples, name);
    const folder = dirname(file);
    const state = await mkdtemp(join(tmpdir(), 'reef-examples-'));
    t.after(() => rm(state, { recursive: true }));
    const env = server ? { [server[1]]: await startServer(t, join(folder, server[0])) } : {};
    assert.equal((await run(t, ['check', file])).code, 0);
    const options = { stdin: stdin && join(folder, stdin), env };
    const { code, stdout, stderr } = await run(t, ['run', file, '--state', state], options);
    assert.equal(code, 0, stderr);
    const found = output === 'stdout' ? parseRows(stdout) : await rowsOf(join(folder, output));
    assert.deepEqual(found, rows());
  });
}

test('all cases beside the examples pass', async (t) => {
  const { code, stdout, stderr } = await run(t, ['test', examples]);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /\d+ cases passed, 0 failed\n$/);
});

async function rowsOf(file: string): Promise<Row[]> {
  if (!file.endsWith('.db')) return parseRows(await readFile(file, 'utf8'));
  using database = new DatabaseSync(file, { readOnly: true });
  return database
    .prepare('SELECT row FROM weather')
    .all()
    .flatMap(({ row }) => parseRows(String(row)));
}

/** Those of readings.sql, without the one that is impossible. */
function withWind(): Row[] {
  const readings: [string, string, number, number, number][] = [
    ['brest-06', 'Brest', 8.5, 42, 3.9],
    ['brest-12', 'Brest', 11, 50, 11],
    ['strasbourg-06', 'Strasbourg', -6.5, 12, -11.7],
    ['strasbourg-12', 'Strasbourg', -1, 20, -6.5],
    ['briancon-06', 'Briançon', -14, 3, -14],
  ];
  return readings.map(([id, station, temperature_c, wind_kmh, feels_like_c]) => {
    return { id, station, hour: `2026-01-10T${id.slice(-2)}`, temperature_c, wind_kmh, feels_like_c };
  });
}

/** All but the half hour that is not metered yet. */
function withGrams(): Row[] {
  return halfHours
    .filter(({ intensity }) => intensity.actual !== null)
    .map(({ from, intensity: { actual, index } }) => ({ from, index, actual, grams: Math.round(actual! * 60) / 1000 }));
}

/** On a port of its own; resolves with its URL. */
async function startServer(t: TestContext, file: string): Promise<string> {
  const child = spawn(process.execPath, [file, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return /http\S+/.exec(said.toString())![0];
}

function earthquakes(): Row[] {
  return parseRows(readFileSync(join(examples, 'moment', 'earthquakes.jsonl'), 'utf8'));
}

function withDepthAndEnergy(): Row[] {
  return earthquakes().map((row) => {
    const { depth, magnitude } = row as { depth: number; magnitude: number };
    const depth_class = depth < 70 ? 'shallow' : depth <= 300 ? 'intermediate' : 'deep';
    return { ...row, depth_class, energy_joules: 10 ** (1.5 * magnitude + 4.8) };
  });
}

function withMoment(): Row[] {
  return earthquakes().map((row) => {
    const time = new Date((row.creation_timestamp as number) * 1000);
    const [hour, minute] = [time.getUTCHours(), time.getUTCMinutes()];
    const sharp = minute === 0 ? { 0: 'midnight', 12: 'midday' }[hour] : undefined;
    return { ...row, moment: sharp ?? (hour <= 8 || hour >= 20 ? 'night' : 'day') };
  });
}

function parseRows(text: string): Row[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

async function run(
  t: TestContext,
  args: readonly string[],
  { stdin, env = {} }: { readonly stdin?: string | undefined; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [reef, ...args], {
    signal: t.signal,
    env: { REEF_LOG_FORMAT: 'text', ...process.env, ...env },
  });
  const texts = [child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray());
  if (stdin) createReadStream(stdin).pipe(child.stdin);
  else child.stdin.end();
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => resolve(exit ?? 1));
  });
  const [stdout, stderr] = await Promise.all(texts.map(async (parts) => (await parts).join('')));
  return { code, stdout: stdout!, stderr: stderr! };
}
