import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { mutate, randomKeys, randomRow, seeded } from './random-rows.ts';
import { recombinedRows } from './recombined-rows.ts';
import { ScanHarness } from './scan-harness.ts';
import { assertAgrees } from './scan-oracle.ts';

const harnesses = { simd: new ScanHarness('simd'), scalar: new ScanHarness('scalar'), debug: new ScanHarness('debug') };

/** Good rows with a changed one between them, from a seed. */
function rowsFrom(seed: number): Buffer {
  const random = seeded(seed);
  const lines: Buffer[] = [];
  for (let rows = random(8) + 1; rows > 0; rows--) {
    const row = Buffer.from(randomRow(random));
    lines.push(random(3) ? row : mutate(random, row));
  }
  const ends = random(4) ? '\n' : '\r\n';
  return Buffer.concat(
    lines.flatMap((line, index) => (index === lines.length - 1 && random(2) ? [line] : [line, Buffer.from(ends)])),
  );
}

const seed = fc.integer({ min: 1, max: 0x7fffffff });

describe('scanJson on random rows', () => {
  for (const [variant, harness] of Object.entries(harnesses)) {
    test(`agrees with JSON.parse, good and changed rows mixed (${variant})`, () => {
      fc.assert(
        fc.property(seed, (chosen) => {
          const input = rowsFrom(chosen);
          assertAgrees(input, harness.scan(input, { keys: randomKeys }), randomKeys);
        }),
        { numRuns: 3000 },
      );
    });
  }

  test('agrees with JSON.parse on rows put together from pieces of rows that it has learned from', () => {
    fc.assert(
      fc.property(seed, (chosen) => {
        const input = Buffer.concat(recombinedRows(seeded(chosen)).flatMap((row) => [row, Buffer.from('\n')]));
        assertAgrees(input, harnesses.debug.scan(input, { keys: randomKeys }), randomKeys);
      }),
      { numRuns: 5000 },
    );
  });

  test('agrees with JSON.parse on any JSON between two good rows', () => {
    const document = fc.oneof(
      fc.json(),
      fc.tuple(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 0, max: 3 })).map(([value, indent]) => {
        return JSON.stringify({ a: value }, null, indent).replaceAll('\n', '\r');
      }),
      fc.string(),
    );
    fc.assert(
      fc.property(document, (text) => {
        const input = Buffer.from(`{"a":1}\n${text}\n{"a":"2"}`);
        assertAgrees(input, harnesses.simd.scan(input, { keys: ['a'] }), ['a']);
      }),
      { numRuns: 2000 },
    );
  });

  test('all builds make the same table, wherever the input lies', () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 0, max: 63 }), (chosen, align) => {
        const input = rowsFrom(chosen);
        const expected = harnesses.scalar.scan(input, { keys: randomKeys });
        assert.deepEqual(harnesses.simd.scan(input, { keys: randomKeys, align }), expected);
        assert.deepEqual(harnesses.debug.scan(input, { keys: randomKeys, align }), expected);
      }),
      { numRuns: 1500 },
    );
  });

  test('input in two pieces gives the same rows, wherever it is cut', () => {
    for (let chosen = 1; chosen < 12; chosen++) {
      const input = rowsFrom(chosen);
      const whole = harnesses.simd.scan(input, { keys: randomKeys });
      for (let split = 0; split <= input.length; split++) {
        assert.deepEqual(harnesses.simd.scanSplit(input, split, { keys: randomKeys }), whole, `seed ${chosen} cut at ${split}`);
        assert.deepEqual(harnesses.debug.scanSplit(input, split, { keys: randomKeys }), whole, `seed ${chosen} cut at ${split}`);
      }
    }
  });
});

describe('scanLines on random bytes', () => {
  test('all builds make the same table, wherever the input lies and is cut', () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 0, max: 63 }), fc.nat(), (chosen, align, cut) => {
        const input = rowsFrom(chosen);
        const expected = harnesses.scalar.scan(input, { lines: true });
        assert.deepEqual(harnesses.simd.scan(input, { lines: true, align }), expected);
        assert.deepEqual(harnesses.debug.scan(input, { lines: true, align }), expected);
        assert.deepEqual(harnesses.debug.scanSplit(input, cut % (input.length + 1), { lines: true }), expected);
      }),
      { numRuns: 1500 },
    );
  });
});
