import { list, text } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import { rowsOnly } from '../spec/security.ts';

export default batchFunction({
  summary: 'Removes the named columns.',
  settings: {
    columns: list(text('Name of a column.'), 'The columns that go. A row that does not have one is left as it is.', { min: 1 }),
  },
  security: rowsOnly,
  examples: [
    {
      title: 'Without the raw message',
      yaml: 'id: slim\nkind: function\ntype: drop\nsettings:\n  columns: [raw_message]\n',
      input: [{ host: 'web1', level: 'info', raw_message: '<14> ready' }, { host: 'web2' }],
    },
  ],
  reads: () => [],
  writes: () => [],
  removes: ({ columns }) => columns,
  open: ({ settings: { columns } }) => ({
    apply: (batch) => {
      for (const column of columns) batch.drop(column);
    },
  }),
});
