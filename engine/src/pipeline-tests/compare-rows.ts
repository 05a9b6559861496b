/** Expected rows against those that came: what is missing, what is too much, what differs and in which columns. */
import type { Row, Value } from './case.ts';
import { canonical, rowText } from './row-text.ts';

export interface Comparison {
  readonly expected: readonly Row[];
  readonly actual: readonly Row[];
  /** `includes`: only the columns that the expected row has are compared. */
  readonly match: 'exact' | 'includes';
  readonly order: 'kept' | 'any';
  readonly duplicatesAtMost: number;
}

/** Lines for people; none: all is as expected. `-` stands before what was expected, `+` before what came. */
export function compareRows(comparison: Comparison): string[] {
  const { expected, actual, match, order, duplicatesAtMost } = comparison;
  if (order === 'kept' && duplicatesAtMost === 0) return compareLists(comparison);
  return differenceLines(setDifference(expected, actual, match), expected, duplicatesAtMost);
}

const MOST_LINES = 40;
const MOST_LETTERS = 200;
/** Finding the shortest difference costs the product of both lengths. */
const MOST_PAIRS = 4_000_000;

type Matches = (expected: Row, actual: Row) => boolean;

function matcher(match: Comparison['match']): Matches {
  if (match === 'includes') return (expected, actual) => includes(expected, actual);
  const keys = new WeakMap<Row, string>();
  const keyOf = (row: Row): string => {
    const known = keys.get(row) ?? canonical(row);
    keys.set(row, known);
    return known;
  };
  return (expected, actual) => keyOf(expected) === keyOf(actual);
}

/** Whether all that is expected is there; of maps within maps too. */
function includes(expected: Value, actual: Value | undefined): boolean {
  if (actual === undefined) return false;
  if (isMap(expected) && isMap(actual)) return Object.entries(expected).every(([key, value]) => includes(value, actual[key]));
  return canonical(expected) === canonical(actual);
}

function isMap(value: Value): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export interface SetDifference {
  /** Numbers of expected rows, from 0. */
  readonly missing: readonly number[];
  /** Rows that were expected, but not so often. */
  readonly again: readonly Row[];
  readonly unexpected: readonly Row[];
}

/** Rows that count in any order. */
export function setDifference(expected: readonly Row[], actual: readonly Row[], match: Comparison['match']): SetDifference {
  const matches = matcher(match);
  const taken = new Set<number>();
  const missing: number[] = [];
  const find = match === 'exact' ? exactFinder(actual, taken) : (row: Row) => findRow(row, actual, taken, matches);
  expected.forEach((row, index) => {
    const at = find(row);
    if (at === undefined) missing.push(index);
    else taken.add(at);
  });
  const more = actual.filter((_, index) => !taken.has(index));
  const known = new Set(expected.map(canonical));
  const isKnown = (row: Row): boolean =>
    known.has(canonical(row)) || (match === 'includes' && expected.some((other) => matches(other, row)));
  return { missing, again: more.filter(isKnown), unexpected: more.filter((row) => !isKnown(row)) };
}

/** {@link setDifference} in lines for people. */
export function differenceLines(
  { missing, again, unexpected }: SetDifference,
  expected: readonly Row[],
  duplicatesAtMost: number,
): string[] {
  const lines = [
    ...missing.map((index) => `- row ${index + 1} is missing: ${short(expected[index]!)}`),
    ...unexpected.map((row) => `+ not expected: ${short(row)}`),
  ];
  if (again.length > duplicatesAtMost) {
    const count = again.length === 1 ? '1 row' : `${again.length} rows`;
    lines.push(`+ ${count} came again, expected at most ${duplicatesAtMost}; the first: ${short(again[0]!)}`);
  }
  return cut(lines);
}

function exactFinder(actual: readonly Row[], taken: ReadonlySet<number>): (row: Row) => number | undefined {
  const places = new Map<string, number[]>();
  for (const [index, row] of actual.entries()) {
    const key = canonical(row);
    const known = places.get(key);
    if (known) known.push(index);
    else places.set(key, [index]);
  }
  return (row) => places.get(canonical(row))?.find((index) => !taken.has(index));
}

