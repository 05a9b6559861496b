/** `reef inspect`: what a wasm module is, needs and would be allowed, without running it. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ReefError } from '../errors.ts';
import type { Inspection } from '../wasm/inspect/index.ts';
import { alignColumns } from './align-columns.ts';
import { argumentProblem } from './argument-problem.ts';
import type { CommandIo } from './command-io.ts';
import { inspectUsage } from './usage.ts';

/** More is refused by the rewriter; no need to read it for that. */
const MAX_READ_BYTES = 1024 * 1024 * 1024;
const WIDTH = 110;
const PAGE_BYTES = 65_536;

/** Exit codes: 0 the module can run, 2 a wrong command line, 3 it cannot be read or Reef would refuse it. */
export async function runInspect(args: readonly string[], io: Pick<CommandIo, 'stdout' | 'stderr' | 'cwd'>): Promise<number> {
  const parsed = parseInspectArgs(args);
  if (typeof parsed === 'string') {
    io.stderr.write(`reef inspect: ${parsed}\nusage: ${inspectUsage}\n`);
    return 2;
  }
  try {
    const bytes = await readModule(resolve(io.cwd, parsed.file), parsed.file);
    const { inspectModule } = await import('../wasm/inspect/index.ts');
    const inspection = inspectModule(bytes, parsed.file);
    const text = parsed.json ? JSON.stringify(inspection, undefined, 2) : describe(inspection, parsed.file).join('\n');
    io.stdout.write(`${text}\n`);
    return inspection.contract.kind === 'none' ? 3 : 0;
  } catch (error) {
    if (!(error instanceof ReefError)) throw error;
    io.stderr.write(`reef inspect: ${error.message}\n`);
    return 3;
  }
}

function parseInspectArgs(args: readonly string[]): { readonly file: string; readonly json: boolean } | string {
  try {
    const options = { json: { type: 'boolean', default: false } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [file, ...more] = positionals;
    if (file === undefined) return 'no file is given, expected the name of a wasm module';
    if (more.length > 0) return `${positionals.length} files are given, expected one`;
    return { file, json: values.json };
  } catch (error) {
    return argumentProblem(error);
  }
}

async function readModule(path: string, name: string): Promise<Uint8Array> {
  const subject = JSON.stringify(name);
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new ReefError('io', `Cannot read ${subject}: it is a folder, expected a wasm module`);
    if (found.size > MAX_READ_BYTES)
      throw new ReefError('limit', `Cannot read ${subject}: it has ${found.size} bytes, that is no function`);
    return await readFile(path);
  } catch (error) {
    if (error instanceof ReefError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ReefError('io', `Cannot read ${subject}: ${code === 'ENOENT' ? 'there is no such file' : message}`, {
      cause: error,
    });
  }
}

function describe({ info, sha256, contract, initialize, imports, meterOverhead }: Inspection, file: string): string[] {
  const rows: string[][] = [
    [
      'contract',
      contract.kind === 'rline' ? `rline: type: wasm, function: ${contract.functions.join(' or ')}` : `none: ${contract.why}`,
    ],
    [
      'size',
      `${info.sizeBytes} bytes, ${info.functions} functions; ${(meterOverhead * 100).toFixed(1)} % more with the fuel meter`,
    ],
    ['sha256', sha256],
    ['memory', memoryText(info.memory)],
  ];
  for (const { type, min, max } of info.tables) rows.push(['table', `${min} to ${max ?? 'any number of'} entries of ${type}`]);
  rows.push(['features', info.features.join(', ') || 'WebAssembly 1.0 only']);
  if (info.producers.length > 0) rows.push(['made by', info.producers.join(', ')]);
  const before = [info.start ? 'its start function' : '', initialize ? '_initialize' : ''].filter((text) => text !== '');
  if (before.length > 0) rows.push(['before rows', `runs ${before.join(' and ')} once`]);
  const { reset } = info;
  rows.push([
    'after a trap',
    reset.inPlace ? 'its state is put back in place' : `a new instance is made, as it uses ${reset.because}`,
  ]);
  const exports = info.exports.map(({ name, kind, type }) => ['', name, kind === 'function' ? type : kindText(kind, type)]);
  const needs = imports.map(({ module, name, text }) => ['', `${module}.${name}`, text]);
  return [
    `${file}${info.declaredName ? `: ${info.declaredName}` : ''}`,
    ...alignColumns(rows, WIDTH).map((line) => `  ${line}`),
    ...(exports.length === 0 ? [] : ['  exports', ...indented(exports)]),
    ...(needs.length === 0 ? [] : ['  imports, and what it is allowed', ...indented(needs)]),
  ];
}

function indented(rows: string[][]): string[] {
  return alignColumns(rows, WIDTH).map((line) => `  ${line}`);
}

function kindText(kind: string, type: string): string {
  return kind === type ? kind : `${kind} (${type})`;
}

function memoryText(memory: Inspection['info']['memory']): string {
  if (memory === undefined) return 'none';
  const { minPages, maxPages, declaredMaxPages } = memory;
  const size = (pages: number) => `${((pages * PAGE_BYTES) / 2 ** 20).toFixed(pages % 16 === 0 ? 0 : 1)} MiB`;
  const declared = declaredMaxPages === undefined ? 'it declares no maximum' : `it declares ${size(declaredMaxPages)}`;
  return `${size(minPages)} at least, at most ${size(maxPages)} unless limits say otherwise; ${declared}`;
}
