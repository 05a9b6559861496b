/** What `reef top` is told of a running punchline: plain JSON, totals since its start. */
import { BUCKET_SECONDS, type Histogram } from '../pipeline/histogram.ts';
import type { Gauges, Phase } from '../pipeline/running.ts';
import { cpuSeconds } from './process-series.ts';
import type { Watched } from './watched.ts';

export interface Snapshot {
  readonly punchline: string;
  readonly pid: number;
  readonly phase: Phase;
  readonly unready: readonly { readonly node: string; readonly why: string }[];
  readonly nodes: readonly NodeSnapshot[];
  readonly gauges: Gauges;
  readonly process: { readonly cpuSeconds: number; readonly memoryBytes: number; readonly uptimeSeconds: number };
}

export interface NodeSnapshot {
  readonly id: string;
  readonly kind: 'source' | 'function' | 'sink';
  readonly type: string;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly rejected: number;
  readonly dropped: number;
  readonly retries: number;
  /** Stretches of rows that a sink has not confirmed. */
  readonly waiting: number;
  /** Of functions. */
  readonly cpuSeconds: number;
  /** By bucket of {@link BUCKET_SECONDS}, not added up; of sources and sinks. */
  readonly latency: readonly number[];
}

export function snapshot({ name, running }: Watched): Snapshot {
  return {
    punchline: name,
    pid: process.pid,
    phase: running.phase,
    unready: running.unready,
    nodes: running.nodes.map((node) => ({ ...node, ...nodeFigures(running, node) })),
    gauges: running.gauges,
    process: { cpuSeconds: cpuSeconds(), memoryBytes: process.memoryUsage.rss(), uptimeSeconds: process.uptime() },
  };
}

type Figures = Omit<NodeSnapshot, 'id' | 'kind' | 'type'>;

function nodeFigures(
  { metrics }: Watched['running'],
  { id, kind }: { readonly id: string; readonly kind: NodeSnapshot['kind'] },
): Figures {
  const none: Figures = {
    rowsIn: 0,
    rowsOut: 0,
    rejected: metrics.rejectedBy.get(id) ?? 0,
    dropped: 0,
    retries: 0,
    waiting: 0,
    cpuSeconds: 0,
    latency: [],
  };
  switch (kind) {
    case 'source': {
      const own = metrics.sources.get(id);
      return own ? { ...none, rowsIn: own.rows, rowsOut: own.rows - own.undecodable, latency: [...own.latency.counts] } : none;
    }
    case 'function': {
      const own = metrics.functions.get(id);
      return own ? { ...none, rowsIn: own.entered, rowsOut: own.left, cpuSeconds: own.cpuSeconds } : none;
    }
    case 'sink': {
      const own = metrics.sinks.get(id);
      if (!own) return none;
      const { reached, delivered, dropped, retries, waiting, latency } = own;
      return { ...none, rowsIn: reached, rowsOut: delivered, dropped, retries, waiting, latency: [...latency.counts] };
    }
  }
}

/** The time that `share` of what is in the buckets took at most: the bound of its bucket; `undefined`: there is nothing. */
export function quantile(counts: readonly number[] | Histogram['counts'], share: number): number | undefined {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return undefined;
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    below += count;
    if (below >= share * total) return BUCKET_SECONDS[bucket] ?? Number.POSITIVE_INFINITY;
  }
  return Number.POSITIVE_INFINITY;
}
