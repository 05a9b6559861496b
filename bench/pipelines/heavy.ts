/** A function that costs more than reading and writing its rows do: some rounds of integer mixing a row. */
import { batchFunction } from '@reef/engine';

const ROUNDS = 1500;

export default batchFunction({
  summary: 'Adds the column mixed, a number that takes its time.',
  settings: {},
  examples: [],
  reads: () => ['creation_timestamp'],
  writes: () => [{ name: 'mixed', type: 'float' }],
  open: () => ({
    apply(batch) {
      const times = batch.column('creation_timestamp').f64();
      const mixed = new Float64Array(batch.size);
      for (const row of batch.rows) mixed[row] = mix(times[row]! | 0);
      batch.set('mixed', { float: mixed });
    },
  }),
});

function mix(value: number): number {
  for (let round = 0; round < ROUNDS; round++) value = (Math.imul(value ^ (value >>> 15), 0x2c1b3c6d) + round) | 0;
  return value >>> 0;
}
