import { isRequired } from './describe.ts';
import type { Field, Fields } from './fields.ts';
import type { Json } from './plan.ts';

type Schema = { readonly [key: string]: Json };

/** The settings as JSON Schema (draft 2020-12), for editors and forms. */
export function toJsonSchema(fields: Fields): Schema {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...groupSchema(fields) };
}

function groupSchema(fields: Fields): Schema {
  const entries = Object.entries(fields);
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, field]) => [name, fieldSchema(field)])),
    required: entries.filter(([, field]) => isRequired(field)).map(([name]) => name),
    additionalProperties: false,
  };
}

function fieldSchema(field: Field<unknown>): Schema {
  return {
    ...valueSchema(field),
    description: field.limits.unit === undefined ? field.doc : `${field.doc} Unit: ${field.limits.unit}.`,
    ...(field.default === undefined ? {} : { default: field.default as Json }),
  };
}

function valueSchema(field: Field<unknown>): Schema {
  const { min, max, pattern, choices, element, fields, secret } = field.limits;
  const bounds = (lower: string, upper: string): Schema => ({
    ...(min === undefined ? {} : { [lower]: min }),
    ...(max === undefined ? {} : { [upper]: max }),
  });
  switch (field.kind) {
    case 'text':
      // Editors show it as dots, and know that it is never given back.
      if (secret) return { type: 'string', format: 'password', writeOnly: true };
      return pattern ? { type: 'string', pattern: pattern.source } : { type: 'string' };
    case 'integer':
    case 'number':
      return { type: field.kind, ...bounds('minimum', 'maximum') };
    case 'flag':
      return { type: 'boolean' };
    case 'choice':
      return { enum: choices! };
    case 'list':
      return { type: 'array', items: fieldSchema(element!), ...bounds('minItems', 'maxItems') };
    case 'map':
      return { type: 'object', additionalProperties: fieldSchema(element!) };
    case 'group':
      return groupSchema(fields!);
    case 'json':
      return {};
  }
}
