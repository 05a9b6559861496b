/**
 * Formats of times: `iso`, `epoch_ms` and the like, or a pattern as `strftime` knows it, compiled to the program that
 * engine/kernel/assembly/functions/read-time.ts and write-time.ts follow.
 */
export interface TimeProgram {
  /** For each part one byte that says what it is, some with an argument, then a 0. */
  readonly bytes: Uint8Array;
  /** Longest text that it writes. */
  readonly room: number;
}

const LITERAL = 1;
const BLANKS = 2;
const EPOCH = 3;
const ISO = 4;
const MAYBE_FRACTION = 5;

/** Formats with a name that are no patterns. */
const programs: Readonly<Record<string, readonly number[]>> = {
  iso: [ISO],
  epoch_s: [EPOCH, 0],
  epoch_ms: [EPOCH, 3],
  epoch_us: [EPOCH, 6],
  epoch_ns: [EPOCH, 9],
};

const patterns: Readonly<Record<string, string>> = {
  apache: '%d/%b/%Y:%H:%M:%S %z',
  rfc2822: '%a, %d %b %Y %H:%M:%S %z',
  syslog: '%b %d %H:%M:%S',
};

export const timeFormatNames: readonly string[] = [...Object.keys(programs), ...Object.keys(patterns)];

/** What the letters behind `%` stand for: themselves, or another. */
const letters = new Map<string, string>([
  ...Array.from('YymdjHIMSfzZbap', (letter): [string, string] => [letter, letter]),
  ...(Object.entries({ e: 'd', k: 'H', l: 'I', L: 'f', N: 'f', B: 'b', h: 'b', A: 'a', P: 'p' }) as [string, string][]),
]);

const compounds: Readonly<Record<string, string>> = { F: '%Y-%m-%d', T: '%H:%M:%S', R: '%H:%M', D: '%m/%d/%y' };

export type TimeUse = 'read' | 'write';

/** Why `format` is none; `undefined` when it is one. */
export function timeFormatProblem(format: string, use: TimeUse): string | undefined {
  const parts = parse(format, use);
  return typeof parts === 'string' ? parts : undefined;
}

/** Compiles a format. Throws a `TypeError` when it is none. */
export function compileTimeFormat(format: string, use: TimeUse): TimeProgram {
  const parts = parse(format, use);
  if (typeof parts === 'string') throw new TypeError(`Cannot use a time format: it ${parts}`);
  return { bytes: Uint8Array.of(...parts, 0), room: 40 + 8 * parts.length };
}

/** The bytes of the same program, for times that may end with a point and a fraction. */
export function withFraction({ bytes }: TimeProgram): Uint8Array {
  return Uint8Array.of(...bytes.subarray(0, -1), MAYBE_FRACTION, 0);
}

/** The parts of the program, or what is wrong with the format. */
function parse(format: string, use: TimeUse): number[] | string {
  const named = programs[format];
  if (named !== undefined) return [...named];
  const pattern = (patterns[format] ?? format).replaceAll(/%([FTRD])/g, (_, letter: string) => compounds[letter]!);
  const wrong = (what: string): string => `is ${JSON.stringify(format)}, ${what}`;
  if (!pattern.includes('%')) return wrong(`expected ${timeFormatNames.join(', ')}, or a pattern such as "%Y-%m-%d %H:%M:%S"`);
  const parts: number[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!;
    if (character === ' ') {
      if (parts.at(-1) !== BLANKS) parts.push(BLANKS);
    } else if (character !== '%' || pattern[i + 1] === '%') {
      if (character === '%') i++;
      for (const byte of Buffer.from(String.fromCodePoint(pattern.codePointAt(i)!))) parts.push(LITERAL, byte);
      if (pattern.codePointAt(i)! > 0xffff) i++;
    } else {
      const letter = letters.get(pattern[++i] ?? '');
      if (letter === undefined) {
        const known = Array.from(letters.keys(), (key) => `%${key}`).join(' ');
        return wrong(`where %${pattern[i] ?? ''} at place ${i} is unknown, expected ${known} %F %T %R %D or %%`);
      }
      parts.push(letter.charCodeAt(0));
    }
  }
  const has = (letter: string): boolean => parts.includes(letter.charCodeAt(0));
  if (use === 'write') return parts;
  const year = has('Y') || has('y');
  if (!year && !((has('b') || has('m')) && has('d')))
    return wrong('which says no date, expected %Y, %m and %d, or at least %b and %d');
  if (has('I') !== has('p')) return wrong('which has one of %I and %p, expected both, or %H');
  return parts;
}
