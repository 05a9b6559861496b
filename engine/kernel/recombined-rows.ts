/**
 * Rows against what the scan has learned (assembly/shape.ts): some that look alike teach it a shape, then one comes that is put
 * together from pieces of them, cut between tokens, where a learned piece is most easily taken for what it is not.
 */
import { mutate, pick, type Random, randomKeys, spell, value } from './random-rows.ts';

const token = /"(?:[^"\\]|\\.)*"|[-+.\w]+|\s+|./gs;
const structural = ['{', '}', '[', ']', ',', ':'];

/** Cuts a row between its tokens; each is one piece, white space too. */
export function tokensOf(row: string): string[] {
  return row.match(token) ?? [];
}

interface Template {
  readonly keys: readonly string[];
  /** Spelled between a key and its value, and behind the value. */
  readonly spaces: readonly string[];
  /** A key with an object of its own, and keys in that; they may be those of the row. */
  readonly nested: readonly string[] | undefined;
}

const moreKeys = ['b', 'identity', 'k'.repeat(9), 'k'.repeat(10), 'k'.repeat(11), 'k'.repeat(25), 'k'.repeat(26), 'k'.repeat(27)];

function template(random: Random): Template {
  const key = (): string => spell(random, pick(random, random(2) ? randomKeys : moreKeys));
  const keys = Array.from({ length: random(6) + 1 }, key);
  const spaces = keys.map(() => (random(6) ? '' : pick(random, [' ', '\t', '\r', '  '])));
  return {
    keys,
    spaces,
    nested: random(3) ? undefined : Array.from({ length: random(4) + 1 }, () => pick(random, [key(), ...keys])),
  };
}

function rowOf({ keys, spaces, nested }: Template, random: Random): string {
  const members = keys.map((key, index) => `${key}:${spaces[index]}${value(random, random(3) ? 4 : 2)}${spaces[index]}`);
  if (nested)
    members.splice(nested.length % members.length, 0, `"in":{${nested.map((key) => `${key}:${value(random, 4)}`).join(',')}}`);
  // So that a key is learned both as the first and as a later one.
  const turn = random(2) ? 0 : random(members.length);
  return `{${[...members.slice(turn), ...members.slice(0, turn)].join(',')}}`;
}

/** Pieces that a shape is made of. */
function gapOf(random: Random, tokens: readonly string[]): string {
  const key = pick(
    random,
    tokens.filter((piece) => piece.startsWith('"')),
  );
  return pick(
    random,
    ['{', ',', '', '{"', ',"', '{,', '},', ' ,', ',{'].map((before) => before + key + pick(random, [':', '', ' :', '::'])),
  );
}

function recombine(random: Random, one: string, other: string): string {
  const first = tokensOf(one);
  const second = tokensOf(other);
  const at = random(first.length + 1);
  const from = random(second.length + 1);
  const before = first.slice(0, at);
  const behind = first.slice(at);
  switch (random(15)) {
    case 0:
      return one + pick(random, ['', ',', ' ', ':', ',,', '}', '\r']) + other;
    case 1:
      return [...before, ...second.slice(from)].join('');
    case 2:
      return one.slice(0, random(one.length + 1)) + other.slice(random(other.length + 1));
    case 3:
      return [...before, pick(random, second), ...behind].join('');
    case 4:
      return [...before, ...behind.slice(1 + random(3))].join('');
    case 5:
      return [...before, gapOf(random, second), ...behind].join('');
    case 6:
      return [...before, gapOf(random, second), ...behind.slice(1 + random(4))].join('');
    case 7:
      return before.join('');
    case 8:
      return [...before, other, ...behind].join('');
    case 9:
      return [...before, ...second.slice(from, from + random(6)), ...behind].join('');
    case 10:
      return [...before, pick(random, [' ', '\t', '\r', '\x00', '\x0c', '\u00a0', '\ufeff']), ...behind].join('');
    case 11:
    case 12:
    case 13: {
      const places = first.flatMap((piece, index) => (structural.includes(piece) ? [index] : []));
      const place = pick(random, places);
      return first.map((piece, index) => (index === place ? pick(random, structural) : piece)).join('');
    }
    default: {
      const places = [random(first.length), random(first.length)];
      return first
        .map((piece, index) => (index === places[0] ? first[places[1]!] : index === places[1] ? first[places[0]!] : piece))
        .join('');
    }
  }
}

/** Rows that look alike, with some between them that were put together from their pieces. Without newlines. */
export function recombinedRows(random: Random): Buffer[] {
  const templates = Array.from({ length: random(3) ? 1 : 2 }, () => template(random));
  const alike = (): string => rowOf(pick(random, templates), random);
  const rows: string[] = [];
  for (let rounds = random(random(8) ? 3 : 20) + 1; rounds > 0; rounds--) {
    for (let good = random(3) + 1; good > 0; good--) rows.push(alike());
    let hostile = recombine(random, pick(random, rows), alike());
    if (!random(3)) hostile = recombine(random, hostile || '{}', alike());
    rows.push(hostile);
  }
  rows.push(alike());
  return rows.map((row) => (random(12) ? Buffer.from(row) : mutate(random, Buffer.from(row))));
}
