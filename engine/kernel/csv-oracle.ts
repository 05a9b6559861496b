/** CSV read character by character, as engine/kernel/assembly/scan-csv.ts says it is to be read: what the kernel is compared with. */
import assert from 'node:assert/strict';
import type { Scanned } from './scan-harness.ts';

export interface CsvRow {
  /** Bounds in the input; a bad row is its first line. */
  readonly start: number;
  readonly end: number;
  /** Behind the line feed. */
  readonly behind: number;
  readonly error: number;
  /** Absent fields are undefined. */
  readonly fields: readonly (string | undefined)[];
}

const QUOTE = '"';

/** `input` is latin1: one character for each byte. */
export function readCsv(input: string, separator: string, columns: number): CsvRow[] {
  const rows: CsvRow[] = [];
  for (let at = 0; at < input.length; ) {
    const row = readRow(input, at, separator);
    at = row.behind;
    if (row.error === 0 && row.end === row.start) continue;
    const text = Buffer.from(input.slice(row.start, row.end), 'latin1');
    const error = row.error || (row.fields.length !== columns ? 35 : isUtf8(text) ? 0 : 5);
    rows.push({ ...row, error });
  }
  return rows;
}

function readRow(input: string, start: number, separator: string): CsvRow {
  const fields: (string | undefined)[] = [];
  for (let at = start; ; at++) {
    let error = 0;
    if (input[at] === QUOTE) {
      let text = '';
      for (at++; ; at++) {
        if (at >= input.length) return badRow(input, start, 34, at);
        if (input[at] === QUOTE && input[at + 1] === QUOTE) at++;
        else if (input[at] === QUOTE) break;
        text += input[at];
      }
      at++;
      fields.push(text);
      error = 33;
    } else {
      const from = at;
      while (at < input.length && input[at] !== separator && input[at] !== '\n' && input[at] !== QUOTE) at++;
      if (input[at] === QUOTE) return badRow(input, start, 32, at);
      const returned = at > from && input[at - 1] === '\r' && input[at] !== separator;
      if (returned) at--;
      fields.push(at === from ? undefined : input.slice(from, at));
    }
    if (at < input.length && input[at] === separator) continue;
    const end = at;
    if (input[at] === '\r') at++;
    if (at >= input.length) return { start, end, behind: at, error: 0, fields };
    if (input[at] === '\n') return { start, end, behind: at + 1, error: 0, fields };
    return badRow(input, start, error, at);
  }
}

/** `at`: where the error was seen; behind the row's first line its quote was open at the end of that line. */
function badRow(input: string, start: number, error: number, at: number): CsvRow {
  const newline = input.indexOf('\n', start);
  const behind = newline < 0 ? input.length : newline + 1;
  let end = newline < 0 ? input.length : newline;
  if (end > start && input[end - 1] === '\r') end--;
  return { start, end, behind, error: at >= behind ? 34 : error, fields: [] };
}

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

export function assertAgreesWithCsv(input: Buffer, scanned: Scanned, separator: string, columns: number): void {
  const expected = readCsv(input.toString('latin1'), separator, columns).map(({ start, end, error, fields }) => ({
    start,
    end,
    error,
    values: error ? {} : valuesOf(fields),
  }));
  const found = scanned.rows.map(({ start, end, error, values }) => ({
    start,
    end,
    error,
    values: Object.fromEntries(Object.entries(values).map(([name, { text }]) => [name, text])),
  }));
  assert.deepEqual(found, expected);
  assert.equal(scanned.consumed, input.length);
  assert.equal(scanned.malformed, expected.filter(({ error }) => error).length);
}

function valuesOf(fields: readonly (string | undefined)[]): Record<string, string> {
  const present = fields.flatMap((text, column) => (text === undefined ? [] : [[String(column), decoded(text)] as const]));
  return Object.fromEntries(present);
}

function decoded(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString();
}
