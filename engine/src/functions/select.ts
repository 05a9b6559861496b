import { list, text } from '../spec/fields.ts';
import { batchFunction } from '../spec/node.ts';

export default batchFunction({
  summary: 'Leaves only the named columns, in their order.',
  settings: {
    columns: list(text('Name of a column.'), 'The columns that stay. One that a row does not have stays absent.', { min: 1 }),
  },
  examples: [
    { title: 'Two columns', yaml: 'id: slim\nkind: function\ntype: select\nsettings:\n  columns: [place, magnitude]\n' },
  ],
  reads: ({ columns }) => columns,
  writes: () => [],
  keeps: ({ columns }) => columns,
  open: ({ settings: { columns } }) => ({ apply: (batch) => batch.select(columns) }),
});
