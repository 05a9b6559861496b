/** A function that does nothing: behind it, rows of an error table can go to two places. */
import { batchFunction } from '../../spec/function.ts';

export default batchFunction({
  summary: 'Passes rows on.',
  settings: {},
  examples: [],
  reads: () => [],
  writes: () => [],
  open: () => ({ apply() {} }),
});
