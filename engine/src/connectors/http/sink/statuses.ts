export type Statuses = (status: number) => boolean;

/** Reads `408, 5xx`; a string is the part that is no status. */
export function parseStatuses(text: string): Statuses | string {
  const single = new Set<number>();
  const hundreds = new Set<number>();
  for (const part of text.split(',').map((each) => each.trim())) {
    if (part === '' && text.trim() === '') break;
    if (/^[1-5]xx$/.test(part)) hundreds.add(Number(part[0]));
    else if (/^[1-5]\d\d$/.test(part)) single.add(Number(part));
    else return part;
  }
  return (status) => single.has(status) || hundreds.has(Math.floor(status / 100));
}

/** Milliseconds that a `Retry-After` asks for (seconds, or a date); `undefined` where there is none that can be read. */
export function retryAfterMs(value: string | undefined, now: number = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
