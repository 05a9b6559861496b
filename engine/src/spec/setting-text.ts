/** Fields, values and problems of settings as people read them. */
import type { Field } from './fields.ts';
import type { SettingPath, SettingProblem } from './validate.ts';

/** One problem as a sentence: `setting "interval" is "fast", expected a whole number`. */
export function settingMessage(problem: SettingProblem): string {
  const name = `setting "${pathText(problem.path)}"`;
  switch (problem.kind) {
    case 'unknown':
      return `unknown ${name}, expected ${problem.expected}`;
    case 'missing':
      return `${name} is missing, expected ${problem.expected}`;
    case 'wrong':
      return `${name} is ${problem.found}, expected ${problem.expected}`;
  }
}

/** `fields`, `messages_column[0].name`. */
export function pathText(path: SettingPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** How a secret is given. */
export const SECRET_REFERENCE = `a reference: "\${NAME}" (an environment variable) or "\${file:NAME}" (the content of a file)`;

/** What a field takes, for people: `a whole number from 1 to 100`. */
export function expectation(field: Field<unknown>): string {
  const { limits } = field;
  const unit = limits.unit === undefined ? '' : ` (${limits.unit})`;
  switch (field.kind) {
    case 'text':
      if (limits.secret) return SECRET_REFERENCE;
      return limits.pattern ? `text that matches ${limits.pattern}` : 'text';
    case 'integer':
      return `a whole number${rangeText(limits)}${unit}`;
    case 'number':
      return `a number${rangeText(limits)}${unit}`;
    case 'flag':
      return 'true or false';
    case 'choice':
      return oneOf(limits.choices!);
    case 'list':
      return `a list${lengthText(limits)}`;
    case 'map':
      return 'a map of names to values';
    case 'group':
      return `a map with ${quotedList(Object.keys(limits.fields!))}`;
    case 'json':
      return 'a value that JSON can hold (no infinity, no integer beyond ±2^53: put that in quotes)';
  }
}

/** How many, or how much, a field takes: `from 1 to 100`, `of at least 1 entry`; empty where there is no bound. */
export function limitsText({ kind, limits }: Field<unknown>): string {
  if (kind === 'integer' || kind === 'number') return rangeText(limits).trim();
  return kind === 'list' ? lengthText(limits).trim() : '';
}

function rangeText({ min, max }: { min?: number; max?: number }): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? '' : ` of at most ${max}`;
}

function lengthText({ min, max }: { min?: number; max?: number }): string {
  const entries = (count: number) => (count === 1 ? '1 entry' : `${count} entries`);
  if (min !== undefined && max !== undefined) return min === max ? ` of ${entries(min)}` : ` of ${min} to ${entries(max)}`;
  if (min !== undefined) return ` of at least ${entries(min)}`;
  return max === undefined ? '' : ` of at most ${entries(max)}`;
}

/** What stands somewhere, for people, never long. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
  return typeof value === 'boolean' ? String(value) : `the number ${value}`;
}

/** `one of "a", "b"`, or the only word there is. */
export function oneOf(words: readonly string[]): string {
  return words.length === 1 ? quotedList(words) : `one of ${quotedList(words)}`;
}

/** `"a", "b", "c"`; long lists are cut. */
export function quotedList(words: readonly string[]): string {
  const shown = words.slice(0, 12).map((word) => `"${word}"`);
  return words.length > 12 ? `${shown.join(', ')} and ${words.length - 12} more` : shown.join(', ');
}
