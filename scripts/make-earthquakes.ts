/**
 * Makes examples/moment/earthquakes.jsonl from the npm package vega-datasets: one flat JSON row per event of the USGS feed, the
 * strongest first. `--check` only compares, for CI. Source and licence stand in examples/moment/README.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Event {
  readonly id: string;
  readonly properties: { readonly mag: number | null; readonly place: string; readonly time: number; readonly type: string };
  readonly geometry: { readonly coordinates: readonly [longitude: number, latitude: number, depth: number] };
}

const target = new URL('../examples/moment/earthquakes.jsonl', import.meta.url);
const feed = fileURLToPath(import.meta.resolve('vega-datasets')).replace(/build\/[^/]*$/, 'data/earthquakes.json');
const events = (JSON.parse(readFileSync(feed, 'utf8')) as { features: readonly Event[] }).features;
const rows = events
  .toSorted((a, b) => (b.properties.mag ?? 0) - (a.properties.mag ?? 0))
  .map(row)
  .join('');

if (!process.argv.includes('--check')) {
  writeFileSync(target, rows);
  console.log(`wrote ${events.length} rows, ${rows.length} bytes`);
} else if (readFileSync(target, 'utf8') !== rows) {
  console.error('examples/moment/earthquakes.jsonl is stale: run `node scripts/make-earthquakes.ts`.');
  process.exitCode = 1;
}

function row({ id, properties, geometry }: Event): string {
  const [longitude, latitude, depth] = geometry.coordinates;
  const flat = {
    id,
    creation_timestamp: Math.floor(properties.time / 1000),
    type: properties.type,
    magnitude: properties.mag,
    place: properties.place,
    latitude,
    longitude,
    depth,
  };
  return `${JSON.stringify(flat)}\n`;
}
