import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe } from './describe.ts';
import { choice, group, integer, list, map, text } from './fields.ts';
import { toJsonSchema } from './json-schema.ts';

const fields = {
  mode: choice(['a', 'b'], 'A mode.', { default: 'a' }),
  parts: list(
    group({ name: text('A name.'), size: integer('A size.', { optional: true, min: 1, unit: 'bytes' }) }, 'A part.'),
    'Parts.',
  ),
  labels: map(text('A label.'), 'Labels.', { optional: true }),
};

test('a settings table names types, defaults and what lists hold', () => {
  assert.deepEqual(describe(fields), [
    { name: 'mode', type: 'a | b', required: false, default: 'a', doc: 'A mode.' },
    { name: 'parts', type: 'list of group', required: true, doc: 'Parts.' },
    { name: 'parts[].name', type: 'text', required: true, doc: 'A name.' },
    { name: 'parts[].size', type: 'integer', required: false, unit: 'bytes', range: 'of at least 1', doc: 'A size.' },
    { name: 'labels', type: 'map of text', required: false, doc: 'Labels.' },
  ]);
});

test('the JSON Schema says the same', () => {
  assert.deepEqual(toJsonSchema(fields), {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    additionalProperties: false,
    required: ['parts'],
    properties: {
      mode: { enum: ['a', 'b'], description: 'A mode.', default: 'a' },
      parts: {
        type: 'array',
        description: 'Parts.',
        items: {
          type: 'object',
          description: 'A part.',
          additionalProperties: false,
          required: ['name'],
          properties: {
            name: { type: 'string', description: 'A name.' },
            size: { type: 'integer', minimum: 1, description: 'A size. Unit: bytes.' },
          },
        },
      },
      labels: { type: 'object', description: 'Labels.', additionalProperties: { type: 'string', description: 'A label.' } },
    },
  });
});
