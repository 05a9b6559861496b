import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CsvBodyOptions, endOfCsvRows, readCsvBody } from './csv-body.ts';

function read(text: string | readonly string[], options: Partial<CsvBodyOptions> = {}): object {
  const parts = (typeof text === 'string' ? [text] : text).map((part) => Buffer.from(part));
  const body = readCsvBody(parts, { separator: ',', columns: undefined, ...options });
  if ('problem' in body) return body;
  const rows = Buffer.concat(body.parts).toString();
  assert.equal(body.bytes, Buffer.byteLength(rows));
  return { columns: body.columns, rows };
}

test('the header is taken off, and the last row ended', () => {
  const columns = ['a', 'b,c'];
  assert.deepEqual(read('a,"b,c"\n1,2\n3,4'), { columns, rows: '1,2\n3,4\n' });
  assert.deepEqual(read(['a,"b', ',c"\r\n1,', '2\r\n']), { columns, rows: '1,2\r\n' });
  assert.deepEqual(read('a;b\n1;2\n', { separator: ';' }), { columns: ['a', 'b'], rows: '1;2\n' });
});

test('a body without rows, and one without a header where none is wanted', () => {
  assert.deepEqual(read('a,b'), { columns: ['a', 'b'], rows: '' });
  assert.deepEqual(read('1,2', { columns: ['a', 'b'] }), { columns: ['a', 'b'], rows: '1,2\n' });
  assert.deepEqual(read('', { columns: ['a'] }), { columns: ['a'], rows: '' });
  assert.deepEqual(read(''), { problem: 'is empty, expected a header that names the columns' });
});

test('quotes that are closed are no matter, bad rows neither; a quote that is never closed is told', () => {
  const columns = ['a', 'b'];
  for (const rows of ['"x\ny",2\n', '"x""y","z"\n', 'x"y,2\n1,2\n', '"x"y,2\n']) {
    assert.deepEqual(read(`a,b\n${rows}`), { columns, rows });
  }
  for (const rows of ['1,"2', '1,"2\n3,4\n', '"a""', 'ab"c,1\n"open,2\n3,4']) {
    assert.deepEqual(read(`a,b\n${rows}`), { problem: 'has a quote that is never closed' });
  }
  assert.deepEqual(read('"a,b\n1,2'), { problem: 'begins with no header: it has a quote that is never closed' });
});

test('a body of any size is looked at whole', () => {
  const rows = '1,"2"\n'.repeat(200_000);
  assert.deepEqual(read(`a,b\n${rows}`), { columns: ['a', 'b'], rows });
  assert.deepEqual(read(`a,b\n${rows}"`), { problem: 'has a quote that is never closed' });
});

test('rows are cut where rows end, not where lines do, and a long one stays whole', () => {
  const rows = Buffer.from('1,2\n"x\ny\nz",2\n3,4\n');
  const ends = (most: number): number[] => {
    const found: number[] = [];
    for (let from = 0; from < rows.length; from = found.at(-1)!) found.push(endOfCsvRows(rows, from, most, ','));
    return found;
  };
  assert.deepEqual(ends(5), [4, 14, 18]);
  assert.deepEqual(ends(15), [14, 18]);
  assert.deepEqual(ends(100), [18]);
  const long = Buffer.from(`"${'x\n'.repeat(1_000_000)}"\n${'1\n'.repeat(1_000_000)}`);
  const end = endOfCsvRows(long, 0, 1000, ',');
  assert.ok(end >= 2_000_003 && end < long.length && end % 2 === 1, `${end}`);
});
