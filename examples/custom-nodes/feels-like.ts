/** A function: how cold it feels in the wind (the formula of the Canadian and US weather services). */
import { batchFunction, integer } from '@reef/engine';

export default batchFunction({
  summary: 'Adds the column feels_like_c from temperature and wind; rejects impossible temperatures.',
  settings: {
    decimals: integer('Digits behind the point.', { default: 1, min: 0, max: 6 }),
  },
  security: 'It sees only its rows.',
  examples: [{ title: 'Whole degrees', yaml: 'id: feels\nkind: function\ntype: ./feels-like.ts\nsettings: { decimals: 0 }\n' }],
  reads: () => ['temperature_c', 'wind_kmh'],
  writes: () => [{ name: 'feels_like_c', type: 'float' }],
  open: ({ settings }) => {
    const scale = 10 ** settings.decimals;
    return {
      apply(batch) {
        // Rows without a number there are rejected by these calls, so the rows are asked for behind them.
        const temperature = batch.column('temperature_c').f64();
        const wind = batch.column('wind_kmh').f64();
        const feels = new Float64Array(batch.size);
        for (const row of batch.rows) {
          const [t, w] = [temperature[row]!, wind[row]!];
          if (t < -100 || t > 70) batch.reject(row, `temperature_c is ${t}, expected -100 to 70`);
          feels[row] = Math.round(feelsLike(t, w) * scale) / scale;
        }
        batch.set('feels_like_c', { float: feels });
      },
    };
  },
});

function feelsLike(temperature: number, wind: number): number {
  if (temperature > 10 || wind < 4.8) return temperature;
  const w = wind ** 0.16;
  return 13.12 + 0.6215 * temperature - 11.37 * w + 0.3965 * temperature * w;
}
