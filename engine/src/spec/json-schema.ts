import { isRequired } from './describe.ts';
import type { Field, Fields } from './fields.ts';
import type { Json } from './plan.ts';

export type Schema = { readonly [key: string]: Json };

/** The settings as JSON Schema (draft 2020-12), for forms: what a node gets in the end. */
export function toJsonSchema(fields: Fields): Schema {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...groupSchema(fields, plain) };
}

/**
 * The settings as they may be written in a punchline: `a.b: x` for `a: {b: x}` and the other way round, and texts with variables in
 * the place of any value.
 */
export function writtenSchema(fields: Fields): Schema {
  return groupSchema(fields, written);
}

interface Style {
  /** What stands for a value beside itself. */
  value(schema: Schema): Schema;
  readonly dotted: boolean;
}

const plain: Style = { value: (schema) => schema, dotted: false };

const variable: Schema = { type: 'string', pattern: '\\$\\{' };
const written: Style = {
  value: (schema) => (schema.type === 'string' || Object.keys(schema).length === 0 ? schema : { anyOf: [schema, variable] }),
  dotted: true,
};

function groupSchema(fields: Fields, style: Style): Schema {
  const entries = Object.entries(fields);
  const properties = entries.map(([name, field]): [string, Schema] => [name, fieldSchema(field, style)]);
  const others = style.dotted ? otherSpellings(fields, style) : [];
  // What is required may stand under another spelling.
  const spelledOtherwise = (name: string): boolean =>
    others.some(([other]) => other.startsWith(`${name}.`) || name.startsWith(`${other}.`));
  return {
    type: 'object',
    properties: Object.fromEntries([...properties, ...others]),
    required: entries.filter(([name, field]) => isRequired(field) && !spelledOtherwise(name)).map(([name]) => name),
    additionalProperties: false,
  };
}

/** `limits.memory_bytes` for what stands in the group `limits`, and `bootstrap` as a map for a field called `bootstrap.servers`. */
function otherSpellings(fields: Fields, style: Style): [string, Schema][] {
  const nested = new Map<string, [string, Schema][]>();
  const dotted: [string, Schema][] = [];
  for (const [name, field] of Object.entries(fields)) {
    const inner = field.kind === 'group' ? (groupSchema(field.limits.fields!, style).properties as Record<string, Schema>) : {};
    for (const [key, schema] of Object.entries(inner)) dotted.push([`${name}.${key}`, schema]);
    const dot = name.indexOf('.');
    if (dot < 0 || Object.hasOwn(fields, name.slice(0, dot))) continue;
    const prefix = name.slice(0, dot);
    nested.set(prefix, [...(nested.get(prefix) ?? []), [name.slice(dot + 1), fieldSchema(field, style)]]);
  }
  const maps = [...nested].map(([prefix, properties]): [string, Schema] => [
    prefix,
    { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false },
  ]);
  return [...dotted, ...maps];
}

function fieldSchema(field: Field<unknown>, style: Style): Schema {
  return {
    ...style.value(valueSchema(field, style)),
    description: field.limits.unit === undefined ? field.doc : `${field.doc} Unit: ${field.limits.unit}.`,
    ...(field.default === undefined ? {} : { default: field.default as Json }),
  };
}

function valueSchema(field: Field<unknown>, style: Style): Schema {
  const { min, max, pattern, choices, element, fields, secret } = field.limits;
  const bounds = (lower: string, upper: string): Schema => ({
    ...(min === undefined ? {} : { [lower]: min }),
    ...(max === undefined ? {} : { [upper]: max }),
  });
  switch (field.kind) {
    case 'text':
      // Editors show it as dots, and know that it is never given back.
      if (secret) return { type: 'string', format: 'password', writeOnly: true };
      if (!pattern) return { type: 'string' };
      return { type: 'string', pattern: style.dotted ? `(${pattern.source})|\\$\\{` : pattern.source };
    case 'integer':
    case 'number':
      return { type: field.kind, ...bounds('minimum', 'maximum') };
    case 'flag':
      return { type: 'boolean' };
    case 'choice':
      return { enum: choices! };
    case 'list':
      return { type: 'array', items: fieldSchema(element!, style), ...bounds('minItems', 'maxItems') };
    case 'map':
      return { type: 'object', additionalProperties: fieldSchema(element!, style) };
    case 'group':
      return groupSchema(fields!, style);
    case 'json':
      return {};
  }
}
