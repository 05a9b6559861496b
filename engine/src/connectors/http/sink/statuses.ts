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
