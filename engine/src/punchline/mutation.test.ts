import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadPunchlines } from './load.ts';
import { renderProblem } from './problem.ts';
import { testNodeTypes } from './test-node-types.ts';

const right = join(import.meta.dirname, 'corpus', 'right');
const texts = readdirSync(right)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(join(right, name), 'utf8'));

/** What breaks YAML and punchlines more often than random letters do. */
const piece = fc.oneof(
  fc.constantFrom(
    '---\n',
    ': ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '&a ',
    '*a',
    '<<: *a',
    '!x ',
    '|\n',
    '#',
    '\t',
    '\n',
    '\r',
    ',',
    '?',
    '%',
  ),
  fc.constantFrom(
    '${',
    '}',
    '${X:-',
    '$${',
    'null',
    '~',
    'true',
    '1e999',
    '.nan',
    '99999999999999999999',
    '__proto__',
    'constructor',
  ),
  fc.constantFrom(
    'id: out',
    'out',
    '_ppf_errors',
    'columns',
    'encoding.codec: x',
    'kind: sink',
    './x.ts',
    '\u0000',
    '\ud800',
    '\u2028',
  ),
  fc.string({ maxLength: 4 }),
);

/** Without bias: else half of the edits would be at the very start. */
const place = fc.noBias(fc.nat({ max: 9999 })).map((at) => at / 10_000);
const edit = fc.record({ at: place, cut: fc.nat({ max: 40 }), piece });
const smallEdit = fc.record({
  at: place,
  cut: fc.constantFrom(0, 1, 1, 2),
  piece: fc.constantFrom('', 'a', '7', ' ', '\n', '_'),
});

function mutated(text: string, edits: readonly { at: number; cut: number; piece: string }[]): string {
  return edits.reduce((now, { at, cut, piece: put }) => {
    const from = Math.floor(at * now.length);
    return now.slice(0, from) + put + now.slice(from + cut);
  }, text);
}

test('random edits of good punchlines never crash, and every problem has a place in the file', async () => {
  const mutation = fc.tuple(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 4 }));
  await fc.assert(
    fc.asyncProperty(mutation, async ([text, edits]) => {
      const changed = mutated(text, edits);
      const { problems, punchlines, source } = await loadPunchlines('p.yaml', {
        text: changed,
        specs: testNodeTypes,
        env: {},
        runModules: false,
      });
      const lines = source!.text.split('\n');
      for (const problem of problems) {
        assert.ok(problem.line >= 1 && problem.line <= lines.length, renderProblem(problem));
        assert.ok(problem.column >= 1 && problem.column <= lines[problem.line - 1]!.length + 1, renderProblem(problem));
        assert.ok(!/\n|\bat .*:\d+:\d+\)?$|undefined|\[object/.test(problem.message), problem.message);
      }
      assert.ok(punchlines.length > 0 || problems.some((problem) => problem.severity === 'error'));
    }),
    { numRuns: 1500 },
  );
});

test('whatever the loader accepts it gives back as plain data', async () => {
  let accepted = 0;
  const mutation = fc.tuple(fc.constantFrom(...texts), fc.array(smallEdit, { minLength: 1, maxLength: 2 }));
  await fc.assert(
    fc.asyncProperty(mutation, async ([text, edits]) => {
      const options = { text: mutated(text, edits), specs: testNodeTypes, env: {}, runModules: false };
      const { punchlines } = await loadPunchlines('p.yaml', options);
      accepted += punchlines.length;
      for (const punchline of punchlines) assert.deepEqual(structuredClone(punchline), punchline);
      for (const { nodes } of punchlines) {
        const ids = nodes.map((node) => node.id);
        assert.equal(new Set(ids).size, ids.length);
        for (const [index, node] of nodes.entries()) {
          for (const edge of node.out) assert.ok(ids.indexOf(edge.to) > index, 'an edge leads forward');
        }
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(accepted > 100, `only ${accepted} of 1000 mutations were accepted`);
});
