/**
 * What decoding, columns and encoding cost by themselves: CPU time per row on rows of some 160 bytes with 8 fields.
 * Prints figures, asserts nothing: `node bench/micro/batch.ts [seconds per line]`.
 */
import type { Batch } from '../../engine/src/batch/batch.ts';
import type { RowView } from '../../engine/src/batch/row-batch.ts';
import { testBench } from '../../engine/src/batch/testing.ts';

const ROWS = 8192;
const seconds = Number(process.argv[2] ?? 0.5);

function row(i: number): string {
  return JSON.stringify({
    id: i,
    creation_timestamp: 1_700_000_000 + i * 37,
    magnitude: (i % 70) / 10,
    place: `${i % 97} km NE of Somewhere`,
    source_ip: `10.${i % 256}.${(i * 7) % 256}.3`,
    alert: i % 3 === 0,
    depth: i % 500,
    kind: 'quake',
  });
}

const text = `${Array.from({ length: ROWS }, (_, i) => row(i)).join('\n')}\n`;
const bytes = Buffer.byteLength(text);
const columns = ['creation_timestamp', 'moment', 'magnitude', 'place', 'source_ip', 'id', 'kind', 'depth'];
const bench = testBench({ columns, maxRows: ROWS, arena: 64, slot: 4 });

/** CPU nanoseconds per row of `run`, the best of several rounds. */
function measure(name: string, run: () => void, prepare: () => void = () => {}): void {
  let best = Number.POSITIVE_INFINITY;
  const stop = performance.now() + seconds * 1000;
  do {
    let spent = 0;
    for (let i = 0; i < 8; i++) {
      prepare();
      const before = process.cpuUsage();
      run();
      const used = process.cpuUsage(before);
      spent += used.user + used.system;
    }
    best = Math.min(best, spent / 8);
  } while (performance.now() < stop);
  const perRow = (best * 1000) / ROWS;
  const rate = (ROWS / best).toFixed(1).padStart(7);
  console.log(
    `${name.padEnd(52)} ${perRow.toFixed(1).padStart(7)} ns/row ${rate} M rows/s ${(bytes / best / 1000).toFixed(2).padStart(6)} GB/s`,
  );
}

const index = Uint8Array.from({ length: ROWS }, (_, i) => i & 3);
const integers = BigInt64Array.from({ length: ROWS }, (_, i) => BigInt(i * 1_000_003));
const floats = Float64Array.from({ length: ROWS }, (_, i) => i / 7);
const dictionary = ['midnight', 'midday', 'night', 'day'];
const networks = ['10.0.0.0/9', '192.168.0.0/16', 'fc00::/7'];

function encode(view: RowView, codec: 'json' | 'line' = 'json'): void {
  bench.encodeTo(view, { name: codec }, 0, ROWS, bench.output.start, bench.output.end, 0);
}

function moment(batch: Batch): void {
  const timestamps = batch.column('creation_timestamp').i64();
  const moments = new Uint8Array(batch.size);
  for (const at of batch.rows) {
    const timestamp = Number(timestamps[at]);
    const minute = Math.floor((timestamp - Math.floor(timestamp / 86_400) * 86_400) / 60);
    moments[at] = minute === 0 ? 0 : minute === 720 ? 1 : minute < 540 || minute >= 1200 ? 2 : 3;
  }
  batch.set('moment', { dictionary, index: moments });
}

console.log(`${ROWS} rows, ${(bytes / ROWS).toFixed(0)} bytes each, ${columns.length} key columns`);
bench.decode(text);
let view: RowView;
/** Makes what decodes the rows anew and changes them, outside the measurement. */
function fresh(change: (view: RowView) => void = () => {}): () => void {
  return () => {
    view = bench.decode(text).view;
    change(view);
  };
}

measure('decode', () => bench.decode(text));
measure('column().f64()', () => view.column('creation_timestamp').f64(), fresh());
measure('column().i64()', () => view.column('creation_timestamp').i64(), fresh());
measure('column().f64(), fractions', () => view.column('magnitude').f64(), fresh());
measure('column().equals()', () => view.column('kind').equals('quake'), fresh());
measure('column().matches(contains)', () => view.column('place').matches('Some', 'contains'), fresh());
measure('column().compare(number)', () => view.column('magnitude').compare(5), fresh());
measure('column().within(networks)', () => view.column('source_ip').within(networks), fresh());
measure(
  'column().string(row), all rows',
  () => {
    for (const at of view.rows) view.column('place').string(at);
  },
  fresh(),
);
measure('set dictionary', () => view.set('moment', { dictionary, index }), fresh());
measure('set integers', () => view.set('id', { integer: integers }), fresh());
measure('set floats', () => view.set('id', { float: floats }), fresh());
const strings = Array.from({ length: ROWS }, (_, i) => `text ${i} "quoted"`);
measure('set strings', () => view.set('place', { strings }), fresh());
measure('encode untouched', () => encode(view), fresh());
measure(
  'set dictionary, encode: append',
  () => {
    view.set('moment', { dictionary, index });
    encode(view);
  },
  fresh(),
);
measure(
  'encode: replace an integer',
  () => encode(view),
  fresh((changed) => changed.set('id', { integer: integers })),
);
measure(
  'encode: drop two',
  () => encode(view),
  fresh((changed) => {
    changed.drop('place');
    changed.drop('id');
  }),
);
measure(
  'encode: rename',
  () => encode(view),
  fresh((changed) => changed.rename('place', 'where')),
);
const projection = ['id', 'creation_timestamp', 'magnitude', 'place'].map((name) => ({ name, type: 'any' as const }));
measure('project 4 columns', () => view.project(projection), fresh());
measure(
  'encode: 4 columns',
  () => encode(view),
  fresh((changed) => changed.project(projection)),
);
const typed = [
  { name: 'id', type: 'integer' },
  { name: 'magnitude', type: 'float' },
  { name: 'place', type: 'string' },
  { name: 'depth', type: 'string' },
] as const;
measure('project 4 typed columns, one converted', () => view.project(typed), fresh());
measure('decode + moment + encode', () => {
  view = bench.decode(text).view;
  moment(view);
  encode(view);
});
