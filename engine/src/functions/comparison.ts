/** The operators of conditions: what value each takes, and how it is answered for a whole column. */
import { type Batch, type Column, ValueKind } from '../batch/batch.ts';
import { networkProblem } from '../batch/networks.ts';
import type { Json } from '../spec/plan.ts';
import { findMatches } from './regex/find-matches.ts';
import { regexProblem } from './regex/problem.ts';

/** One byte per row, 0 or 1. */
export type Mask = Uint8Array;

type Test = (batch: Batch, needed: Mask) => Mask;

/** What kind of value an operator takes. */
export const operators = {
  eq: 'scalar',
  ne: 'scalar',
  lt: 'ordered',
  le: 'ordered',
  gt: 'ordered',
  ge: 'ordered',
  in: 'scalars',
  exists: 'none',
  missing: 'none',
  contains: 'text',
  starts_with: 'text',
  ends_with: 'text',
  matches: 'pattern',
  cidr: 'networks',
} as const;
export type Operator = keyof typeof operators;

/** Why `value` is none that the operator takes; `undefined` when it is one. */
export function valueProblem(op: Operator, value: Json | undefined): string | undefined {
  const kind = operators[op];
  if (kind === 'none') return value === undefined ? undefined : `is not used by ${op}, expected none`;
  if (value === undefined) return `has no value, expected ${valueWords[kind]}`;
  const wrong = `is ${JSON.stringify(value)}, expected ${valueWords[kind]}`;
  if (kind === 'scalar') return isScalar(value) ? undefined : wrong;
  if (kind === 'ordered') return typeof value === 'string' || typeof value === 'number' ? undefined : wrong;
  if (kind === 'text') return typeof value === 'string' ? undefined : wrong;
  if (kind === 'scalars') return Array.isArray(value) && value.every(isScalar) ? undefined : wrong;
  if (kind === 'pattern') return typeof value === 'string' ? patternProblem(value) : wrong;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  for (const network of list) {
    if (typeof network !== 'string') return wrong;
    const problem = networkProblem(network);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const valueWords = {
  scalar: 'a string, number or boolean (for null and absent there are exists and missing)',
  ordered: 'a string or number',
  scalars: 'a list of strings, numbers and booleans',
  text: 'a string',
  pattern: 'a regular expression',
  networks: 'a network such as 10.0.0.0/8, or a list of them',
} as const;

/** For each operator: the test that a column and a checked value make. */
export const comparators: { readonly [O in Operator]: (column: string, value: never) => Test } = {
  eq: (column, value: Scalar) => (batch) => equal(batch.column(column), value),
  ne: (column, value: Scalar) => (batch) => notEqual(batch.column(column), value),
  lt: (column, value: string | number) => compared(column, value, [1, 0, 0, 0]),
  le: (column, value: string | number) => compared(column, value, [1, 1, 0, 0]),
  gt: (column, value: string | number) => compared(column, value, [0, 0, 1, 0]),
  ge: (column, value: string | number) => compared(column, value, [0, 1, 1, 0]),
  in: (column, values: readonly Scalar[]) => inList(column, values),
  exists: (column) => (batch) => exists(batch.column(column), 1),
  missing: (column) => (batch) => exists(batch.column(column), 0),
  contains: (column, part: string) => (batch) => batch.column(column).matches(part, 'contains'),
  starts_with: (column, part: string) => (batch) => batch.column(column).matches(part, 'starts'),
  ends_with: (column, part: string) => (batch) => batch.column(column).matches(part, 'ends'),
  matches: findMatches,
  cidr: (column, value: string | readonly string[]) => {
    const networks = typeof value === 'string' ? [value] : value;
    return (batch) => batch.column(column).within(networks);
  },
};

type Scalar = string | number | boolean;

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function patternProblem(pattern: string): string | undefined {
  const problem = regexProblem(pattern);
  const place = problem && `at place ${problem.place} ${problem.message}`;
  return place && `is ${JSON.stringify(pattern)}, where ${place}, expected a regular expression that takes linear time`;
}

/** Takes over the comparison's result by the given answer to less, equal, greater, not comparable. */
function compared(column: string, value: string | number, answers: readonly [number, number, number, number]): Test {
  return (batch) =>
    batch
      .column(column)
      .compare(value)
      .map((result) => answers[result]!);
}

function equal(column: Column, value: Scalar): Mask {
  if (typeof value === 'string') return column.equals(value);
  if (typeof value === 'boolean') return ofKind(column, value ? ValueKind.true : ValueKind.false);
  return column.compare(value).map((result) => (result === 1 ? 1 : 0));
}

function notEqual(column: Column, value: Scalar): Mask {
  if (typeof value === 'boolean') return ofKind(column, value ? ValueKind.false : ValueKind.true);
  return column.compare(value).map((result) => (result === 0 || result === 2 ? 1 : 0));
}

function ofKind(column: Column, kind: ValueKind): Mask {
  return column.kinds().map((found) => (found === kind ? 1 : 0));
}

function exists(column: Column, there: 0 | 1): Mask {
  const missing = there ^ 1;
  return column.kinds().map((kind) => (kind === ValueKind.absent || kind === ValueKind.null ? missing : there));
}

/** Above so many strings a hash of them is asked row by row, which costs the same for any number. */
const COMPARED_STRINGS = 16;

function inList(column: string, values: readonly Scalar[]): Test {
  const strings = new Set(values.filter((value) => typeof value === 'string'));
  const others = values.filter((value) => typeof value !== 'string');
  return (batch, needed) => {
    const found = new Uint8Array(batch.size);
    const add = (mask: Mask): void => {
      for (let row = 0; row < found.length; row++) found[row]! |= mask[row]!;
    };
    for (const value of others) add(equal(batch.column(column), value));
    if (strings.size <= COMPARED_STRINGS) {
      for (const value of strings) add(batch.column(column).equals(value));
    } else {
      for (const row of batch.rows) {
        if (needed[row] === 0) continue;
        const text = batch.column(column).string(row);
        if (text !== undefined && strings.has(text)) found[row] = 1;
      }
    }
    return found;
  };
}
