/** Rows for the tests and the fuzzer: random ones that are good, and changes that mostly make them bad. Repeatable by seed. */

export type Random = (below: number) => number;

/** A generator of integers in [0, below). */
export function seeded(seed: number): Random {
  let state = seed * 0x9e3779b1 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)]!;
}

/** Key columns that {@link randomRow} has in many rows, some of them spelled with escapes. */
export const randomKeys = [
  'id',
  'place',
  'a',
  '',
  'ключ',
  'a "quoted" key',
  'a key whose gap is longer than the 32 bytes that are kept',
];

const otherKeys = ['b', 'identity', 'i', 'pläce', 'x'.repeat(15), 'y'.repeat(16), 'z'.repeat(29), 'places'];
const strings = [
  '',
  'plain',
  'with "q" and \\ back',
  'é漢字😀',
  'tab\tnl\n',
  '\u0001',
  'x'.repeat(16),
  'ab'.repeat(40),
  '{"a":1}',
  '\ud800',
  'ÿ'.repeat(40),
];
const numbers = [
  '0',
  '-0',
  '17',
  '-5',
  '3.25',
  '1e9',
  '1E-2',
  '-0.5e+10',
  '12345678901234567890',
  '1234567890.12345',
  '0.00000000000000001',
  '123456789012345.'.concat('5'),
  '1e400',
];

/** A string in JSON, now and then with needless escapes. */
export function spell(random: Random, text: string): string {
  const plain = JSON.stringify(text);
  if (random(8) || text === '') return plain;
  return `"${[...text].map((c) => (c.length === 1 && random(2) ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : JSON.stringify(c).slice(1, -1))).join('')}"`;
}

function space(random: Random): string {
  return random(12) ? '' : pick(random, [' ', '  ', '\t', '\r', ' '.repeat(20)]);
}

/** A value of any kind; from depth 4 on no list or object. */
export function value(random: Random, depth: number): string {
  switch (random(depth > 3 ? 6 : 8)) {
    case 0:
      return String(random(1_000_000) - 500_000);
    case 1:
      return pick(random, numbers);
    case 2:
      return pick(random, ['true', 'false', 'null']);
    case 3:
    case 4:
    case 5:
      return spell(random, pick(random, strings));
    case 6:
      return `[${space(random)}${Array.from({ length: random(4) }, () => value(random, depth + 1) + space(random)).join(',')}]`;
    default:
      return object(random, depth + 1);
  }
}

function object(random: Random, depth: number): string {
  const members = Array.from({ length: random(depth ? 4 : 9) }, () => {
    const key = pick(random, random(3) ? randomKeys : otherKeys);
    return `${space(random)}${spell(random, key)}${space(random)}:${space(random)}${value(random, depth)}${space(random)}`;
  });
  return `{${members.join(',') || space(random)}}`;
}

/** A row with random members, without its newline. Some are alike, as in a real source. */
export function randomRow(random: Random): string {
  if (random(3)) {
    return `{"id":${random(100_000)},"place":${spell(random, pick(random, strings))},"a":${pick(random, numbers)},"b":${value(random, 2)}}`;
  }
  return space(random) + object(random, 0) + space(random);
}

const bytesThatMatter = Buffer.from(
  '"\\{}[],:0123eE+-.tfnu \t\r\n\x00\x01\x0c\x1f\x7f\x80\xbf\xc0\xc2\xc3\xa9\xe0\xed\xef\xf0\xf4\xf5\xff',
  'latin1',
);

/** Inserts, removes, changes, doubles or cuts a few bytes. */
export function mutate(random: Random, row: Uint8Array): Buffer {
  let bytes = Buffer.from(row);
  for (let changes = random(3) + 1; changes > 0; changes--) {
    const at = random(bytes.length + 1);
    const before = bytes.subarray(0, at);
    const behind = bytes.subarray(at);
    const byte = Buffer.of(pick(random, [...bytesThatMatter]));
    switch (random(6)) {
      case 0:
        bytes = Buffer.concat([before, byte, behind]);
        break;
      case 1:
        bytes = Buffer.concat([before, behind.subarray(1)]);
        break;
      case 2:
        bytes = Buffer.concat([before, byte, behind.subarray(1)]);
        break;
      case 3:
        bytes = Buffer.concat([before, behind.subarray(random(20))]);
        break;
      case 4:
        bytes = Buffer.concat([before, behind.subarray(0, random(20)), behind]);
        break;
      default:
        bytes = random(4) ? Buffer.concat([before, byte, byte, behind]) : Buffer.from(before);
    }
  }
  return bytes;
}
