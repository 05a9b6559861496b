import type { Json } from '../../spec/plan.ts';
import { fitText, textWidth } from './text-width.ts';

export interface TableOptions {
  /** Cells of the terminal that a line may take. */
  readonly width: number;
  /** Bold names. */
  readonly color: boolean;
}

interface Column {
  readonly name: string;
  readonly cells: string[];
  /** Numbers stand at the right. */
  numeric: boolean;
  width: number;
}

const GAP = 2;
const NARROWEST = 6;

/** Rows (JSON texts) as a table with a head and a line per row, fitted to the width: cells are cut, then columns left out. */
export function renderTable(rows: readonly string[], options: TableOptions): string {
  const columns = columnsOf(rows);
  if (columns.length === 0) return '';
  const left = fitColumns(columns, options.width);
  const shown = columns.slice(0, columns.length - left);
  const head = shown
    .map((column) => pad(column, column.name))
    .join(' '.repeat(GAP))
    .trimEnd();
  const rule = shown.map((column) => '─'.repeat(column.width)).join(' '.repeat(GAP));
  const lines = rows.map((_, row) =>
    shown
      .map((column) => pad(column, column.cells[row] ?? ''))
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
  const rest =
    left === 0 ? [] : [`… ${left} more column${left === 1 ? '' : 's'}: ${namesOf(columns.slice(-left), options.width)}`];
  return `${[options.color ? `\x1b[1m${head}\x1b[22m` : head, rule, ...lines, ...rest].join('\n')}\n`;
}

function columnsOf(rows: readonly string[]): Column[] {
  const columns = new Map<string, Column>();
  rows.forEach((row, index) => {
    for (const [name, text, numeric] of cellsOf(row)) {
      let column = columns.get(name);
      if (column === undefined) {
        column = { name, cells: [], numeric: true, width: textWidth(name) };
        columns.set(name, column);
      }
      column.cells[index] = text;
      column.numeric &&= numeric;
      column.width = Math.max(column.width, textWidth(text));
    }
  });
  return [...columns.values()];
}

/** Name, text and whether it is a number, for each value of a row. */
function cellsOf(row: string): [string, string, boolean][] {
  const value = parseExactly(row);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [['', visible(row), false]];
  return Object.entries(value).map(([name, cell]) => {
    if (cell instanceof NumberText) return [visible(name), cell.text, true];
    return [visible(name), visible(typeof cell === 'string' ? cell : JSON.stringify(cell)), false];
  });
}

/** A number as it was spelt: as a JavaScript number it would lose digits beyond 2^53. */
class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toJSON(): unknown {
    return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(this.text);
  }
}

function parseExactly(row: string): unknown {
  try {
    const revive = (_key: string, value: unknown, context?: { source?: string }): unknown =>
      typeof value === 'number' ? new NumberText(context?.source ?? String(value)) : value;
    return JSON.parse(row, revive as (key: string, value: unknown) => Json);
  } catch {
    return undefined;
  }
}

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Control characters (which could also steer the terminal) and marks that turn the writing direction, made visible. */
function visible(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be shown.
    /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (character) => escapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Narrows the widest columns until all fit; returns how many of the last ones must be left out even so. */
function fitColumns(columns: readonly Column[], width: number): number {
  let left = 0;
  const needed = (narrowest: number): number =>
    columns.slice(0, columns.length - left).reduce((sum, column) => sum + Math.min(column.width, narrowest) + GAP, -GAP);
  while (left < columns.length - 1 && needed(NARROWEST) > width) left++;
  let limit = Math.max(...columns.map((column) => column.width));
  while (limit > NARROWEST && needed(limit) > width) limit--;
  for (const column of columns) column.width = Math.min(column.width, limit);
  return left;
}

function pad(column: Column, text: string): string {
  const fitted = fitText(text, column.width);
  const space = ' '.repeat(column.width - textWidth(fitted));
  return column.numeric ? space + fitted : fitted + space;
}

function namesOf(columns: readonly Column[], width: number): string {
  return fitText(columns.map(({ name }) => name).join(', '), Math.max(20, width - 20));
}
