/**
 * The settings of a node type, one builder per kind of value. Each takes its doc sentence first: a setting without one
 * does not compile. A field without `default` and without `optional: true` is required.
 */
import type { Json } from './plan.ts';

export interface Field<T> {
  readonly kind: FieldKind;
  /** One or more sentences for users; the first stands in tables. */
  readonly doc: string;
  readonly optional: boolean;
  readonly default?: T;
  readonly limits: FieldLimits;
  /** Only for inference; never set. */
  readonly value?: T;
}

export type FieldKind = 'text' | 'integer' | 'number' | 'flag' | 'choice' | 'list' | 'map' | 'group' | 'json';

export interface FieldLimits {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
  readonly choices?: readonly string[];
  readonly unit?: string;
  /** A password, key or token: never shown, and never written in the punchline itself. */
  readonly secret?: true;
  readonly element?: Field<unknown>;
  readonly fields?: Fields;
}

export type Fields = { readonly [name: string]: Field<unknown> };

/** The settings of a node as its `open` gets them. */
export type Settings<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

interface Common<T> {
  readonly default?: T;
  readonly optional?: boolean;
}
type Given<T, O> = O extends { default: infer _ } ? T : O extends { optional: true } ? T | undefined : T;

function field<T, O extends Common<T>>(
  kind: FieldKind,
  doc: string,
  options: O | undefined,
  limits: FieldLimits,
): Field<Given<T, O>> {
  return {
    kind,
    doc,
    optional: options?.optional ?? false,
    ...(options?.default === undefined ? {} : { default: options.default as Given<T, O> }),
    limits,
  };
}

/** A string. */
export function text<const O extends Common<string> & { pattern?: RegExp }>(doc: string, options?: O): Field<Given<string, O>> {
  return field<string, O>('text', doc, options, options?.pattern ? { pattern: options.pattern } : {});
}

/**
 * A password, key or token. In the punchline stands a reference (`${NAME}` or `${file:…}`), never the secret itself; nothing that
 * Reef says shows it.
 */
export function secret<const O extends Common<string>>(doc: string, options?: O): Field<Given<string, O>> {
  return field<string, O>('text', doc, options, { secret: true });
}

/** A whole number within ±2^53, bounds included. */
export function integer<const O extends Common<number> & { min?: number; max?: number; unit?: string }>(
  doc: string,
  options?: O,
): Field<Given<number, O>> {
  return field<number, O>('integer', doc, options, numberLimits(options));
}

/** Any finite number, bounds included. */
export function number<const O extends Common<number> & { min?: number; max?: number; unit?: string }>(
  doc: string,
  options?: O,
): Field<Given<number, O>> {
  return field<number, O>('number', doc, options, numberLimits(options));
}

/** True or false. */
export function flag<const O extends Common<boolean>>(doc: string, options?: O): Field<Given<boolean, O>> {
  return field<boolean, O>('flag', doc, options, {});
}

/** One of the given words. */
export function choice<const C extends string, const O extends Common<C>>(
  choices: readonly C[],
  doc: string,
  options?: O,
): Field<Given<C, O>> {
  return field<C, O>('choice', doc, options, { choices });
}

/** A list of values of one kind. */
export function list<T, const O extends Common<readonly T[]> & { min?: number; max?: number }>(
  element: Field<T>,
  doc: string,
  options?: O,
): Field<Given<readonly T[], O>> {
  return field<readonly T[], O>('list', doc, options, { ...numberLimits(options), element });
}

/** Names to values of one kind. */
export function map<T, const O extends Common<Readonly<Record<string, T>>>>(
  element: Field<T>,
  doc: string,
  options?: O,
): Field<Given<Readonly<Record<string, T>>, O>> {
  return field<Readonly<Record<string, T>>, O>('map', doc, options, { element });
}

/** A fixed set of settings below one name. */
export function group<const F extends Fields, const O extends Common<Settings<F>>>(
  fields: F,
  doc: string,
  options?: O,
): Field<Given<Settings<F>, O>> {
  return field<Settings<F>, O>('group', doc, options, { fields });
}

/** Any YAML value, for settings that are data. */
export function json<const O extends Common<Json>>(doc: string, options?: O): Field<Given<Json, O>> {
  return field<Json, O>('json', doc, options, {});
}

function numberLimits(options: { min?: number; max?: number; unit?: string } | undefined): FieldLimits {
  const { min, max, unit } = options ?? {};
  return {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(unit === undefined ? {} : { unit }),
  };
}
