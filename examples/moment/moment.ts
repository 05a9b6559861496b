/** Says which moment of the day (UTC) a Unix time in seconds is: "midnight", "midday", "night" or "day". */
import { batchFunction } from '@reef/engine';

const moments = ['midnight', 'midday', 'night', 'day'];
const MIDNIGHT = 0;
const MIDDAY = 1;
const NIGHT = 2;
const DAY = 3;
const SECONDS_PER_DAY = 86_400;

export default batchFunction({
  summary: 'Adds the moment of the day of `creation_timestamp` (Unix seconds, UTC).',
  settings: {},
  examples: [],
  reads: () => ['creation_timestamp'],
  writes: () => [{ name: 'moment', type: 'string' }],
  open: () => ({
    apply(batch) {
      // Rows without an integer there are rejected by this call, so the rows are asked for behind it.
      const timestamps = batch.column('creation_timestamp').i64();
      const index = new Uint8Array(batch.size);
      for (const row of batch.rows) index[row] = momentOf(Number(timestamps[row]));
      batch.set('moment', { dictionary: moments, index });
    },
  }),
});

function momentOf(timestamp: number): number {
  // Rounding down, so that times before 1970 count from midnight as well.
  const second = timestamp - Math.floor(timestamp / SECONDS_PER_DAY) * SECONDS_PER_DAY;
  const minute = Math.floor(second / 60);
  if (minute === 0) return MIDNIGHT;
  if (minute === 12 * 60) return MIDDAY;
  return minute < 9 * 60 || minute >= 20 * 60 ? NIGHT : DAY;
}
