/** `reef bench`: what a wasm function costs for each row, against the same rows passed through in the same run. */
import { open, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ReefError } from '../errors.ts';
import type { Measurement } from '../wasm/bench/index.ts';
import { alignColumns } from './align-columns.ts';
import { argumentProblem } from './argument-problem.ts';
import type { CommandIo } from './command-io.ts';
import { benchUsage } from './usage.ts';

/** More rows than these make no difference to a figure per row. */
const MOST_ROW_BYTES = 64 * 1024 * 1024;
const NEWLINE = 10;
const SAMPLES = 7;
const WIDTH = 110;

interface BenchArgs {
  readonly module: string;
  readonly rows: string;
  readonly function: string | undefined;
  readonly format: 'bincode' | 'json';
  readonly columns: readonly string[] | undefined;
}

/** Exit codes: 0 measured, 2 a wrong command line, 3 the module or the rows cannot be used. */
export async function runBench(args: readonly string[], io: Pick<CommandIo, 'stdout' | 'stderr' | 'cwd'>): Promise<number> {
  const parsed = parseBenchArgs(args);
  if (typeof parsed === 'string') {
    io.stderr.write(`reef bench: ${parsed}\nusage: ${benchUsage}\n`);
    return 2;
  }
  try {
    const module = await readOf(parsed.module, 'a wasm module', () => readFile(resolve(io.cwd, parsed.module)));
    const rows = await readOf(parsed.rows, 'a file of JSON rows', () => readRows(resolve(io.cwd, parsed.rows)));
    const { measureFunction } = await import('../wasm/bench/index.ts');
    const { format, columns } = parsed;
    const measured = await measureFunction(module, {
      name: parsed.module,
      function: parsed.function,
      format,
      columns,
      rows,
      samples: SAMPLES,
    });
    io.stdout.write(`${describe(measured, parsed).join('\n')}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ReefError)) throw error;
    io.stderr.write(`reef bench: ${error.message}\n`);
    return 3;
  }
}

function parseBenchArgs(args: readonly string[]): BenchArgs | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        rows: { type: 'string' },
        function: { type: 'string' },
        format: { type: 'string', default: 'bincode' },
        'input-columns': { type: 'string' },
      },
      allowPositionals: true,
    });
    const [module, ...more] = positionals;
    if (module === undefined) return 'no file is given, expected the name of a wasm module';
    if (more.length > 0) return `${positionals.length} files are given, expected one`;
    if (values.rows === undefined) return '--rows is not given, expected a file with one JSON object on each line';
    const { format } = values;
    if (format !== 'bincode' && format !== 'json') return `--format is "${format}", expected bincode or json`;
    const columns = values['input-columns']?.split(',').filter((name) => name !== '');
    return { module, rows: values.rows, function: values.function, format, columns };
  } catch (error) {
    return argumentProblem(error);
  }
}

async function readOf(name: string, expected: string, read: () => Promise<Buffer>): Promise<Buffer> {
  try {
    return await read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : message;
    throw new ReefError('io', `Cannot read ${JSON.stringify(name)}: ${what}, expected ${expected}`, { cause: error });
  }
}

/** The first rows of a file, the last of them whole. */
async function readRows(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { size } = await file.stat();
  const bytes = Buffer.alloc(Math.min(size, MOST_ROW_BYTES) + 1);
  let length = 0;
  for (let read = -1; read !== 0 && length < bytes.length - 1; length += read) {
    read = (await file.read(bytes, length, bytes.length - 1 - length, length)).bytesRead;
  }
  if (length < size) return bytes.subarray(0, bytes.lastIndexOf(NEWLINE, length - 1) + 1);
  if (length > 0 && bytes[length - 1] !== NEWLINE) bytes[length++] = NEWLINE;
  return bytes.subarray(0, length);
}

function describe(measured: Measurement, { module, format, columns }: BenchArgs): string[] {
  const { rows, failed, firstReason, withFunctionNs, passThroughNs, guestMemoryBytes } = measured;
  const functionNs = Math.max(0, withFunctionNs - passThroughNs);
  const sent = columns === undefined ? 'the whole row' : columns.join(', ') || 'no column';
  const lines = [
    ['sent', `${sent}, in ${format}`],
    ['rows', `${whole(rows)}, again and again; CPU time of one thread, medians`],
    ['all steps', speed(withFunctionNs)],
    ['without it', `${speed(passThroughNs)}: the same rows decoded and encoded`],
    ['the function', `${ns(functionNs)} a row, ${(withFunctionNs / passThroughNs).toFixed(2)} times the pass-through in all`],
    ['guest memory', `${(guestMemoryBytes / 2 ** 20).toFixed(1)} MiB`],
    ...(failed === 0 ? [] : [['failed', `${whole(failed)} rows, first: ${firstReason}`]]),
  ];
  return [`${module}: ${measured.function}`, ...alignColumns(lines, WIDTH).map((line) => `  ${line}`)];
}

function speed(nanoseconds: number): string {
  return `${ns(nanoseconds)} a row, ${whole(1e9 / nanoseconds)} rows/s`;
}

function ns(nanoseconds: number): string {
  return `${whole(nanoseconds)} ns`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
