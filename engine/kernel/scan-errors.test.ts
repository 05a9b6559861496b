import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ROW_NOT_OBJECT } from '../src/batch/kernel-abi.ts';
import { scanWithAll as scan } from './scan-harness.ts';

describe('scanJson', () => {
  const bad: readonly [string, Uint8Array | string, number, number][] = [
    ['a missing comma', '{"a":1 "b":2}', 1, 7],
    ['a missing colon', '{"a" 1}', 1, 5],
    ['a doubled comma', '{"a":1,,"b":2}', 1, 7],
    ['a comma at the end', '{"a":1,}', 1, 7],
    ['a comma at the end of a list', '{"a":[1,]}', 1, 8],
    ['a list closed as an object', '{"a":[1}', 1, 7],
    ['a key without quotes', '{a:1}', 1, 1],
    ['no value', '{"a":}', 1, 5],
    ['a string that is not closed', '{"a":"b}', 2, 8],
    ['a key that is not closed', '{"a', 2, 3],
    ['a control character in a string', '{"a":"x\u0001"}', 3, 7],
    ['a tab in a string', '{"a":"x\ty"}', 3, 7],
    ['an unknown escape', '{"a":"\\x"}', 4, 6],
    ['a bad unicode escape', '{"a":"\\u12G4"}', 4, 6],
    ['an escape that the row cuts', '{"a":"\\', 4, 6],
    ['an over-long sequence', Buffer.from('{"a":"\xc0\xaf"}', 'latin1'), 5, 6],
    ['an encoded surrogate', Buffer.from('{"a":"x\xed\xa0\x80"}', 'latin1'), 5, 7],
    ['a sequence cut by the quote', Buffer.from('{"a":"\xe6\xbc"}', 'latin1'), 5, 6],
    ['a bad byte in a key', Buffer.from('{"\xff":1}', 'latin1'), 5, 2],
    ['a number with a leading zero', '{"a":0123}', 6, 6],
    ['a number without digits behind the point', '{"a":1.}', 6, 5],
    ['a number with a plus', '{"a":+1}', 6, 5],
    ['a number without exponent', '{"a":1e}', 6, 5],
    ['a lone minus', '{"a":-}', 6, 5],
    ['two literals in one', '{"a":truefalse}', 6, 9],
    ['a literal cut short', '{"a":tru}', 6, 5],
    ['a word', '{"a":NaN}', 6, 5],
    ['a row that ends too early', '{"a":1', 8, 6],
    ['a row that ends in a list', '{"a":[1,', 8, 8],
    ['a row with CRLF that ends too early', '{"a":1,\r', 8, 7],
    ['something behind the object', '{"a":1}x', 9, 7],
    ['a second object', '{"a":1} {"b":2}', 9, 8],
    ['something behind a list', '[1],', 9, 3],
    ['a list as row', ' [1]', ROW_NOT_OBJECT, 1],
    ['a string as row', '"a"', ROW_NOT_OBJECT, 0],
    ['a number as row', '-1.5e3', ROW_NOT_OBJECT, 0],
    ['null as row', 'null ', ROW_NOT_OBJECT, 0],
    ['a byte order mark', '\ufeff{}', 1, 0],
    ['white space that JSON does not know', '\v{}', 1, 0],
    ['NUL', '\0', 1, 0],
  ];
  for (const [what, row, error, at] of bad) {
    test(`refuses ${what}, with code and place, and keeps the rows around it`, () => {
      const before = '{"a":1}\n';
      const input = Buffer.concat([Buffer.from(before), Buffer.from(row as string), Buffer.from('\n{"a":2}\n')]);
      const { rows } = scan(input, { keys: ['a'] });
      assert.deepEqual(
        rows.map((found) => found.error),
        [0, error, 0],
      );
      assert.equal(rows[1]!.errorAt - before.length, at);
      assert.deepEqual(rows[1]!.values, {});
      assert.equal(rows[2]!.values.a!.text, '2');
    });
  }
});
