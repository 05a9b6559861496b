import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { documentLines } from './json-document.ts';

async function linesOf(text: string, pieceBytes: number): Promise<{ lines: string[]; error?: string }> {
  const bytes = Buffer.from(text);
  function* pieces(): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  let out = '';
  try {
    for await (const piece of documentLines(pieces(), 'a.json')) out += Buffer.from(piece).toString('latin1');
  } catch (error) {
    return { lines: out.split('\n').slice(0, -1), error: (error as Error).message };
  }
  assert.ok(out === '' || out.endsWith('\n'));
  return { lines: Buffer.from(out, 'latin1').toString().split('\n').slice(0, -1) };
}

test('a document in pieces of any size becomes its elements, one a line', async () => {
  const rows = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.constantFrom(undefined, 1, '\t'),
      fc.boolean(),
      fc.integer({ min: 1, max: 60 }),
      async (all, indent, alone, size) => {
        const text = alone
          ? all.map((row) => JSON.stringify(row, null, indent)).join('\n')
          : ` ${JSON.stringify(all, null, indent)}\n`;
        const { lines, error } = await linesOf(text, size);
        assert.equal(error, undefined);
        assert.deepEqual(
          lines.map((line) => JSON.parse(line)),
          JSON.parse(JSON.stringify(all)),
        );
      },
    ),
  );
});

test('pieces larger than the memory for them, and many small elements', async () => {
  assert.equal((await linesOf('{}'.repeat(600_000), 1_200_000)).lines.length, 600_000);
  const long = JSON.stringify([{ a: 'x'.repeat(900_000) }, { b: 1 }]);
  assert.deepEqual(
    (await linesOf(long, 700_000)).lines.map((line) => line.length),
    [900_008, 7],
  );
});

for (const [text, error] of [
  ['[{"a":1},{"b"', /^Cannot read a\.json: it ends too early, at byte 13/],
  ['[{"a":1}] x', /something follows its end, at byte 10/],
  ['[{"a":1},]', /an element of the array is missing, at byte 9/],
  ['hello', /is neither a JSON array nor an object, at byte 0/],
] as const) {
  test(`the frame of ${text} is refused in words, behind what came before`, async () => {
    const found = await linesOf(text, 3);
    assert.match(found.error ?? '', error);
    if (text.startsWith('[')) assert.deepEqual(found.lines.slice(0, 1), ['{"a":1}']);
  });
}

test('an empty document has no rows', async () => {
  assert.deepEqual(await linesOf(' \n', 1), { lines: [] });
  assert.deepEqual(await linesOf('[]', 1), { lines: [] });
});
