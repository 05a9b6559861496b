import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeArray } from './json-array.ts';

function chunk(rows: readonly unknown[]): Parameters<typeof encodeArray>[0] {
  const lines = rows.map((row) => Buffer.from(`${JSON.stringify(row)}\n`));
  const offsets = new Uint32Array(rows.length + 1);
  lines.forEach((line, row) => {
    offsets[row + 1] = offsets[row]! + line.length;
  });
  return { bytes: Buffer.concat(lines), rows: rows.length, offsets };
}

test('any rows of a chunk are the text of one array', () => {
  const rows = [{ a: 1 }, { b: 'x\ny,' }, {}];
  for (let from = 0; from <= 3; from++) {
    for (let to = from; to <= 3; to++) {
      assert.deepEqual(JSON.parse(encodeArray(chunk(rows), from, to).toString()), rows.slice(from, to));
    }
  }
  assert.equal(encodeArray(chunk(rows)).toString(), '[{"a":1},{"b":"x\\ny,"},{}]');
});

test('a chunk without offsets is a mistake of the caller', () => {
  assert.throws(() => encodeArray({ bytes: new Uint8Array(), rows: 0 }), TypeError);
});
