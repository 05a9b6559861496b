import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { assertAgreesWithCsv, readCsv } from './csv-oracle.ts';
import { ScanHarness, type Scanned } from './scan-harness.ts';

const harnesses = { simd: new ScanHarness('simd'), scalar: new ScanHarness('scalar'), debug: new ScanHarness('debug') };

function scan(text: string | Uint8Array, fields: number, separator = ','): Scanned {
  const input = Buffer.from(text as string);
  const csv = { separator, fields };
  const scanned = harnesses.debug.scan(input, { csv });
  assert.deepEqual(harnesses.scalar.scan(input, { csv }), scanned);
  for (const align of [0, 1, 15]) assert.deepEqual(harnesses.simd.scan(input, { csv, align }), scanned);
  return scanned;
}

function valuesOf(text: string, fields: number, separator?: string): unknown[] {
  return scan(text, fields, separator).rows.map(({ error, values }) =>
    error ? error : Array.from({ length: fields }, (_, column) => values[column]?.text),
  );
}

/** Pieces of CSV, right and wrong ones. */
const pieces = fc.constantFrom(
  ...['a', 'bc', '"', '""', '"x"', ',', ',', ';', '\n', '\n', '\r\n', '\r', ' ', 'é', '0'.repeat(17)],
);
const anyText = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''));

describe('CSV', () => {
  test('rows and fields', () => {
    assert.deepEqual(valuesOf('a,b,c\nd,e,f\n', 3), [
      ['a', 'b', 'c'],
      ['d', 'e', 'f'],
    ]);
    assert.deepEqual(valuesOf('a;b\r\nc;d', 2, ';'), [
      ['a', 'b'],
      ['c', 'd'],
    ]);
    assert.deepEqual(valuesOf('a b, c ,"d ""e"" f"\n', 3), [['a b', ' c ', 'd "e" f']]);
  });

  test('an empty field is absent, empty quotes are an empty string', () => {
    assert.deepEqual(valuesOf(',"",a,\n', 4), [[undefined, '', 'a', undefined]]);
  });

  test('line ends and separators in quotes are text, returns too', () => {
    assert.deepEqual(valuesOf('"a\nb","c,d"\n"e\r\nf",g\rh\r\n', 2), [
      ['a\nb', 'c,d'],
      ['e\r\nf', 'g\rh'],
    ]);
  });

  test('a bad row with doubled quotes gives its room up for the rows that are read again', () => {
    const bad = `"${'x'.repeat(80)}""\ny"""z`;
    assert.deepEqual(valuesOf(`${bad}\n`, 1), [34, 32]);
    const good = valuesOf(`${`${bad}\n`.repeat(5)}"a""b"\n`, 1).at(-1);
    assert.deepEqual(good, ['a"b']);
    // Read again, the second line has a field with doubled quotes that begins before the first one of the whole row.
    const early = `"L\nx,",${'y'.repeat(200)},"""b"x\n`;
    assert.deepEqual(valuesOf(early, 2), [34, 33]);
  });

  test('blank lines are no rows', () => {
    assert.deepEqual(valuesOf('\n\r\na\n\n""\n\r', 1), [['a'], ['']]);
  });

  test('another number of fields costs the whole row, and is counted', () => {
    const { rows } = scan('a,b\n"c\nd"\ne,f,g,\nh,i\n', 2);
    assert.deepEqual(
      rows.map(({ error, start, end }) => [error, start, end]),
      [
        [0, 0, 3],
        [35, 4, 9],
        [35, 10, 16],
        [0, 17, 20],
      ],
    );
  });

  test('a stray quote costs its own line', () => {
    assert.deepEqual(valuesOf('a,b\n5" disk,c\nd,e\n', 2), [['a', 'b'], 32, ['d', 'e']]);
    assert.deepEqual(valuesOf('a,b\n"5" disk,c\nd,e\n', 2), [['a', 'b'], 33, ['d', 'e']]);
    assert.deepEqual(valuesOf('a,"b\nc,d\ne,"f"\ng,h\n', 2), [34, ['c', 'd'], ['e', 'f'], ['g', 'h']]);
    assert.deepEqual(valuesOf('a,"b\nc,d\n', 2), [34, ['c', 'd']]);
  });

  test('bytes that are not UTF-8 cost their row', () => {
    const input = Buffer.from('a,b\nc,\xff\n"\xc3\xa9\n",e\n"\xc3",f\ng,h\n', 'latin1');
    assert.deepEqual(
      scan(input, 2).rows.map(({ error }) => error),
      [0, 5, 0, 5, 0],
    );
  });

  test('is read as the oracle reads it, by all builds', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 4 }), fc.constantFrom(',', ';'), (text, fields, separator) => {
        assertAgreesWithCsv(Buffer.from(text), scan(text, fields, separator), separator, fields);
      }),
      { numRuns: 3000 },
    );
  });

  test('what was written by the rules is read as it was', () => {
    const field = fc.option(fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'é', ' ') }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field), { maxLength: 10 }), fc.constantFrom('\n', '\r\n'), (rows, lineEnd) => {
        const quoted = (text: string | undefined): string => (text === undefined ? '' : `"${text.replaceAll('"', '""')}"`);
        const written = rows.map(([a, b]) => `${quoted(a)},${quoted(b)}${lineEnd}`).join('');
        assert.deepEqual(valuesOf(written, 2), rows);
      }),
    );
  });

  test('cut anywhere, the rows in front of the cut and those behind it are the rows of the whole', () => {
    fc.assert(
      fc.property(anyText, fc.nat(), (text, at) => {
        const input = Buffer.from(text);
        const front = input.subarray(0, at % (input.length + 1));
        const { cut, first } = harnesses.debug.cutCsv(front, ',');
        assert.deepEqual(harnesses.simd.cutCsv(front, ','), { cut, first });
        assert.deepEqual(harnesses.scalar.cutCsv(front, ','), { cut, first });
        const whole = readCsv(input.toString('latin1'), ',', 2);
        const ends = new Set(whole.map(({ behind }) => behind));
        for (const end of [cut, first]) {
          const parts = [input.subarray(0, end), input.subarray(end)].map((part) => readCsv(part.toString('latin1'), ',', 2));
          const joined = [
            ...parts[0]!,
            ...parts[1]!.map((row) => ({ ...row, start: row.start + end, end: row.end + end, behind: row.behind + end })),
          ];
          assert.deepEqual(joined, whole);
        }
        assert.ok(first <= cut || first === 0);
        // Nothing is held back longer than it must be.
        if (whole.every(({ error }) => error === 0 || error === 35)) {
          const ended = [...ends].filter((end) => end <= front.length && front[end - 1] === 10);
          assert.ok(cut >= Math.max(0, ...ended));
        }
      }),
      { numRuns: 3000 },
    );
  });
});
