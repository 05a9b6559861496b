/** What belongs to the process rather than to one of its punchlines. Names as Prometheus' client libraries have them. */
import type { EnergyMeter } from './energy.ts';

export interface ProcessFacts {
  readonly version: string;
  readonly energy: EnergyMeter | undefined;
}

interface ProcessSeries {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** `undefined`: it cannot be known here. */
  value(facts: ProcessFacts): number | undefined;
  labels?(facts: ProcessFacts): Readonly<Record<string, string>>;
}

export const processSeries: readonly ProcessSeries[] = [
  {
    name: 'reef_build_info',
    type: 'gauge',
    help: 'Always 1: its labels say which Reef and Node run.',
    value: () => 1,
    labels: ({ version }) => ({ version, node: process.version }),
  },
  {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'CPU time of the process, user and system, all threads.',
    value: () => cpuSeconds(),
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Memory of the process that is in use.',
    value: () => process.memoryUsage.rss(),
  },
  {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'When the process was started, in seconds since 1970.',
    value: () => Date.now() / 1000 - process.uptime(),
  },
  {
    name: 'reef_energy_joules_total',
    type: 'counter',
    help: 'Energy of the whole machine since the start, where the processor tells it (RAPL).',
    value: ({ energy }) => energy?.joules(),
  },
];

export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
