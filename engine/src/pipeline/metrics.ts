import { Histogram } from './histogram.ts';

/** What a punchline counts while it runs. Rows and bytes are totals since this start. */
export interface Metrics {
  rowsIn: number;
  bytesIn: number;
  /** Bytes that the sources will feed in all, where known. */
  bytesTotal: number | undefined;
  malformed: number;
  notObject: number;
  filtered: number;
  /** Routed to a table that no edge has. */
  nowhere: number;
  rejected: number;
  readonly rejectedBy: Map<string, number>;
  readonly sources: Map<string, SourceMetrics>;
  readonly functions: Map<string, FunctionMetrics>;
  /** CPU time of the workers in all: decoding, functions, encoding. */
  workerCpuSeconds: number;
  /** Rows that functions had something to say of, by node and what it is. */
  readonly notices: Map<string, { readonly node: string; readonly what: string; rows: number }>;
  readonly sinks: Map<string, SinkMetrics>;
  /** What types count of their own, by name. */
  readonly own: Map<string, OwnMetric>;
  batches: number;
  workersStarted: number;
  workersDied: number;
}

export interface OwnMetric {
  /** The sentence of the first type that declares it. */
  readonly help: string;
  readonly byNode: Map<string, number>;
}

/** What is counted of one source. */
export interface SourceMetrics {
  rows: number;
  bytes: number;
  batches: number;
  /** Rows that could not be decoded. */
  undecodable: number;
  /** Of each batch: from when it was read until every required sink had it. */
  readonly latency: Histogram;
}

/** What is counted of one function. */
export interface FunctionMetrics {
  /** Rows that came to it, and that left it. */
  entered: number;
  left: number;
  cpuSeconds: number;
}

/** What is counted of one sink. */
export interface SinkMetrics {
  /** Rows that reached it, and rows that it has confirmed. */
  reached: number;
  delivered: number;
  /** Rows that a sink that nobody waits for did not take in time. */
  dropped: number;
  /** Sends that failed and were tried again. */
  readonly retries: number;
  /** Encoded bytes that it was given. */
  bytes: number;
  /** Stretches of rows that it was given and has not confirmed. */
  waiting: number;
  /** Of each such stretch: from when it was given until it was confirmed. */
  readonly latency: Histogram;
}

export function newSourceMetrics(): SourceMetrics {
  return { rows: 0, bytes: 0, batches: 0, undecodable: 0, latency: new Histogram() };
}

/** `retries`: asked whenever somebody looks. */
export function newSinkMetrics(retries: () => number = () => 0): SinkMetrics {
  return {
    reached: 0,
    delivered: 0,
    dropped: 0,
    get retries() {
      return retries();
    },
    bytes: 0,
    waiting: 0,
    latency: new Histogram(),
  };
}

export function newMetrics(): Metrics {
  return {
    rowsIn: 0,
    bytesIn: 0,
    bytesTotal: undefined,
    malformed: 0,
    notObject: 0,
    filtered: 0,
    nowhere: 0,
    rejected: 0,
    rejectedBy: new Map(),
    sources: new Map(),
    functions: new Map(),
    workerCpuSeconds: 0,
    notices: new Map(),
    sinks: new Map(),
    own: new Map(),
    batches: 0,
    workersStarted: 0,
    workersDied: 0,
  };
}

/** A series begins with 0, so that the first count is seen as a rise. */
export function addOwnMetrics({ own }: Metrics, node: string, declared: Readonly<Record<string, string>> = {}): void {
  for (const [name, help] of Object.entries(declared)) {
    const metric = own.get(name) ?? { help, byNode: new Map<string, number>() };
    metric.byNode.set(node, 0);
    own.set(name, metric);
  }
}

export function countOwn({ own }: Metrics, node: string, metric: string, by: number): void {
  const { byNode } = own.get(metric)!;
  byNode.set(node, byNode.get(node)! + by);
}
