/**
 * Conditions as data: comparisons of columns, combined by `all`, `any` and `not`. Parsed once, with every problem found; evaluated
 * as operations over whole columns. A column that is absent, null or of another kind than the value compares false.
 */
import type { Batch } from '../batch/batch.ts';
import { nearestWord } from '../spec/nearest-word.ts';
import type { SettingIssue } from '../spec/node.ts';
import type { Json } from '../spec/plan.ts';
import { comparators, type Mask, type Operator, operators, valueProblem } from './comparison.ts';

export type Condition =
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Condition[]; readonly slow: boolean }
  | { readonly kind: 'not'; readonly part: Condition; readonly slow: boolean }
  | { readonly kind: 'compare'; readonly column: string; readonly test: Test; readonly slow: boolean };

/** 1 where a live row passes; looks only at rows where `needed` is 1. */
type Test = (batch: Batch, needed: Mask) => Mask;

type Path = readonly (string | number)[];

export interface ParsedCondition {
  /** `undefined` when there are issues. */
  readonly condition: Condition | undefined;
  readonly issues: readonly SettingIssue[];
}

/** `path` leads to the condition within the settings. */
export function parseCondition(value: Json, path: Path): ParsedCondition {
  const issues: SettingIssue[] = [];
  const condition = parse(value, path, issues);
  return { condition: issues.length === 0 ? condition : undefined, issues };
}

/** Columns that a condition looks at. */
export function conditionColumns(condition: Condition): readonly string[] {
  if (condition.kind === 'compare') return [condition.column];
  return Array.from(new Set((condition.kind === 'not' ? [condition.part] : condition.parts).flatMap(conditionColumns)));
}

/** 1 where a live row fulfils the condition. */
export function evaluate(condition: Condition, batch: Batch): Mask {
  const needed = new Uint8Array(batch.size);
  for (const row of batch.rows) needed[row] = 1;
  return evaluateWhere(condition, batch, needed);
}

/** The same for the rows where `needed` is 1; 0 elsewhere. */
export function evaluateWhere(condition: Condition, batch: Batch, needed: Mask): Mask {
  if (condition.kind === 'compare') return and(condition.test(batch, needed), needed);
  if (condition.kind === 'not') {
    const part = evaluateWhere(condition.part, batch, needed);
    return needed.map((wanted, row) => wanted & (part[row]! ^ 1));
  }
  const all = condition.kind === 'all';
  // Rows that are not decided yet: for `all` those that passed so far, for `any` those that did not.
  let open: Mask = needed;
  for (const part of condition.parts) {
    const passed = evaluateWhere(part, batch, open);
    open = all ? passed : open.map((wanted, row) => wanted & (passed[row]! ^ 1));
  }
  return all ? open : needed.map((wanted, row) => wanted & (open[row]! ^ 1));
}

function and(a: Mask, b: Mask): Mask {
  const both = new Uint8Array(b.length);
  for (let row = 0; row < both.length; row++) both[row] = a[row]! & b[row]!;
  return both;
}

const shapes = 'expected {all: […]}, {any: […]}, {not: …} or {column, op, value}';

function parse(value: Json, path: Path, issues: SettingIssue[]): Condition | undefined {
  const complain = (at: Path, message: string): undefined => {
    issues.push({ path: at, message: `${pathText(at)} ${message}` });
    return undefined;
  };
  if (!isMap(value)) return complain(path, `is ${shown(value)}, ${shapes}`);
  const combiners = ['all', 'any', 'not'].filter((key) => key in value);
  if (combiners.length === 0) return parseComparison(value, path, complain);
  const others = Object.keys(value).filter((key) => key !== combiners[0]);
  if (others.length > 0) return complain([...path, others[0]!], `stands beside ${combiners[0]}, expected one of both`);
  const kind = combiners[0] as 'all' | 'any' | 'not';
  const inner = value[kind]!;
  const innerPath = [...path, kind];
  if (kind === 'not') {
    const part = parse(inner, innerPath, issues);
    return part && { kind, part, slow: part.slow };
  }
  if (!Array.isArray(inner) || inner.length === 0) {
    return complain(innerPath, `is ${shown(inner)}, expected a list of at least one condition`);
  }
  const parts = (inner as readonly Json[]).map((part, i) => parse(part, [...innerPath, i], issues));
  if (!parts.every((part) => part !== undefined)) return undefined;
  // What costs much is asked last, of the rows that are still open.
  const ordered = [...parts.filter(({ slow }) => !slow), ...parts.filter(({ slow }) => slow)];
  return { kind, parts: ordered, slow: ordered.some(({ slow }) => slow) };
}

/** What other languages call the operators. */
const otherSpellings: Readonly<Record<string, string>> = {
  gte: 'ge',
  lte: 'le',
  neq: 'ne',
  '=': 'eq',
  '==': 'eq',
  '!=': 'ne',
  regex: 'matches',
};

const comparisonKeys = ['column', 'op', 'value'];

function parseComparison(
  value: Readonly<Record<string, Json>>,
  path: Path,
  complain: (at: Path, message: string) => undefined,
): Condition | undefined {
  const unknown = Object.keys(value).find((key) => !comparisonKeys.includes(key));
  if (unknown !== undefined) {
    return complain([...path, unknown], `is unknown, ${shapes}${hint(unknown, [...comparisonKeys, 'all', 'any', 'not'])}`);
  }
  const { column, op } = value;
  if (typeof column !== 'string')
    return complain([...path, ...('column' in value ? ['column'] : [])], missing(value, 'column', 'a name'));
  if (typeof op !== 'string' || !Object.hasOwn(operators, op)) {
    const words = Object.keys(operators);
    const message = missing(value, 'op', `one of ${words.join(', ')}`);
    return complain([...path, ...('op' in value ? ['op'] : [])], message + (typeof op === 'string' ? hint(op, words) : ''));
  }
  const operator = op as Operator;
  const problem = valueProblem(operator, value.value);
  if (problem !== undefined) return complain([...path, ...('value' in value ? ['value'] : [])], problem);
  return { kind: 'compare', column, test: comparators[operator](column, value.value as never), slow: operator === 'matches' };
}

function missing(value: Readonly<Record<string, Json>>, key: string, expected: string): string {
  return key in value ? `is ${shown(value[key]!)}, expected ${expected}` : `has no ${key}, expected ${expected}`;
}

function hint(word: string, words: readonly string[]): string {
  const nearest = otherSpellings[word] ?? nearestWord(word, words);
  return nearest === undefined ? '' : ` (did you mean ${nearest}?)`;
}

function isMap(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function pathText(path: Path): string {
  return path.reduce<string>(
    (text, part) => text + (typeof part === 'number' ? `[${part}]` : text === '' ? part : `.${part}`),
    '',
  );
}
