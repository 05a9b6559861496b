import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeCsvHeader, readCsvHeader } from './csv-header.ts';

function read(text: string | Buffer, last = true, separator = ','): ReturnType<typeof readCsvHeader> {
  return readCsvHeader(Buffer.from(text as string), separator, { last });
}

function columnsOf(text: string | Buffer, separator?: string): readonly string[] | undefined {
  const header = read(text, true, separator);
  return header && 'columns' in header ? header.columns : undefined;
}

describe('a CSV header', () => {
  test('names the columns, whatever its line end, and says where the rows begin', () => {
    assert.deepEqual(read('a,b c,"d,""e"""\n1,2,3\n'), { columns: ['a', 'b c', 'd,"e"'], length: 16, renamed: [] });
    assert.deepEqual(columnsOf('a;b\r\n1;2', ';'), ['a', 'b']);
    assert.deepEqual(columnsOf('a,b'), ['a', 'b']);
    assert.deepEqual(columnsOf('"a\nb",c\n'), ['a\nb', 'c']);
    assert.deepEqual(read('\ufeff\r\n\na\nx'), { columns: ['a'], length: 8, renamed: [] });
  });

  test('gives every column a name of its own', () => {
    const header = read('a,,a,a_2,\n');
    assert.ok(header && 'columns' in header);
    assert.deepEqual(header.columns, ['a', 'column_2', 'a_3', 'a_2', 'column_5']);
    assert.deepEqual(
      header.renamed.map(({ to }) => to),
      ['column_2', 'a_3', 'column_5'],
    );
  });

  test('that does not end is waited for, unless nothing follows', () => {
    for (const text of ['', 'a', 'a,b', '"a\n', '"a"', 'a\r']) assert.equal(read(text, false), undefined, text);
    assert.deepEqual(read('"a\n'), { problem: 'has a quote that is never closed' });
  });

  for (const [text, problem] of [
    ['a,b"c\n', /inside of a name/],
    ['"a"b\n', /between a closing quote/],
    [Buffer.of(0x61, 0xff, 10), /not valid UTF-8/],
    [`${','.repeat(5000)}\n`, /more than 4096 columns/],
  ] as const) {
    test(`that is ${JSON.stringify(text.toString().slice(0, 10))} is refused in words`, () => {
      const header = read(text);
      assert.ok(header && 'problem' in header);
      assert.match(header.problem, problem);
    });
  }

  test('is read as it was written, cut anywhere it waits', () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1, unit: fc.constantFrom('a', 'b', '"', ',', '\n', '\r', 'é') }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(names, fc.nat(), (columns, cut) => {
        const bytes = encodeCsvHeader({ columns, separator: ',' });
        assert.deepEqual(columnsOf(Buffer.concat([bytes, Buffer.from('1,2\n')])), columns);
        const part = readCsvHeader(bytes.subarray(0, cut % bytes.length), ',');
        assert.equal(part, undefined);
      }),
    );
  });
});
