import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import parse from '../parse/spec.ts';
import { run } from '../testing.ts';
import { compileRegex } from './program.ts';
import { parseRegex, RegexError } from './syntax.ts';

type Groups = Record<string, string> | undefined;

/** What the groups of `pattern` hold for each text; `undefined`: no match. */
async function matched(
  pattern: string,
  texts: readonly string[],
  variant: 'debug' | 'scalar' | 'simd' = 'debug',
): Promise<Groups[]> {
  const given = { column: 'm', format: 'grok', on_error: 'keep', prefix: 'g_', grok: { patterns: [`(?P<whole>${pattern})`] } };
  const { rows } = await run(parse, given, texts.map((m) => `${JSON.stringify({ m })}\n`).join(''), { variant });
  return rows.map((row) => {
    const { m: _, ...groups } = row as Record<string, string>;
    return groups.g_whole === undefined
      ? undefined
      : Object.fromEntries(Object.entries(groups).map(([name, text]) => [name.slice(2), text]));
  });
}

/** The same by JavaScript, which backtracks. */
function expected(pattern: string, text: string): Groups {
  const groups = new RegExp(`(?<whole>${pattern.replaceAll('(?P<', '(?<')})`, 'u').exec(text)?.groups;
  return groups && Object.fromEntries(Object.entries(groups).filter(([, value]) => value !== undefined));
}

const atom = fc.constantFrom(
  'a',
  'b',
  'é',
  '.',
  '[ab]',
  '[^a]',
  '[^é]',
  '[a-cé-ü]',
  '\\d',
  '\\W',
  '\\S',
  '\\b',
  '\\B',
  '^',
  '$',
  '-',
  '😀',
  '[😀x]',
);
const quantifier = fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{0,2}?', '{2,}');
const isAssertion = (text: string): boolean => ['\\b', '\\B', '^', '$'].includes(text);
/** Patterns whose loops hold no group: JavaScript forgets at each turn what groups held before. */
const { pattern } = fc.letrec<{ pattern: string; loop: string }>((tie) => ({
  loop: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    atom,
    fc.tuple(atom, quantifier).map(([one, times]) => (isAssertion(one) ? one : one + times)),
    fc.tuple(tie('loop'), tie('loop')).map(([one, two]) => one + two),
    fc.tuple(tie('loop'), tie('loop')).map(([one, two]) => `(?:${one}|${two})`),
    // Something that is never empty: what an empty turn of a loop means differs between engines.
    fc.tuple(tie('loop'), fc.constantFrom('a', '[^b]'), quantifier).map(([one, some, times]) => `(?:${one}${some})${times}`),
  ),
  pattern: fc
    .array(fc.tuple(tie('loop'), fc.boolean()), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.map(([one, group], i) => (group ? `(?P<g${i}>${one})` : one)).join('')),
}));
const text = fc
  .array(fc.constantFrom('a', 'a', 'b', 'c', 'é', 'ü', '😀', 'x', '1', ' ', '-', '\n'), { maxLength: 14 })
  .map((parts) => parts.join(''));

test('patterns match what they match in JavaScript, groups included', async () => {
  await fc.assert(
    fc.asyncProperty(
      pattern,
      fc.array(text, { minLength: 1, maxLength: 6 }),
      fc.constantFrom('debug', 'scalar', 'simd'),
      async (source, texts, variant) => {
        // V8 finds `\B` in the middle of a surrogate pair, where ECMAScript's `u` has no place.
        fc.pre(!(source.includes('\\B') && texts.some((one) => one.includes('😀'))));
        assert.deepEqual(
          await matched(source, texts, variant),
          texts.map((one) => expected(source, one)),
          source,
        );
      },
    ),
    { numRuns: 500 },
  );
});

test('flags, classes and escapes', async () => {
  const cases: [string, string, string | undefined][] = [
    ['(?i)straße', 'STRAßE', 'STRAßE'],
    ['(?i:É)[k-m]', 'éL', undefined],
    ['(?i:É[k-m])', 'éL', 'éL'],
    ['a.b', 'a\nb', undefined],
    ['(?s)a.b', 'a\nb', 'a\nb'],
    ['(?s:a.)(?-s:.)', 'a\nb', 'a\nb'],
    ['(?m)^b$', 'a\nb\nc', 'b'],
    ['\\Ab', 'ab', undefined],
    ['b\\z', 'ab', 'b'],
    ['[[:alpha:]]+[[:^digit:]]', 'ab-1', 'ab-'],
    ['[]a]+', ']a', ']a'],
    ['[^]a]+', 'b]', 'b'],
    ['[a-]+', 'a-', 'a-'],
    ['[\\d\\-x]+', '1-x', '1-x'],
    ['\\x41\\x{1F600}\\t\\.', 'A😀\t.', 'A😀\t.'],
    ['a{,2}', 'a{,2}', 'a{,2}'],
    ['(?P<n>a|(?P<o>b))+', 'ab', 'ab'],
    ['', 'x', ''],
    ['(?:)*x', 'yx', 'x'],
  ];
  for (const [source, one, whole] of cases) {
    const [groups] = await matched(source, [one]);
    assert.equal(groups?.whole, whole, source);
  }
});

test('what is no expression, or none in linear time, is refused with its place', () => {
  const cases: [string, number, string][] = [
    ['ab)', 2, 'a ) that closes nothing'],
    ['a(b', 1, 'a ( that is not closed'],
    ['a[b', 1, 'a [ that is not closed'],
    ['a**', 2, 'a quantifier behind a quantifier'],
    ['a*+', 2, 'a quantifier behind a quantifier'],
    ['a|*', 2, 'a quantifier behind nothing'],
    ['^*', 0, 'a quantifier behind an assertion'],
    ['x(?=a)', 1, 'look-around or an atomic group, which need backtracking'],
    ['x(?<!a)', 1, 'look-around or an atomic group, which need backtracking'],
    ['x(?>a)', 1, 'look-around or an atomic group, which need backtracking'],
    ['(a)\\1', 3, 'a back-reference or octal number, which are not supported'],
    ['\\pL', 0, 'an unknown escape \\p'],
    ['[z-a]', 1, 'a range whose ends are the wrong way round'],
    ['[[:nope:]]', 1, 'an unknown class [:nope:]'],
    ['a{2,1}', 1, 'a repetition whose bounds are the wrong way round'],
    ['a{1001}', 1, 'more than 1000 repetitions'],
    ['(?P<n>a)(?P<n>b)', 8, 'a second group named n'],
    ['a\\', 1, 'a backslash at the end'],
    ['(?:(?:(?:a{100}){100}){100})', 0, 'it is too large: repetitions of repetitions, probably'],
    ['('.repeat(300), 200, 'groups in groups, more than 200 deep'],
  ];
  for (const [source, at, message] of cases) {
    assert.throws(
      () => compileRegex(parseRegex(source)),
      (error) => error instanceof RegexError && error.at === at && error.message === message,
      source,
    );
  }
});

test('any pattern takes time in proportion to the text', async () => {
  await fc.assert(
    fc.asyncProperty(pattern, fc.constantFrom('a', 'ab', 'aé', 'a-', 'b a'), async (source, piece) => {
      const before = process.cpuUsage();
      await matched(`(?:${source}){1,3}!`, [piece.repeat(3000)], 'simd');
      const { user } = process.cpuUsage(before);
      assert.ok(user < 3_000_000, `${source}: ${user} µs`);
    }),
    { numRuns: 60 },
  );
});
