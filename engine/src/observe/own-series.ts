import { OWN_METRIC_PREFIX } from '../spec/own-metrics.ts';
import type { Series } from './series.ts';
import type { Watched } from './watched.ts';

/** What node types count of their own. Of several types with one name the first says what it is: a series has one HELP. */
export function ownSeries(watched: readonly Watched[]): Series[] {
  const helps = new Map<string, string>();
  for (const { running } of watched) {
    for (const [name, { help }] of running.metrics.own) if (!helps.has(name)) helps.set(name, help);
  }
  return Array.from(helps, ([name, help]) => ({
    name: `${OWN_METRIC_PREFIX}${name}`,
    type: 'counter',
    help,
    samples: ({ running }) => Array.from(running.metrics.own.get(name)?.byNode ?? [], ([node, sum]) => [{ node }, sum] as const),
  }));
}
