import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bulk } from '../../spec/bulk-sink.ts';
import type { RowTexts } from '../../spec/row-texts.ts';
import { copyCsv, copyText } from './copy-text.ts';

function texts(values: readonly string[]): RowTexts {
  const offsets = new Uint32Array(values.length + 1);
  for (const [index, value] of values.entries()) offsets[index + 1] = offsets[index]! + Buffer.byteLength(value) + 1;
  return { bytes: Buffer.from(values.map((value) => `${value}\n`).join('')), offsets };
}

function bulkOf(rows: readonly string[], side: readonly string[]): Bulk {
  const { bytes, offsets } = texts(rows);
  return { bytes, offsets, rows: rows.length, side: [texts(side)] };
}

test('what COPY reads as a line, a column or an escape is escaped', () => {
  const bulk = bulkOf(['{}', '{}'], ['a\tb\nc\rd\\N', 'é']);
  assert.equal(copyText(bulk, { name: 'text', isText: true }).toString(), 'a\\tb\\nc\\rd\\\\N\né\n');
});

test('an empty text is one only where the row has it, and for no other type', () => {
  const bulk = bulkOf(['{"text":""}', '{"text":null}', '{"other":{"text":""}}'], ['', '', '']);
  assert.equal(copyText(bulk, { name: 'text', isText: true }).toString(), '\n\\N\n\\N\n');
  assert.equal(copyText(bulk, { name: 'text', isText: false }).toString(), '\\N\n\\N\n\\N\n');
});

test('side columns that begin in the middle of memory are read from where they begin', () => {
  const { bytes, offsets } = texts(['skipped', 'kept']);
  const side = [{ bytes, offsets: offsets.subarray(1) }];
  const bulk: Bulk = { bytes: Buffer.from('{}\n{}\n'), offsets: Uint32Array.of(3, 6), rows: 1, side };
  assert.equal(copyText(bulk, { name: 'a', isText: true }).toString(), 'kept\n');
  assert.equal(copyCsv(bulk).toString(), 'kept\n');
});
