import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { parseAllDocuments } from 'yaml';
import { testNodeTypes } from '../punchline/test-node-types.ts';
import { punchlineSchema } from './punchline-schema.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const corpus = join(import.meta.dirname, '..', 'punchline', 'corpus');

async function validator(types?: typeof testNodeTypes): Promise<(text: string) => string[]> {
  const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(await punchlineSchema(types));
  return (text) =>
    parseAllDocuments(text, { merge: true }).flatMap((document) => {
      const value: unknown = document.toJS();
      if (value === null) return [];
      return validate(value) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
    });
}

test('the schema accepts all punchlines of the examples and of the bench', async () => {
  const check = await validator();
  const files = globSync(['examples/*/*.yaml', 'bench/pipelines/*.yaml'], { cwd: root }).filter(
    (file) => !file.endsWith('.test.yaml'),
  );
  assert.ok(files.length > 5);
  for (const file of files) assert.deepEqual(check(readFileSync(join(root, file), 'utf8')), [], file);
});

test('the schema accepts all that the loader accepts', async () => {
  const check = await validator(testNodeTypes);
  for (const file of globSync('right/*.yaml', { cwd: corpus })) {
    assert.deepEqual(check(readFileSync(join(corpus, file), 'utf8')), [], file);
  }
});

/** What a schema can see: keys, types, choices, bounds, and what is missing. */
const visible = [
  'columns-empty',
  'columns-unknown-key',
  'columns-unknown-type',
  'document-dag-at-top',
  'document-kind-in-lower-case',
  'document-unknown-keys',
  'document-wrong-api-version',
  'encoding-unknown',
  'encoding-with-other-keys',
  'metadata-unknown-key',
  'node-no-id',
  'node-no-kind',
  'node-no-type',
  'node-unknown-keys',
  'node-unknown-type',
  'out-is-a-word',
  'out-missing',
  'out-of-a-sink',
  'out-without-id',
  'settings-choice',
  'settings-dotted-mistyped',
  'settings-list-too-long',
  'settings-missing',
  'settings-missing-in-a-group',
  'settings-number-for-text',
  'settings-pattern',
  'settings-unknown-in-a-group',
  'spec-no-dag',
];

test('the schema refuses what can be told of a file alone', async () => {
  const check = await validator(testNodeTypes);
  for (const name of visible) {
    assert.notDeepEqual(check(readFileSync(join(corpus, 'wrong', `${name}.yaml`), 'utf8')), [], name);
  }
});

test('the schema says what a setting is, with its unit and default', async () => {
  const text = JSON.stringify(await punchlineSchema());
  assert.match(text, /"limits\.cpu_ms_per_row":\{"anyOf":\[\{"type":"integer","minimum":10,"maximum":3600000\},/);
  assert.match(text, /CPU time that one row may take[^"]*Unit: ms\.","default":30000/);
});
