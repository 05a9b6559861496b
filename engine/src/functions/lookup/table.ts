/** The table of a `lookup`: read once, on the main thread, into plain data that every worker gets. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { networkProblem } from '../../batch/networks.ts';
import { ReefError } from '../../errors.ts';
import { readCsv } from './csv-table.ts';
import type { TableRow } from './table-row.ts';

export interface TableOptions {
  readonly file: string;
  readonly format: 'auto' | 'csv' | 'json';
  readonly separator: string;
  readonly keyColumn: string;
  readonly match: 'exact' | 'cidr';
  /** Columns whose values are wanted. */
  readonly columns: readonly string[];
  readonly maxBytes: number;
}

export interface Table {
  readonly keys: readonly string[];
  /** For each wanted column the JSON text of every row's value; `undefined`: it has none. */
  readonly values: readonly (readonly (string | undefined)[])[];
}

/** Rejects with a `ReefError` that says what is wrong with the file, and where. */
export async function readTable(folder: string, options: TableOptions): Promise<Table> {
  const path = resolve(folder, options.file);
  const fail = (message: string, cause?: unknown): ReefError =>
    new ReefError(
      'config',
      `Cannot read table ${JSON.stringify(options.file)}: ${message}`,
      cause === undefined ? {} : { cause },
    );
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > options.maxBytes) throw fail(`it has ${size} bytes, expected at most ${options.maxBytes} (max_file_bytes)`);
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof ReefError) throw error;
    throw fail(error instanceof Error ? error.message : String(error), error);
  }
  try {
    return collect(isCsv(options) ? readCsv(text, options.separator) : readJson(text), options);
  } catch (error) {
    throw fail(error instanceof Error ? error.message : String(error), error);
  }
}

function isCsv({ format, file }: TableOptions): boolean {
  return format === 'csv' || (format === 'auto' && !/\.(json|jsonl|ndjson)$/i.test(file));
}

function collect(rows: Iterable<TableRow>, { keyColumn, match, columns }: TableOptions): Table {
  const keys: string[] = [];
  const places = new Map<string, string>();
  const values = columns.map((): (string | undefined)[] => []);
  const seen = new Set<string>();
  for (const { members, place } of rows) {
    const json = members.get(keyColumn);
    if (json === undefined || json === 'null') throw new Error(`${place} has no ${JSON.stringify(keyColumn)} (key_column)`);
    const key = json.startsWith('"') ? (JSON.parse(json) as string) : json;
    const before = places.get(key);
    if (before !== undefined) throw new Error(`${place} has the key ${JSON.stringify(key)}, which ${before} has as well`);
    const problem = match === 'cidr' ? networkProblem(key) : undefined;
    if (problem !== undefined) throw new Error(`${place}: ${keyColumn} ${problem}`);
    places.set(key, place);
    keys.push(key);
    columns.forEach((name, i) => {
      if (members.has(name)) seen.add(name);
      values[i]!.push(members.get(name));
    });
  }
  const unknown = columns.find((name) => !seen.has(name));
  if (unknown !== undefined && keys.length > 0) throw new Error(`no row has ${JSON.stringify(unknown)} (columns)`);
  return { keys, values };
}

/** A list of objects, or one object on each line. */
function* readJson(text: string): Iterable<TableRow> {
  if (text.trimStart().startsWith('[')) {
    for (const [i, row] of (parseExact(text) as unknown[]).entries()) yield jsonRow(row, `row ${i + 1}`);
    return;
  }
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const place = `line ${i + 1}`;
    let row: unknown;
    try {
      row = parseExact(line);
    } catch (error) {
      throw new Error(`${place} is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
    yield jsonRow(row, place);
  }
}

function jsonRow(row: unknown, place: string): TableRow {
  if (typeof row !== 'object' || row === null || Array.isArray(row) || exactJson.isRawJSON(row))
    throw new Error(`${place} is no object`);
  return { members: new Map(Object.entries(row).map(([name, value]) => [name, JSON.stringify(value)])), place };
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
const exactJson = JSON as unknown as {
  parse(text: string, reviver: Reviver): unknown;
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
};

/** Numbers keep their spelling. */
function parseExact(text: string): unknown {
  return exactJson.parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? exactJson.rawJSON(source) : value,
  );
}
