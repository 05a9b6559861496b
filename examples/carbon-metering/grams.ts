/** A function: the carbon dioxide that a machine is good for in half an hour, from the intensity of its grid. */
import { batchFunction, number } from '@reef/engine';

const HOURS = 0.5;

export default batchFunction({
  summary: 'Adds the column grams from `actual` (grams of CO₂ for a kilowatt-hour) and the power of a machine.',
  settings: {
    watts: number('Power of the machine.', { min: 0, unit: 'W' }),
  },
  security: 'It sees only its rows.',
  examples: [{ title: 'A small server', yaml: 'id: grams\nkind: function\ntype: ./grams.ts\nsettings: { watts: 120 }\n' }],
  reads: () => ['actual'],
  writes: () => [{ name: 'grams', type: 'float' }],
  open: ({ settings }) => ({
    apply(batch) {
      // Half hours that were not metered yet have no number there: they are rejected by this call.
      const actual = batch.column('actual').f64();
      const grams = new Float64Array(batch.size);
      for (const row of batch.rows) grams[row] = Math.round(actual[row]! * settings.watts * HOURS) / 1000;
      batch.set('grams', { float: grams });
    },
  }),
});
