import { list, text } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import { rowsOnly } from '../spec/security.ts';

export default batchFunction({
  summary: 'Leaves only the named columns, in their order.',
  settings: {
    columns: list(text('Name of a column.'), 'The columns that stay. One that a row does not have stays absent.', { min: 1 }),
  },
  security: rowsOnly,
  examples: [
    {
      title: 'Two columns',
      yaml: 'id: slim\nkind: function\ntype: select\nsettings:\n  columns: [place, magnitude]\n',
      input: [
        { id: 'us1', magnitude: 6.4, place: 'Hualian' },
        { id: 'us2', magnitude: 2 },
      ],
    },
  ],
  reads: ({ columns }) => columns,
  writes: () => [],
  keeps: ({ columns }) => columns,
  open: ({ settings: { columns } }) => ({ apply: (batch) => batch.select(columns) }),
});
