/** `reef top` as text: a line for each punchline, and below it one for each of its nodes. */
import { bytes, duration, short, whole } from './format.ts';
import { type NodeSnapshot, quantile, type Snapshot } from './snapshot.ts';

/** What has happened between two looks, or since the start. */
export interface Span {
  readonly now: Snapshot;
  readonly before?: Snapshot | undefined;
  readonly seconds: number;
}

const HEAD = ['node', 'type', 'in/s', 'out/s', 'rejected', 'retries', 'waiting', 'p50', 'p99', 'CPU'];

/** Lines without their ends; columns of all punchlines stand one below the other. */
export function topLines(spans: readonly Span[]): string[] {
  const rows = spans.map(({ now, before, seconds }) => now.nodes.map((node) => cells(node, nodeBefore(before, node), seconds)));
  const all = [HEAD, ...rows.flat()];
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ');
  return spans.flatMap((span, index) => [
    ...(index > 0 ? [''] : []),
    title(span),
    line(HEAD),
    ...rows[index]!.map(line),
    ...troubles(span.now),
  ]);
}

function nodeBefore(before: Snapshot | undefined, { id }: NodeSnapshot): NodeSnapshot | undefined {
  return before?.nodes.find((node) => node.id === id);
}

function title({ now, before, seconds }: Span): string {
  const cpu = (now.process.cpuSeconds - (before?.process.cpuSeconds ?? 0)) / seconds;
  const { inputSlots, outputSlots, workers } = now.gauges;
  return [
    `${now.punchline}: ${now.phase}`,
    `process ${now.pid}`,
    `up ${duration(Math.round(now.process.uptimeSeconds))}`,
    `CPU ${percent(cpu)}`,
    `memory ${bytes(now.process.memoryBytes)}`,
    `${workers === 1 ? '1 worker' : `${workers} workers`}`,
    `slots ${inputSlots.used}/${inputSlots.size} in, ${outputSlots.used}/${outputSlots.size} out`,
  ].join('  ');
}

function cells(now: NodeSnapshot, before: NodeSnapshot | undefined, seconds: number): string[] {
  const rate = (key: 'rowsIn' | 'rowsOut'): string => short((now[key] - (before?.[key] ?? 0)) / seconds);
  // Of what came in between; where nothing did, of all.
  const between = now.latency.map((count, bucket) => count - (before?.latency[bucket] ?? 0));
  const latency = between.some((count) => count > 0) ? between : now.latency;
  const isFunction = now.kind === 'function';
  return [
    now.id,
    now.type.startsWith('file:') ? now.type.slice(now.type.lastIndexOf('/') + 1) : now.type,
    rate('rowsIn'),
    rate('rowsOut'),
    whole(now.rejected + now.dropped),
    now.kind === 'sink' ? whole(now.retries) : '',
    now.kind === 'sink' ? whole(now.waiting) : '',
    isFunction ? '' : time(quantile(latency, 0.5)),
    isFunction ? '' : time(quantile(latency, 0.99)),
    isFunction ? percent((now.cpuSeconds - (before?.cpuSeconds ?? 0)) / seconds) : '',
  ];
}

function troubles({ unready }: Snapshot): string[] {
  return unready.map(({ node, why }) => `! ${node} ${why}`);
}

/** Buckets have bounds, no more is known. */
function time(seconds: number | undefined): string {
  if (seconds === undefined) return '–';
  if (seconds === Number.POSITIVE_INFINITY) return '>60 s';
  return seconds < 1 ? `≤${Number((seconds * 1000).toPrecision(3))} ms` : `≤${seconds} s`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
