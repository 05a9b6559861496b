/** Sets of code points, as ascending ranges without overlaps. */
export type CharacterSet = readonly (readonly [first: number, last: number])[];

const LAST = 0x10ffff;

export function normalized(ranges: CharacterSet): CharacterSet {
  const merged: [number, number][] = [];
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

export function negated(set: CharacterSet): CharacterSet {
  const ranges: [number, number][] = [];
  let next = 0;
  for (const [first, last] of normalized(set)) {
    if (first > next) ranges.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= LAST) ranges.push([next, LAST]);
  return ranges;
}

/** With the other case of every ASCII letter, and of single code points beyond. */
export function caseless(set: CharacterSet): CharacterSet {
  const more: [number, number][] = [];
  for (const [first, last] of set) {
    for (const [from, to, shift] of [
      [0x41, 0x5a, 0x20],
      [0x61, 0x7a, -0x20],
    ] as const) {
      const [low, high] = [Math.max(first, from), Math.min(last, to)];
      if (low <= high) more.push([low + shift, high + shift]);
    }
    if (first === last && first > 0x7f) more.push(...otherCases(first));
  }
  return normalized([...set, ...more]);
}

function otherCases(code: number): [number, number][] {
  const character = String.fromCodePoint(code);
  return [character.toLowerCase(), character.toUpperCase()]
    .filter((other) => Array.from(other).length === 1)
    .map((other) => [other.codePointAt(0)!, other.codePointAt(0)!]);
}

/** Named by a letter behind a backslash. */
export const classes: Readonly<Record<string, CharacterSet>> = {
  d: [[0x30, 0x39]],
  w: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ],
  s: [
    [0x09, 0x0a],
    [0x0c, 0x0d],
    [0x20, 0x20],
  ],
};

const letters: CharacterSet = [
  [0x41, 0x5a],
  [0x61, 0x7a],
];
const digits = classes.d!;

/** Named inside `[[:…:]]`. */
export const posixClasses: Readonly<Record<string, CharacterSet>> = {
  alnum: [...digits, ...letters],
  alpha: letters,
  ascii: [[0, 0x7f]],
  blank: [
    [0x09, 0x09],
    [0x20, 0x20],
  ],
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: digits,
  graph: [[0x21, 0x7e]],
  lower: [[0x61, 0x7a]],
  print: [[0x20, 0x7e]],
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  space: [
    [0x09, 0x0d],
    [0x20, 0x20],
  ],
  upper: [[0x41, 0x5a]],
  word: classes.w!,
  xdigit: [...digits, [0x41, 0x46], [0x61, 0x66]],
};

export const anyCharacter: CharacterSet = [[0, LAST]];
export const anyButNewline: CharacterSet = negated([[0x0a, 0x0a]]);
