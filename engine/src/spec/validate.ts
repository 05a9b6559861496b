/**
 * Settings against the fields that a node type declares: all problems at once, each with its path, and the settings with
 * defaults filled in when there are none.
 *
 * The walk over groups, lists and maps is ours, because every unknown key must be named and a map may hold any key
 * (valibot's records drop `constructor`); valibot judges the single values. Nothing outside this file knows of valibot.
 */
import * as v from 'valibot';
import type { Field, Fields } from './fields.ts';
import { nearestWord } from './nearest-word.ts';
import type { Json } from './plan.ts';
import { expectation, oneOf, valueText } from './setting-text.ts';

export type SettingPath = readonly (string | number)[];

export interface SettingProblem {
  /** Where: for a missing setting the path that it would have. */
  readonly path: SettingPath;
  readonly kind: 'unknown' | 'missing' | 'wrong';
  /** What stands there, for people: `"fast"`. Absent when nothing does. */
  readonly found?: string;
  /** What would be right, for people: `a whole number`. */
  readonly expected: string;
  /** The word that was probably meant. */
  readonly suggestion?: string;
}

export interface Validation {
  /** Present when there are no problems. */
  readonly settings?: Readonly<Record<string, Json>>;
  readonly problems: readonly SettingProblem[];
}

/** Checks `given` against `fields`. */
export async function validateSettings(fields: Fields, given: Readonly<Record<string, unknown>>): Promise<Validation> {
  const walk: Walk = { problems: [] };
  const settings = walkGroup(walk, fields, given, []);
  return walk.problems.length === 0 ? { settings, problems: [] } : { problems: walk.problems };
}

interface Walk {
  readonly problems: SettingProblem[];
}

type JsonObject = Record<string, Json>;

function walkGroup(walk: Walk, fields: Fields, given: Readonly<Record<string, unknown>>, path: SettingPath): JsonObject {
  const meant = new Set<string>();
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(fields, key)) continue;
    const names = Object.keys(fields).filter((name) => !Object.hasOwn(given, name));
    const suggestion = nearestWord(key, names);
    if (suggestion !== undefined) meant.add(suggestion);
    const expected = names.length === 0 ? 'no further settings' : oneOf(names);
    walk.problems.push({ path: [...path, key], kind: 'unknown', expected, ...(suggestion === undefined ? {} : { suggestion }) });
  }
  const entries: [string, Json][] = [];
  for (const [name, field] of Object.entries(fields)) {
    // A misspelt setting is not missing as well.
    if (meant.has(name)) continue;
    const value = Object.hasOwn(given, name)
      ? walkValue(walk, field, given[name], [...path, name])
      : walkAbsent(walk, field, [...path, name]);
    if (value !== undefined) entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

function walkAbsent(walk: Walk, field: Field<unknown>, path: SettingPath): Json | undefined {
  if (field.default !== undefined) return field.default as Json;
  if (field.optional) return undefined;
  // A group that is left out is an empty one: it may consist of defaults, else its own fields are what is missing.
  if (field.kind === 'group') return walkGroup(walk, field.limits.fields!, {}, path);
  walk.problems.push({ path, kind: 'missing', expected: expectation(field) });
  return undefined;
}

function walkValue(walk: Walk, field: Field<unknown>, value: unknown, path: SettingPath): Json | undefined {
  const { limits } = field;
  switch (field.kind) {
    case 'group':
      if (isPlainObject(value)) return walkGroup(walk, limits.fields!, value, path);
      break;
    case 'map':
      if (isPlainObject(value)) {
        const entries = Object.entries(value).map(([key, item]) => [key, walkValue(walk, limits.element!, item, [...path, key])]);
        return Object.fromEntries(entries) as Json;
      }
      break;
    case 'list':
      if (Array.isArray(value)) {
        if (!accepts(field, value)) break;
        return value.map((item, index) => walkValue(walk, limits.element!, item, [...path, index]) as Json);
      }
      break;
    default:
      if (accepts(field, value)) return value as Json;
  }
  const suggestion = typeof value === 'string' && limits.choices ? nearestWord(value, limits.choices) : undefined;
  walk.problems.push({
    path,
    kind: 'wrong',
    found: limits.secret ? 'a value that is not shown' : valueText(value),
    expected: `${expectation(field)}${hintFor(field, value)}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
  return undefined;
}

/** What is easily got wrong in YAML. */
function hintFor(field: Field<unknown>, value: unknown): string {
  const exact = typeof value === 'number' && (!Number.isInteger(value) || Number.isSafeInteger(value));
  if (field.kind === 'integer' && (typeof value === 'bigint' || (typeof value === 'number' && !exact))) return ' within ±2^53';
  const plain = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
  return field.kind === 'text' && !field.limits.secret && plain ? ' (put it in quotes)' : '';
}

/** Schemas are built at the first use of a field and kept: a punchline has many nodes of one type. */
const schemas = new WeakMap<Field<unknown>, v.GenericSchema>();

function accepts(field: Field<unknown>, value: unknown): boolean {
  const schema = schemas.get(field) ?? valueSchema(field);
  schemas.set(field, schema);
  return v.is(schema, value);
}

/** For a list: only that it is one, and its length. */
function valueSchema(field: Field<unknown>): v.GenericSchema {
  const { min = -Infinity, max = Infinity, pattern, choices } = field.limits;
  switch (field.kind) {
    case 'text':
      return pattern ? v.pipe(v.string(), v.regex(pattern)) : v.string();
    case 'integer':
      return v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));
    case 'number':
      return v.pipe(v.number(), v.finite(), v.minValue(min), v.maxValue(max));
    case 'flag':
      return v.boolean();
    case 'choice':
      return v.picklist(choices!);
    case 'list':
      return v.pipe(v.array(v.unknown()), v.minLength(min), v.maxLength(max));
    default:
      return v.custom(isJson);
  }
}

function isJson(value: unknown): boolean {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return isPlainObject(value) && Object.values(value).every(isJson);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
