/** Java's date patterns, as far as Punch's files use them, in UTC. */
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

type Part = (date: Date) => string;

const digits = (value: number, length: number): string => String(value).padStart(length, '0');

const parts: Readonly<Record<string, (length: number) => Part>> = {
  y: (length) => (date) => (length === 2 ? digits(date.getUTCFullYear() % 100, 2) : digits(date.getUTCFullYear(), length)),
  M: (length) => (date) => {
    const name = months[date.getUTCMonth()]!;
    if (length >= 4) return name;
    return length === 3 ? name.slice(0, 3) : digits(date.getUTCMonth() + 1, length);
  },
  d: (length) => (date) => digits(date.getUTCDate(), length),
  E: (length) => (date) => (length >= 4 ? days[date.getUTCDay()]! : days[date.getUTCDay()]!.slice(0, 3)),
  H: (length) => (date) => digits(date.getUTCHours(), length),
  h: (length) => (date) => digits(date.getUTCHours() % 12 || 12, length),
  a: () => (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  m: (length) => (date) => digits(date.getUTCMinutes(), length),
  s: (length) => (date) => digits(date.getUTCSeconds(), length),
  S: (length) => (date) => digits(date.getUTCMilliseconds(), 3).padEnd(length, '0').slice(0, length),
  Z: () => () => '+0000',
  X: () => () => 'Z',
  x: (length) => () => (length === 1 ? '+00' : length % 2 === 0 ? '+0000' : '+00:00'),
  z: () => () => 'UTC',
};
// `u` is the proleptic year in newer Java, and the same for our dates.
const letters: Readonly<Record<string, (length: number) => Part>> = { ...parts, u: parts.y! };

/** Compiles a pattern; throws a `RangeError` that names the letter which is not known. */
export function dateFormat(pattern: string): (date: Date) => string {
  const compiled: (string | Part)[] = [];
  // A quoted text, two quotes (one quote), a run of one letter, or anything else.
  for (const [token] of pattern.matchAll(/''|'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+|'/g)) {
    const first = token[0]!;
    if (token === "''") compiled.push("'");
    else if (first === "'")
      compiled.push(token.slice(1, token.length > 1 && token.endsWith("'") ? -1 : undefined).replaceAll("''", "'"));
    else if (/[A-Za-z]/.test(first)) {
      const part = letters[first];
      if (part === undefined)
        throw new RangeError(
          `letter "${first}" of date format "${pattern}" is not known, expected ${Object.keys(letters).join(' ')}`,
        );
      compiled.push(part(token.length));
    } else compiled.push(token);
  }
  return (date) => compiled.map((part) => (typeof part === 'string' ? part : part(date))).join('');
}
