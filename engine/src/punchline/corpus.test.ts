/**
 * Each file under corpus/ begins with what the loader must say about it, all of it:
 * `# error 7:3 node "in": …`, in order. Files under wrong/ have errors, files under right/ have none (warnings perhaps).
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadPunchlines } from './load.ts';
import { testNodeTypes } from './test-node-types.ts';

const corpus = join(import.meta.dirname, 'corpus');
const env = { REEF_TEST_WORD: 'hunter2', REEF_TEST_NUMBER: '5', REEF_TEST_EMPTY: '' };

for (const verdict of ['wrong', 'right']) {
  for (const name of readdirSync(join(corpus, verdict)).filter((file) => file.endsWith('.yaml'))) {
    test(`${verdict} punchline: ${name.replace('.yaml', '').replaceAll('-', ' ')}`, async () => {
      const folder = join(corpus, verdict);
      const text = readFileSync(join(folder, name), 'utf8');
      const expected = /^(# (error|warning) \d+:\d+ .*\n)*/.exec(text)![0];
      const { problems } = await loadPunchlines(name, { cwd: folder, specs: testNodeTypes, env });
      const told = problems.map(({ severity, line, column, message, suggestion }) => {
        const hint = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
        return `# ${severity} ${line}:${column} ${message.replaceAll(folder, 'FOLDER')}${hint}\n`;
      });
      assert.equal(told.join(''), expected);
      assert.equal(
        problems.some((problem) => problem.severity === 'error'),
        verdict === 'wrong',
      );
      const hidden = [
        env.REEF_TEST_WORD,
        'content-of-a-file',
        'correct horse',
        'battery staple',
        '90210',
        'plain-token',
        'misspelt-secret',
      ];
      for (const value of hidden) assert.ok(!told.join('').includes(value), 'what references and secrets hold is not shown');
    });
  }
}
