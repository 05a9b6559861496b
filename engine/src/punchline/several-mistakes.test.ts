/** Whatever mistakes are made at once, each of them is told, and none hides another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadPunchlines } from './load.ts';
import { testNodeTypes } from './test-node-types.ts';

interface Mistake {
  readonly from: string;
  readonly to: string;
  readonly told: RegExp;
}

const right = `apiVersion: punchline.punchplatform.io/v2
kind: BatchPunchline
metadata: {name: all-at-once, labels: {a: b}, annotations: {devices.punchplatform.com/inactivityTimeout: '30'}}
spec:
  load_control: {throughput: 100}
  dag:
    - id: in
      kind: source
      type: broker
      settings: {bootstrap.servers: kafka, topics: [a], auth: {user: me, password: "\${REEF_TEST_WORD}"}}
      exit_conditions: {success.acks_greater_or_equal_to: 10}
      out:
        - {id: strong, columns: [{name: mag, type: float}, {name: place, type: string}]}
    - id: strong
      kind: function
      type: filter
      settings: {column: mag, op: gt, value: 5}
      out:
        - {id: chosen}
        - {id: errors, table: _ppf_errors, columns: [{name: _ppf_error_document, type: string}]}
    - id: chosen
      kind: function
      type: select
      settings: {columns: [place]}
      out: [{id: screen, table: quakes}]
    - {id: screen, kind: sink, type: show, settings: {rows: 20, best_effort: true, encoding.codec: json}}
    - {id: errors, kind: sink, type: file, settings: {path: errors.json}}
`;

/** Each at a place of its own, so that any of them can be made together. */
const mistakes: readonly Mistake[] = [
  { from: 'punchline.punchplatform.io/v2', to: 'punchline.punchplatform.io/v1', told: /^apiVersion is/ },
  { from: 'kind: BatchPunchline', to: 'kind: BatchPunchlin', told: /^kind is "BatchPunchlin"/ },
  { from: 'labels:', to: 'lables:', told: /unknown key "lables" in metadata/ },
  { from: "'30'", to: 'soon', told: /inactivityTimeout" is "soon"/ },
  { from: 'throughput: 100', to: 'throughput: fast', told: /setting "throughput" is "fast"/ },
  { from: 'kafka,', to: '[kafka],', told: /setting "bootstrap.servers" is a list of 1/ },
  { from: 'topics: [a]', to: 'topics: []', told: /setting "topics" is an empty list/ },
  { from: `"\${REEF_TEST_WORD}"`, to: 'open-sesame', told: /"auth.password" is written in the punchline/ },
  { from: 'user: me', to: 'usr: me', told: /unknown setting "auth.usr"/ },
  { from: 'to: 10', to: 'to: ten', told: /"success.acks_greater_or_equal_to" is "ten"/ },
  { from: 'type: float', to: 'type: flaot', told: /column type is "flaot"/ },
  { from: 'op: gt', to: 'op: greater', told: /setting "op" is "greater"/ },
  { from: '- {id: chosen}', to: '- {id: chosn}', told: /out leads to "chosn"/ },
  { from: 'name: _ppf_error_document', to: 'name: document', told: /column "document" of table "_ppf_errors" does not exist/ },
  { from: 'columns: [place]', to: 'columns: place', told: /setting "columns" is "place", expected a list/ },
  { from: 'table: quakes', to: 'tabel: quakes', told: /unknown key "tabel" in node "chosen": out/ },
  { from: 'rows: 20', to: 'rows: 0', told: /setting "rows" is the number 0/ },
  { from: 'best_effort: true', to: 'best_effort: 1', told: /setting "best_effort" is the number 1/ },
  { from: 'codec: json', to: 'codec: xml', told: /setting "encoding(\.codec)?" is "xml"/ },
  { from: 'errors.json', to: `"\${REEF_TEST_UNSET}"`, told: /REEF_TEST_UNSET is not set/ },
  { from: '{id: errors, kind: sink', to: '{id: errors, knid: sink', told: /unknown key "knid" in node "errors"/ },
];

const env = { REEF_TEST_WORD: 'hunter2' };

async function errorsOf(text: string): Promise<string[]> {
  const { problems } = await loadPunchlines('p.yaml', { text, specs: testNodeTypes, env });
  return problems.filter(({ severity }) => severity === 'error').map(({ message }) => message);
}

test('the punchline that the mistakes are made in is right', async () => {
  assert.deepEqual(await errorsOf(right), []);
  for (const { from } of mistakes) assert.equal(right.split(from).length, 2, from);
});

test('every mistake is told, whichever others are made with it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.subarray([...mistakes], { minLength: 1 }), async (made) => {
      const text = made.reduce((now, { from, to }) => now.replace(from, () => to), right);
      const errors = await errorsOf(text);
      for (const { told, to } of made)
        assert.ok(
          errors.some((error) => told.test(error)),
          `${to}: ${errors.join('\n')}`,
        );
      assert.ok(!errors.some((error) => /hunter2|open-sesame/.test(error)));
    }),
    { numRuns: 150, examples: [[[...mistakes]], ...mistakes.map((mistake): [Mistake[]] => [[mistake]])] },
  );
});
