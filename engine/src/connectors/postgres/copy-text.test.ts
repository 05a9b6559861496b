import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bulk } from '../../spec/bulk-sink.ts';
import type { RowTexts } from '../../spec/row-texts.ts';
import { copyText } from './copy-text.ts';

function texts(values: readonly string[]): RowTexts {
  const offsets = new Uint32Array(values.length + 1);
  for (const [index, value] of values.entries()) offsets[index + 1] = offsets[index]! + Buffer.byteLength(value) + 1;
  return { bytes: Buffer.from(values.map((value) => `${value}\n`).join('')), offsets };
}

function bulkOf(rows: readonly string[], side: readonly (readonly string[])[]): Bulk {
  const { bytes, offsets } = texts(rows);
  return { bytes, offsets, rows: rows.length, side: side.map(texts) };
}

test('what COPY reads as a line, a column or an escape is escaped', () => {
  const bulk = bulkOf(
    ['{}', '{}'],
    [
      ['a\tb\nc\rd\\N', 'é'],
      ['1', '2'],
    ],
  );
  const columns = [
    { name: 'text', isText: true },
    { name: 'n', isText: false },
  ];
  assert.equal(copyText(bulk, columns).toString(), 'a\\tb\\nc\\rd\\\\N\t1\né\t2\n');
});

test('an empty text is one only where the row has it, and for no other type', () => {
  const rows = ['{"text":"","n":""}', '{"text":null}', '{"other":{"text":""}}'];
  const empty = ['', '', ''];
  const columns = [
    { name: 'text', isText: true },
    { name: 'n', isText: false },
  ];
  assert.equal(copyText(bulkOf(rows, [empty, empty]), columns).toString(), '\t\\N\n\\N\t\\N\n\\N\t\\N\n');
});

test('side columns that begin in the middle of memory are read from where they begin', () => {
  const { bytes, offsets } = texts(['skipped', 'kept']);
  const side = [{ bytes, offsets: offsets.subarray(1) }];
  const bulk: Bulk = { bytes: Buffer.from('{}\n{}\n'), offsets: Uint32Array.of(3, 6), rows: 1, side };
  assert.equal(copyText(bulk, [{ name: 'a', isText: true }]).toString(), 'kept\n');
});