function findRow(row: Row, actual: readonly Row[], taken: ReadonlySet<number>, matches: Matches): number | undefined {
  const at = actual.findIndex((other, index) => !taken.has(index) && matches(row, other));
  return at < 0 ? undefined : at;
}

function compareLists({ expected, actual, match }: Comparison): string[] {
  const matches = matcher(match);
  const lines: string[] = [];
  let from = 0;
  while (from < expected.length && from < actual.length && matches(expected[from]!, actual[from]!)) from++;
  let [toExpected, toActual] = [expected.length, actual.length];
  while (toExpected > from && toActual > from && matches(expected[toExpected - 1]!, actual[toActual - 1]!)) {
    toExpected--;
    toActual--;
  }
  for (const { missing, more } of hunks(expected, actual, { from, toExpected, toActual }, matches)) {
    const pairs = Math.min(missing.length, more.length);
    for (let i = 0; i < pairs; i++) lines.push(...changed(expected[missing[i]!]!, actual[more[i]!]!, more[i]!, match));
    for (const index of missing.slice(pairs)) lines.push(`- row ${index + 1} is missing: ${short(expected[index]!)}`);
    for (const index of more.slice(pairs)) lines.push(`+ row ${index + 1} is not expected: ${short(actual[index]!)}`);
  }
  return cut(lines);
}

interface Hunk {
  readonly missing: number[];
  readonly more: number[];
}

interface Window {
  readonly from: number;
  readonly toExpected: number;
  readonly toActual: number;
}

/** Stretches that differ, by the longest common subsequence of what lies between equal beginnings and ends. */
function hunks(expected: readonly Row[], actual: readonly Row[], window: Window, matches: Matches): Hunk[] {
  const { from, toExpected, toActual } = window;
  const rows = toExpected - from;
  const columns = toActual - from;
  const numbers = (length: number): number[] => Array.from({ length }, (_, index) => from + index);
  if (rows === 0 && columns === 0) return [];
  // Rows of the same number mostly changed in their place.
  if (rows === columns || rows * columns > MOST_PAIRS) {
    const differing = numbers(Math.min(rows, columns)).filter((index) => !matches(expected[index]!, actual[index]!));
    const rest = { missing: numbers(rows).slice(columns), more: numbers(columns).slice(rows) };
    return [...differing.map((index) => ({ missing: [index], more: [index] })), rest];
  }
  const width = columns + 1;
  const lengths = new Uint32Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      lengths[i * width + j] = matches(expected[from + i]!, actual[from + j]!)
        ? lengths[(i + 1) * width + j + 1]! + 1
        : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  const found: Hunk[] = [];
  let open: Hunk | undefined;
  for (let i = 0, j = 0; i < rows || j < columns; ) {
    if (i < rows && j < columns && matches(expected[from + i]!, actual[from + j]!)) {
      open = undefined;
      i++;
      j++;
      continue;
    }
    if (!open) {
      open = { missing: [], more: [] };
      found.push(open);
    }
    if (j === columns || (i < rows && lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!))
      open.missing.push(from + i++);
    else open.more.push(from + j++);
  }
  return found;
}

/** A row that came otherwise than expected: only the columns that differ. */
function changed(expected: Row, actual: Row, index: number, match: Comparison['match']): string[] {
  const names = new Set([...Object.keys(expected), ...(match === 'exact' ? Object.keys(actual) : [])]);
  const lines = [`  row ${index + 1} differs:`];
  for (const name of names) {
    const [was, is] = [expected[name], actual[name]];
    if (was !== undefined && is !== undefined && (match === 'includes' ? includes(was, is) : canonical(was) === canonical(is)))
      continue;
    lines.push(`-   ${name}: ${was === undefined ? '(absent)' : short(was)}`);
    lines.push(`+   ${name}: ${is === undefined ? '(absent)' : short(is)}`);
  }
  return lines;
}

function short(value: Value): string {
  const text = rowText(value);
  return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}… (${text.length} letters)` : text;
}

function cut(lines: readonly string[]): string[] {
  return lines.length <= MOST_LINES
    ? [...lines]
    : [...lines.slice(0, MOST_LINES), `  and ${lines.length - MOST_LINES} lines more`];
}
