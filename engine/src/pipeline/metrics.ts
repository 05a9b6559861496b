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
  /** Rows that came to each function, by its id. */
  readonly entered: Map<string, number>;
  /** Rows that functions had something to say of, by node and what it is. */
  readonly notices: Map<string, { readonly node: string; readonly what: string; rows: number }>;
  readonly sinks: Map<string, SinkMetrics>;
  batches: number;
  workersStarted: number;
  workersDied: number;
}

/** What is counted of one sink. */
export interface SinkMetrics {
  /** Rows that reached it, and rows that it has confirmed. */
  reached: number;
  delivered: number;
  /** Rows that a sink that nobody waits for did not take in time. */
  dropped: number;
  /** Sends that failed and were tried again. */
  retries: number;
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
    entered: new Map(),
    notices: new Map(),
    sinks: new Map(),
    batches: 0,
    workersStarted: 0,
    workersDied: 0,
  };
}
