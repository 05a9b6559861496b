/**
 * Every series that Reef shows, defined once: the endpoint, the push gateway and a test of the docs read this. Names follow
 * Prometheus' conventions (https://prometheus.io/docs/practices/naming/): base units, `_total` on what only grows.
 */
import type { Histogram } from '../pipeline/histogram.ts';
import type { FunctionMetrics, SinkMetrics, SourceMetrics } from '../pipeline/metrics.ts';
import type { SlotUse } from '../pipeline/running.ts';
import type { Watched } from './watched.ts';

export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number | Histogram];

export interface Series {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Of one punchline; the label `punchline` is added. */
  samples(watched: Watched): Iterable<Sample>;
}

type Define = (name: string, help: string, samples: Series['samples']) => Series;

const counter: Define = (name, help, samples) => ({ name, type: 'counter', help, samples });
const gauge: Define = (name, help, samples) => ({ name, type: 'gauge', help, samples });
const histogram: Define = (name, help, samples) => ({ name, type: 'histogram', help, samples });

function perNode<M>(metrics: ReadonlyMap<string, M>, value: (metrics: M) => number | Histogram): Sample[] {
  return Array.from(metrics, ([node, own]) => [{ node }, value(own)]);
}

const ofSources =
  (value: (source: SourceMetrics) => number | Histogram): Series['samples'] =>
  ({ running }) =>
    perNode(running.metrics.sources, value);
const ofFunctions =
  (value: (own: FunctionMetrics) => number): Series['samples'] =>
  ({ running }) =>
    perNode(running.metrics.functions, value);
const ofSinks =
  (value: (sink: SinkMetrics) => number | Histogram): Series['samples'] =>
  ({ running }) =>
    perNode(running.metrics.sinks, value);
const ofPunchline =
  (value: (watched: Watched) => number): Series['samples'] =>
  (watched) => [[{}, value(watched)]];
const ofSlots =
  (value: (use: SlotUse) => number): Series['samples'] =>
  ({ running: { gauges } }) => [
    [{ pool: 'input' }, value(gauges.inputSlots)],
    [{ pool: 'output' }, value(gauges.outputSlots)],
  ];

export const series: readonly Series[] = [
  counter(
    'reef_source_rows_total',
    'Rows that a source has read, bad ones included.',
    ofSources(({ rows }) => rows),
  ),
  counter(
    'reef_source_bytes_total',
    'Bytes that a source has read.',
    ofSources(({ bytes }) => bytes),
  ),
  counter(
    'reef_source_batches_total',
    'Batches that were cut of what a source has read.',
    ofSources(({ batches }) => batches),
  ),
  counter(
    'reef_source_undecodable_rows_total',
    'Rows that could not be decoded.',
    ofSources(({ undecodable }) => undecodable),
  ),
  histogram(
    'reef_source_delivery_seconds',
    'Of each batch: from when it was read until every required sink had it.',
    ofSources(({ latency }) => latency),
  ),
  counter(
    'reef_function_rows_in_total',
    'Rows that came to a function.',
    ofFunctions(({ entered }) => entered),
  ),
  counter(
    'reef_function_rows_out_total',
    'Rows that left a function.',
    ofFunctions(({ left }) => left),
  ),
  counter(
    'reef_function_cpu_seconds_total',
    'CPU time of the workers in a function.',
    ofFunctions((own) => own.cpuSeconds),
  ),
  counter(
    'reef_sink_rows_in_total',
    'Rows that came to a sink.',
    ofSinks(({ reached }) => reached),
  ),
  counter(
    'reef_sink_rows_delivered_total',
    'Rows that a sink has confirmed.',
    ofSinks(({ delivered }) => delivered),
  ),
  counter(
    'reef_sink_rows_dropped_total',
    'Rows that a best_effort sink did not take in time.',
    ofSinks(({ dropped }) => dropped),
  ),
  counter(
    'reef_sink_bytes_total',
    'Encoded bytes that came to a sink.',
    ofSinks(({ bytes }) => bytes),
  ),
  counter(
    'reef_sink_retries_total',
    'Sends that failed and were tried again.',
    ofSinks(({ retries }) => retries),
  ),
  gauge(
    'reef_sink_waiting_chunks',
    'Stretches of rows that a sink was given and has not confirmed.',
    ofSinks((own) => own.waiting),
  ),
  histogram(
    'reef_sink_delivery_seconds',
    'Of each stretch of rows: from when a sink was given it until it was confirmed.',
    ofSinks(({ latency }) => latency),
  ),
  counter('reef_rejected_rows_total', 'Rows that went to an error table or the dead letters, by who rejected them.', (watched) =>
    perNode(watched.running.metrics.rejectedBy, (rows) => rows),
  ),
  counter(
    'reef_filtered_rows_total',
    'Rows that functions left out.',
    ofPunchline(({ running }) => running.metrics.filtered),
  ),
  counter(
    'reef_unrouted_rows_total',
    'Rows that were routed to a table that no out has.',
    ofPunchline(({ running }) => running.metrics.nowhere),
  ),
  counter('reef_noticed_rows_total', 'Rows that a function had something to say of, by what that is.', ({ running }) =>
    Array.from(running.metrics.notices.values(), ({ node, what, rows }) => [{ node, what }, rows]),
  ),
  gauge(
    'reef_workers',
    'Worker threads that there are now.',
    ofPunchline(({ running }) => running.gauges.workers),
  ),
  counter(
    'reef_workers_started_total',
    'Worker threads that were started.',
    ofPunchline(({ running }) => running.metrics.workersStarted),
  ),
  counter(
    'reef_workers_died_total',
    'Worker threads that have died.',
    ofPunchline(({ running }) => running.metrics.workersDied),
  ),
  counter(
    'reef_worker_cpu_seconds_total',
    'CPU time of the workers in all: decoding, functions, encoding.',
    ofPunchline(({ running }) => running.metrics.workerCpuSeconds),
  ),
  gauge(
    'reef_queued_batches',
    'Batches that no worker has begun.',
    ofPunchline(({ running }) => running.gauges.queuedBatches),
  ),
  gauge(
    'reef_slots',
    'Pieces of memory that rows can be in.',
    ofSlots(({ size }) => size),
  ),
  gauge(
    'reef_slots_used',
    'Pieces of memory that rows are in.',
    ofSlots(({ used }) => used),
  ),
  gauge(
    'reef_slots_waiting',
    'Partitions and workers that wait for such a piece.',
    ofSlots(({ waiting }) => waiting),
  ),
  gauge(
    'reef_running',
    '1: rows flow; 0: it is being opened, or asked to end.',
    ofPunchline(({ running }) => (running.phase === 'running' ? 1 : 0)),
  ),
];
