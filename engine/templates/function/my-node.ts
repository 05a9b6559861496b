import { batchFunction, text } from '@reef/engine';

export default batchFunction({
  summary: 'Adds the column greeting.',
  settings: {
    word: text('What it greets with.', { default: 'Hello' }),
  },
  security: 'It sees only its rows.',
  examples: [],
  // The columns that apply may ask for, and those that it sets.
  reads: () => ['name'],
  writes: () => [{ name: 'greeting', type: 'string' }],
  open: ({ settings }) => ({
    // Called with some thousands of rows at once. Arrays are indexed by the number of the row.
    apply(batch) {
      const name = batch.column('name');
      const strings = new Array<string | undefined>(batch.size);
      for (const row of batch.rows) {
        const value = name.string(row);
        if (value === undefined) batch.reject(row, 'column name is missing or no text');
        else strings[row] = `${settings.word}, ${value}`;
      }
      batch.set('greeting', { strings });
    },
  }),
});
