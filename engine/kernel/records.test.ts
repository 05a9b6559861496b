import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROW_FIELDS, recordModes } from '../src/batch/kernel-abi.ts';
import { mutate, type Random, randomKeys, randomRow, seeded } from './random-rows.ts';
import { type KernelRecord, ScanHarness } from './scan-harness.ts';

const harnesses = { simd: new ScanHarness('simd'), scalar: new ScanHarness('scalar'), debug: new ScanHarness('debug') };
const NEWLINE = Buffer.from('\n');

/** Lines, some of them bad or blank, in records of some lines each. */
function randomRecords(random: Random): KernelRecord[] {
  return Array.from({ length: random(6) + 1 }, (_, number) => {
    const lines = Array.from({ length: random(30) + 1 }, () => {
      const row = Buffer.from(randomRow(random));
      return random(8) === 0 ? Buffer.alloc(0) : random(4) ? row : mutate(random, row);
    });
    return {
      position: number * 1e9,
      // Whatever their bytes are: newlines and braces too.
      values: ['{\n}'.repeat(random(5)), `value ${number}\n`],
      payload: Buffer.concat(lines.flatMap((line) => [line, NEWLINE])),
    };
  });
}

for (const [mode, options] of [
  ['json', {}],
  ['lines', { lines: true }],
] as const) {
  test(`records of ${mode} have the rows that their payloads have in one piece, with what stands beside them`, () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seeded(seed);
      const records = randomRecords(random);
      const keys = random(3) ? randomKeys : [];
      const input = Buffer.concat(records.map(({ payload }) => payload));
      const expected = harnesses.scalar.scan(input, { keys, cap: 4096, ...options }).rows;
      const bounds = records.map((_, index) => records.slice(0, index).reduce((sum, { payload }) => sum + payload.length, 0));
      const beside = expected.map((row) => {
        const number = bounds.findLastIndex((bound) => bound <= row.start);
        return { ...row, value: records[number]!.values[1]!, position: number * 1e9 + row.start - bounds[number]! };
      });
      for (const harness of Object.values(harnesses)) {
        for (const cap of [4096, 16])
          assert.deepEqual(harness.scanRecords(records, recordModes[mode], { keys, cap }), beside, `seed ${seed}`);
      }
    }
  });
}

test('records of CSV have the rows that their payloads have by themselves, with what stands beside them', () => {
  const pieces = ['a', 'bc', '"', '""', '"x\ny"', '"a""b"', ',', ',', ',', '\n', '\n', '\r\n', 'é', '\xff', '0'.repeat(17)];
  for (let seed = 1; seed <= 500; seed++) {
    const random = seeded(seed);
    const records = Array.from({ length: random(6) + 1 }, (_, number) => {
      const parts = Array.from({ length: random(60) }, () =>
        Buffer.from(pieces[random(pieces.length)]!, random(9) ? 'utf8' : 'latin1'),
      );
      return {
        position: number * 1e9,
        values: ['"'.repeat(random(5)), `value ${number}\n`],
        payload: Buffer.concat([...parts, NEWLINE]),
      };
    });
    const csv = { separator: ',', fields: 1 + random(3) };
    let before = 0;
    const expected = records.flatMap(({ payload, values, position }) => {
      const { rows } = harnesses.scalar.scan(payload, { csv, cap: 4096 });
      const moved = rows.map((row) => ({
        ...row,
        start: row.start + before,
        end: row.end + before,
        // What it says of a row with another number of fields is that number.
        errorAt: row.error === ROW_FIELDS ? row.errorAt : row.errorAt + before,
        value: values[1]!,
        position: position + row.start,
      }));
      before += payload.length;
      return moved;
    });
    for (const harness of Object.values(harnesses)) {
      for (const cap of [4096, 16]) assert.deepEqual(harness.scanRecords(records, 0, { csv, cap }), expected, `seed ${seed}`);
    }
  }
});

test('a record that is one line holds whatever its bytes are', () => {
  const payloads = ['a\nb', '', '\n\n', 'é', '\xff', '\r'].map((text) => Buffer.from(text, text === '\xff' ? 'latin1' : 'utf8'));
  const records = payloads.map((payload, position) => ({ position, values: ['v'], payload: Buffer.concat([payload, NEWLINE]) }));
  const joined = Buffer.concat(records.map(({ payload }) => payload));
  for (const harness of Object.values(harnesses)) {
    const rows = harness.scanRecords(records, recordModes.whole, { cap: 16 });
    assert.deepEqual(
      rows.map(({ start, end }) => joined.subarray(start, end)),
      payloads,
    );
    assert.deepEqual(
      rows.map(({ error }) => error),
      [0, 0, 0, 0, 5, 0],
    );
  }
});

test('rows behind their counts hold whatever their bytes are, however small the table is', () => {
  const texts = ['a\nb', '12 x', '\n\n', 'é', '\xff', '\r', '7', 'x'.repeat(300)];
  const rows = texts.map((text) => Buffer.from(text, text === '\xff' ? 'latin1' : 'utf8'));
  const counted = (all: readonly Buffer[]): Buffer => Buffer.concat(all.flatMap((row) => [Buffer.from(`${row.length} `), row]));
  const records = [rows, rows.slice(0, 1), Array.from({ length: 40 }, () => rows).flat()].map((all, number) => ({
    position: number * 1e9,
    values: [`value ${number}`],
    payload: Buffer.concat([counted(all), NEWLINE]),
  }));
  const joined = Buffer.concat(records.map(({ payload }) => payload));
  const expected = [...rows, rows[0], ...Array.from({ length: 40 }, () => rows).flat()];
  for (const harness of Object.values(harnesses)) {
    for (const cap of [16, 4096]) {
      const found = harness.scanRecords(records, recordModes.counted, { cap });
      assert.deepEqual(
        found.map(({ start, end }) => joined.subarray(start, end)),
        expected,
      );
      assert.deepEqual(
        found.slice(0, 8).map(({ error }) => error),
        [0, 0, 0, 0, 5, 0, 0, 0],
      );
      assert.equal(found[8]!.position, 1e9 + '3 '.length);
      assert.equal(found[8]!.value, 'value 1');
    }
  }
});

test('a count that says more than there is ends with its record', () => {
  const records = ['5 abc', '99999999999 x', '3'].map((text, position) => ({
    position,
    values: ['v'],
    payload: Buffer.from(`${text}\n`),
  }));
  const joined = Buffer.concat(records.map(({ payload }) => payload));
  for (const harness of Object.values(harnesses)) {
    const found = harness.scanRecords(records, recordModes.counted, { cap: 16 });
    assert.deepEqual(
      found.map(({ start, end }) => joined.toString('latin1', start, end)),
      ['abc', 'x', ''],
    );
  }
});
