/** Zones of clocks: offsets from UTC, and names such as `Europe/Paris`, whose offset depends on the time. */
const offsetPattern = /^([+-])([01]\d|2[0-3]):([0-5]\d)$/;

/** Why `text` is no offset from UTC; `undefined` when it is one. */
export function offsetProblem(text: string): string | undefined {
  return offsetPattern.test(text) ? undefined : `is ${JSON.stringify(text)}, expected an offset such as +02:00 or -05:30`;
}

/** Seconds that clocks with this offset are ahead of UTC. */
export function offsetSeconds(text: string): number {
  const [, sign, hours, minutes] = offsetPattern.exec(text) ?? [];
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60);
}

export interface Zone {
  /** Seconds ahead of UTC where that is always the same. */
  readonly fixed: number | undefined;
  /**
   * Seconds that a clock of the zone which shows `local` (seconds as if it were UTC) is ahead of UTC. Of a time that comes twice the first
   * is meant, one that is left out is counted on.
   */
  offsetAt(local: number): number;
}

/** Why `text` is no zone; `undefined` when it is one. */
export function zoneProblem(text: string): string | undefined {
  try {
    zoneOf(text);
    return undefined;
  } catch {
    return `is ${JSON.stringify(text)}, expected UTC, an offset such as +02:00, or the name of a zone such as Europe/Paris`;
  }
}

/** Throws a `RangeError` when `text` is no zone. */
export function zoneOf(text: string): Zone {
  if (text === 'UTC') return fixedZone(0);
  return offsetPattern.test(text) ? fixedZone(offsetSeconds(text)) : namedZone(text);
}

function fixedZone(seconds: number): Zone {
  return { fixed: seconds, offsetAt: () => seconds };
}

const DAY = 86_400;
/** Offsets change at quarters of an hour at most. */
const STEP = 900;
const CACHED = 10_000;

function namedZone(name: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric', era: 'short' },
  });
  const offsetOf = (utc: number): number => {
    const parts = Object.fromEntries(format.formatToParts(utc * 1000).map(({ type, value }) => [type, value]));
    const year = parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year);
    const shown = new Date(0);
    shown.setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day));
    shown.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second));
    return shown.getTime() / 1000 - utc;
  };
  const find = (local: number): number => {
    const [before, behind] = [offsetOf(local - DAY), offsetOf(local + DAY)];
    if (before === behind || offsetOf(local - before) === before) return before;
    return offsetOf(local - behind) === behind ? behind : before;
  };
  const known = new Map<number, number>();
  const offsetAt = (local: number): number => {
    const step = Math.floor(local / STEP);
    let offset = known.get(step);
    if (offset === undefined) {
      if (known.size >= CACHED) known.clear();
      offset = find(step * STEP);
      known.set(step, offset);
    }
    return offset;
  };
  return { fixed: undefined, offsetAt };
}

/** As far as a time without a year can be from now, and some more: February 29 is up to eight years back. */
const REACH_BACK = 9 * 366 * DAY;
const REACH_AHEAD = 60 * DAY;

/** When the offset of a zone changes, for code that has no calendar of zones: times that are far from now get the nearest offset. */
export class ZoneTable {
  readonly #zone: Zone;
  #day = Number.NaN;
  #pairs: Float64Array = new Float64Array();

  constructor(zone: Zone) {
    this.#zone = zone;
  }

  /** Pairs: a second on the zone's clock, and the seconds ahead of UTC from then on; the last one begins at infinity. */
  around(now: number): Float64Array {
    const day = Math.floor(now / DAY);
    if (day !== this.#day) {
      this.#day = day;
      this.#pairs = Float64Array.from([...this.#changes(day * DAY), Infinity, 0]);
    }
    return this.#pairs;
  }

  #changes(now: number): number[] {
    const { fixed } = this.#zone;
    if (fixed !== undefined) return [-Infinity, fixed];
    let from = now - REACH_BACK;
    let offset = this.#zone.offsetAt(from);
    const pairs = [-Infinity, offset];
    for (; from < now + REACH_AHEAD; from += 7 * DAY) {
      if (this.#zone.offsetAt(from + 7 * DAY) === offset) continue;
      let [low, high] = [from, from + 7 * DAY];
      while (high - low > STEP) {
        const middle = low + Math.floor((high - low) / 2 / STEP) * STEP;
        if (this.#zone.offsetAt(middle) === offset) low = middle;
        else high = middle;
      }
      offset = this.#zone.offsetAt(high);
      pairs.push(high, offset);
    }
    return pairs;
  }
}
