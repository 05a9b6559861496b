import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startReef, temporaryFolder } from '../testing/reef-process.ts';

const punchline = `kind: BatchPunchline
spec:
  dag:
    - { id: in, kind: source, type: stdin, out: [{ id: out }] }
    - { id: out, kind: sink, type: stdout }
`;
const cases = (count: number): string =>
  `cases: [{ name: rows, input: { in: { rows: [{ n: 1 }] } }, expect: { out: { count: ${count} } } }]\n`;

test('reef test --watch runs again when a file changes, and ends in order', { timeout: 60_000 }, async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'p.yaml'), punchline);
  writeFileSync(join(folder, 'p.test.yaml'), cases(2));
  const { child, ended } = startReef(t, ['test', '--watch', folder]);
  let waiting = 0;
  child.stderr.on('data', (text: string) => {
    if (!text.includes('waiting for changes')) return;
    waiting++;
    if (waiting === 1) writeFileSync(join(folder, 'p.test.yaml'), cases(1));
    else child.kill('SIGINT');
  });
  const { code, stdout } = await ended;
  assert.equal(code, 0);
  assert.match(stdout, /0 cases passed, 1 failed\n[\s\S]*1 case passed, 0 failed\n$/);
});
