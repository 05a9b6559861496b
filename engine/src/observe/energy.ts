/**
 * Energy counters of the processor packages (Intel and AMD RAPL), as Linux shows them below /sys/class/powercap.
 * They count the whole machine, not this process, and are readable only with rights to it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/class/powercap';

interface Counter {
  readonly path: string;
  /** Where the counter starts again from 0, in microjoules. */
  readonly range: number;
  last: number;
}

export class EnergyMeter {
  readonly #counters: readonly Counter[];
  #microjoules = 0;

  private constructor(counters: readonly Counter[]) {
    this.#counters = counters;
  }

  /** `undefined` where there is no counter, or none that may be read. */
  static open(root = ROOT): EnergyMeter | undefined {
    try {
      const counters = readdirSync(root)
        .filter((name) => /^(intel|amd)-rapl:\d+$/.test(name))
        .map((name) => {
          const path = join(root, name, 'energy_uj');
          return { path, range: read(join(root, name, 'max_energy_range_uj')), last: read(path) };
        });
      return counters.length > 0 ? new EnergyMeter(counters) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Joules since `open`. To be called at least once per counter range (minutes to hours). */
  joules(): number {
    for (const counter of this.#counters) {
      const now = read(counter.path);
      this.#microjoules += now >= counter.last ? now - counter.last : counter.range - counter.last + now;
      counter.last = now;
    }
    return this.#microjoules / 1e6;
  }
}

function read(path: string): number {
  return Number(readFileSync(path, 'utf8'));
}
