import type { Metrics } from '../pipeline/metrics.ts';
import type { Json } from '../spec/plan.ts';
import { bytes, duration, short, whole } from './format.ts';

export interface Usage {
  readonly seconds: number;
  /** CPU time of the whole process, start-up included. */
  readonly cpuSeconds: number;
  /** Of the whole machine, while the process ran; `undefined` where it cannot be read. */
  readonly joules: number | undefined;
  readonly peakBytes: number;
}

/** Rows from which on costs are also told per million rows. */
const WORTH_DIVIDING = 100_000;

/** What a run has done and what it cost, for people. `deadLetters`: the sink that stands for the dead-letter file, and its path. */
export function renderSummary(
  name: string,
  outcome: string,
  metrics: Metrics,
  usage: Usage,
  deadLetters: { readonly id: string; readonly path: string },
): string {
  const { rowsIn, bytesIn, rejected, malformed, notObject, filtered, nowhere, rejectedBy } = metrics;
  // Of few rows this would only tell what the start costs.
  const perMillion = (value: number, unit: string): string =>
    rowsIn < WORTH_DIVIDING ? '' : `, ${short((value / rowsIn) * 1e6)} ${unit} per million rows`;
  const lines = [['rows', `${whole(rowsIn)} in`]];
  for (const [id, { delivered, dropped }] of metrics.sinks) {
    const lost = dropped > 0 ? `, ${whole(dropped)} dropped: it was not ready for them` : '';
    if (id !== deadLetters.id) lines.push(['', `${whole(delivered)} to "${id}"${lost}`]);
  }
  if (filtered > 0) lines.push(['', `${whole(filtered)} filtered`]);
  if (nowhere > 0) lines.push(['', `${whole(nowhere)} routed to a table that no out has`]);
  lines.push(['', `${whole(rejected)} rejected${rejected > 0 ? ` (${rejectedReasons(rejectedBy, malformed, notObject)})` : ''}`]);
  const dead = metrics.sinks.get(deadLetters.id)?.delivered ?? 0;
  if (dead > 0) lines.push(['', `${whole(dead)} of them in ${deadLetters.path}`]);
  for (const { node, what, rows } of metrics.notices.values()) lines.push(['', `${whole(rows)} at "${node}" with ${what}`]);
  lines.push(['speed', `${short(rowsIn / usage.seconds)} rows/s, ${bytes(bytesIn / usage.seconds)}/s`]);
  lines.push(['CPU', `${short(usage.cpuSeconds)} s${perMillion(usage.cpuSeconds, 's')}`]);
  if (usage.joules !== undefined) {
    lines.push(['energy', `${short(usage.joules)} J${perMillion(usage.joules, 'J')} (the whole processor)`]);
  }
  lines.push(['memory', `${bytes(usage.peakBytes)} at most`]);
  const title = `${name}: ${outcome} in ${duration(usage.seconds)}`;
  return `${[title, ...lines.map(([label, text]) => `  ${label!.padEnd(8)}${text}`)].join('\n')}\n`;
}

/** The same for machines. Names do not change. */
export function summaryFigures(
  { outcome, exitCode }: { readonly outcome: string; readonly exitCode: number },
  metrics: Metrics,
  usage: Usage,
  deadLetters: { readonly id: string; readonly path: string },
): Json {
  const { rowsIn, bytesIn, malformed, notObject, filtered, nowhere, rejected } = metrics;
  const sinks = [...metrics.sinks].filter(([id]) => id !== deadLetters.id);
  return {
    outcome,
    exit_code: exitCode,
    rows_in: rowsIn,
    bytes_in: bytesIn,
    sinks: Object.fromEntries(sinks.map(([id, { delivered, dropped, retries }]) => [id, { delivered, dropped, retries }])),
    filtered,
    nowhere,
    malformed,
    not_object: notObject,
    rejected,
    rejected_by: Object.fromEntries(metrics.rejectedBy),
    dead_letters: metrics.sinks.get(deadLetters.id)?.delivered ?? 0,
    dead_letters_file: deadLetters.path,
    notices: [...metrics.notices.values()].map(({ node, what, rows }) => ({ node, what, rows })),
    seconds: usage.seconds,
    cpu_seconds: usage.cpuSeconds,
    ...(usage.joules === undefined ? {} : { joules: usage.joules }),
    peak_bytes: usage.peakBytes,
  };
}

function rejectedReasons(by: ReadonlyMap<string, number>, malformed: number, notObject: number): string {
  const where = Array.from(by, ([node, rows]) => `${whole(rows)} at "${node}"`).join(', ');
  const kinds = [
    malformed > 0 ? `${whole(malformed)} not valid` : '',
    notObject > 0 ? `${whole(notObject)} valid but no object` : '',
  ];
  const shown = kinds.filter(Boolean).join(', ');
  return shown === '' ? where : `${where}; of these ${shown}`;
}
