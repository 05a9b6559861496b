import type { ColumnType } from '../spec/column-type.ts';
import { json, map } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import type { Json } from '../spec/plan.ts';
import { rowsOnly } from '../spec/security.ts';

export default batchFunction({
  summary: 'Adds columns with constant values to every row.',
  settings: {
    fields: map(
      json('The value, the same in every row.'),
      'Names of columns and their values. A column that a row has already is replaced.',
    ),
  },
  security: rowsOnly,
  examples: [
    {
      title: 'Say where rows come from',
      yaml: 'id: site\nkind: function\ntype: enrich_field\nsettings:\n  fields:\n    site: cancale\n    zone: 7\n',
      input: [{ bird: 'gull' }, { bird: 'tern', zone: 3 }],
    },
  ],
  reads: () => [],
  writes: ({ fields }) => Object.entries(fields).map(([name, value]) => ({ name, type: typeOf(value) })),
  open: ({ settings: { fields } }) => ({
    apply: (batch) => {
      for (const [name, constant] of Object.entries(fields)) batch.set(name, { constant });
    },
  }),
});

function typeOf(value: Json): ColumnType {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'float';
  return 'any';
}
