/** Prometheus' text format, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */
import { BUCKET_SECONDS, type Histogram } from '../pipeline/histogram.ts';
import { ownSeries } from './own-series.ts';
import { type ProcessFacts, processSeries } from './process-series.ts';
import { type Labels, series } from './series.ts';
import type { Watched } from './watched.ts';

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function exposition(watched: readonly Watched[], facts: ProcessFacts): string {
  let text = '';
  for (const { name, type, help, value, labels } of processSeries) {
    const number = value(facts);
    if (number !== undefined) text += `${head(name, type, help)}${line(name, labels?.(facts) ?? {}, number)}`;
  }
  const all = [...series, ...ownSeries(watched)];
  for (const { name, type, help, samples } of all) {
    let lines = '';
    for (const each of watched) {
      for (const [labels, value] of samples(each)) {
        const pairs = { punchline: each.name, ...labels };
        lines += typeof value === 'number' ? line(name, pairs, value) : histogramLines(name, pairs, value);
      }
    }
    if (lines !== '') text += `${head(name, type, help)}${lines}`;
  }
  return text;
}

function head(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
}

/** Buckets hold all that is below their bound, so each counts those before it as well. */
function histogramLines(name: string, labels: Labels, { counts, sumSeconds }: Histogram): string {
  let text = '';
  let total = 0;
  for (const [bucket, bound] of [...BUCKET_SECONDS, Number.POSITIVE_INFINITY].entries()) {
    total += counts[bucket]!;
    text += line(`${name}_bucket`, { ...labels, le: bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound) }, total);
  }
  return `${text}${line(`${name}_sum`, labels, sumSeconds)}${line(`${name}_count`, labels, total)}`;
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
