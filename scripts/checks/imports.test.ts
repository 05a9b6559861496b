import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf, problemsOf, readDirections } from './imports.ts';

const directions = readDirections(`# x
## Import directions
text
| Folder | may import | types of | packages |
|---|---|---|---|
| \`errors\` | | | |
| \`spec\` | \`errors\` | \`batch\` | \`valibot\` |
| \`batch\` | \`spec\`, \`errors\` | | |
## Next
| \`other\` | | | |
`);
const problems = (files: Record<string, string>) =>
  problemsOf(
    Object.entries(files).flatMap(([file, source]) => importsOf(file, source)),
    directions,
  );

test('listed imports, packages and imports inside a folder pass', () => {
  assert.deepEqual(
    problems({
      'spec/a.ts': `import * as v from 'valibot';\nimport { b } from './b.ts';\nimport type {\n  Batch,\n} from '../batch/batch.ts';`,
      'batch/batch.ts': `import { join } from 'node:path';\nexport { x } from '../spec/a.ts';`,
    }),
    [],
  );
});

test('an import against the direction is reported with its line', () => {
  assert.deepEqual(problems({ 'errors.ts': `\nimport { a } from './spec/a.ts';` }), [
    'engine/src/errors.ts:2: `errors` may not import `spec`',
  ]);
});

test('a value import where only types are allowed is reported', () => {
  assert.match(problems({ 'spec/a.ts': `import { Batch } from '../batch/batch.ts';` })[0]!, /only types of `batch`/);
});

test('dynamic imports and unlisted packages are seen, comments are not', () => {
  const source = `// import { x } from '../state/x.ts';\n/* import 'left-pad' */\nconst y = await import('yaml');`;
  assert.deepEqual(problems({ 'batch/a.ts': source }), ['engine/src/batch/a.ts:3: `batch` may not import the package `yaml`']);
});

test('a cycle of files is reported once', () => {
  const found = problems({ 'spec/a.ts': `import './b.ts';`, 'spec/b.ts': `import './c.ts';`, 'spec/c.ts': `import './a.ts';` });
  assert.deepEqual(found, ['cycle: spec/a.ts → spec/b.ts → spec/c.ts → spec/a.ts']);
});

test('a folder without a row is reported', () => {
  assert.match(problems({ 'pipeline/a.ts': `import '../errors.ts';` })[0]!, /no row for `pipeline`/);
});

test('a program may not reach what tests share; what only tests reach may', () => {
  const helper = `import { fake } from './testing/fake.ts';`;
  assert.deepEqual(problems({ 'batch/random-rows.ts': helper }), []);
  assert.deepEqual(problems({ 'batch/a.ts': helper, 'worker/entry.ts': `await import('../batch/a.ts');` }).slice(-1), [
    'engine/src/batch/a.ts:1: only tests may import batch/testing/fake.ts',
  ]);
});
