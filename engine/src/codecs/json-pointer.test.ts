import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findPointer, pointedText, pointerIssue } from './json-pointer.ts';

const valueAt = (text: string, pointer: string): unknown => {
  const bytes = Buffer.from(text);
  const found = findPointer(bytes, pointer);
  return found && JSON.parse(bytes.toString('utf8', found.from, found.to));
};

test('a pointer leads to members and elements, through escapes, spaces and brackets in strings', () => {
  const text = ' { "a/b" : { "~" : [ 1 , {"]}":"x\\"]"} , "\\u00fc" ] } , "" : null, "ü": true } ';
  assert.deepEqual(
    ['', '/a~1b/~0/0', '/a~1b/~0/1/]}', '/a~1b/~0/2', '/', '/ü'].map((pointer) => valueAt(text, pointer)),
    [JSON.parse(text), 1, 'x"]', 'ü', null, true],
  );
  for (const pointer of ['/x', '/a~1b/~0/3', '/a~1b/~0/-', '/a~1b/~0/01', '/ü/x', '/a~1b/~0/0/0'])
    assert.equal(valueAt(text, pointer), undefined, pointer);
  assert.equal(valueAt('\ufeff{"a":[]}', '/a/0'), undefined);
});

test('of a member that stands there twice the last counts, as for JSON.parse', () => {
  assert.equal(valueAt('{"a":1,"\\u0061":2}', '/a'), 2);
});

test('text is what strings and numbers are, and nothing else', () => {
  const bytes = Buffer.from('{"s":"a\\nb","n":12345678901234567890,"z":null,"f":false,"e":"","o":{}}');
  assert.deepEqual(
    ['/s', '/n', '/z', '/f', '/e', '/o', '/x'].map((pointer) => pointedText(bytes, pointer)),
    ['a\nb', '12345678901234567890', undefined, undefined, '', undefined, undefined],
  );
});

test('what is no JSON ends somewhere', () => {
  for (const text of ['', '{', '[1', '{"a"', '{"a":', '{"a":"', '{"a":"\\', '{"a" 1}', '[,]', ']', '{"a":1 "b":2}'])
    for (const pointer of ['', '/a', '/b', '/0', '/1']) findPointer(Buffer.from(text), pointer);
});

test('every value of any document is found', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(undefined, 1, '\t'), (document, space) => {
      const text = JSON.stringify(document, undefined, space);
      const plain: unknown = JSON.parse(text);
      const visit = (value: unknown, pointer: string): void => {
        assert.deepEqual(valueAt(text, pointer), value);
        if (typeof value !== 'object' || value === null) return;
        for (const [key, inner] of Object.entries(value))
          visit(inner, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
      };
      visit(plain, '');
    }),
    { numRuns: 200 },
  );
});

test('pointers that are none are told', () => {
  assert.deepEqual(['', '/a/~0~1'].map(pointerIssue), [undefined, undefined]);
  assert.match(pointerIssue('a')!, /^is "a", expected a JSON pointer/);
  assert.match(pointerIssue('/~2')!, /after "~" comes 0 or 1/);
});
