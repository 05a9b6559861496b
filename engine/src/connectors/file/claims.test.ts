import assert from 'node:assert/strict';
import { linkSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { reef, startReef, temporaryFolder, writePunchline } from '../../testing/reef-process.ts';

const rows = '{"n":1}\n{"n":2}\n';
const source = (path: string): object => ({ id: 'in', kind: 'source', type: 'file', settings: { path }, out: [{ id: 'out' }] });
const sink = (id: string, path: string): object => ({ id, kind: 'sink', type: 'file', settings: { path } });

test('a batch does not empty the file that it is to read, whatever name leads to it', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), rows);
  symlinkSync('in.jsonl', join(folder, 'link.jsonl'));
  linkSync(join(folder, 'in.jsonl'), join(folder, 'hard.jsonl'));
  for (const [from, to] of [
    ['in.jsonl', 'in.jsonl'],
    ['in.jsonl', './link.jsonl'],
    ['link.jsonl', 'hard.jsonl'],
    ['*.jsonl', 'in.jsonl'],
  ] as const) {
    const file = writePunchline(folder, 'BatchPunchline', [source(from), sink('out', to)]);
    const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /Cannot open file sink "out": .* is the file that file source "in" reads, expected another one/);
    assert.equal(readFileSync(join(folder, 'in.jsonl'), 'utf8'), rows);
  }
});

test('two sinks do not write to one file, and a punchline after the other may', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), rows);
  const both = { ...source('in.jsonl'), out: [{ id: 'out' }, { id: 'more' }] };
  const file = writePunchline(folder, 'BatchPunchline', [both, sink('out', 'o.jsonl'), sink('more', './o.jsonl')]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 1);
  assert.match(stderr, /Cannot open file sink "more": .*o\.jsonl is the file that file sink "out" writes/);
  const alone = writePunchline(folder, 'BatchPunchline', [source('in.jsonl'), sink('out', 'o.jsonl')]);
  for (let run = 0; run < 2; run++) assert.equal((await reef(t, ['run', alone, '--state', join(folder, 'state')])).code, 0);
  assert.equal(readFileSync(join(folder, 'o.jsonl'), 'utf8'), rows);
});

test('a tail does not follow what its own sink writes', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'in.jsonl'), rows);
  const file = writePunchline(folder, 'StreamPunchline', [source('*.jsonl'), sink('out', 'out.jsonl')]);
  const { child, ended } = startReef(t, ['run', file, '--state', join(folder, 'state')]);
  let said = '';
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (text: string) => {
      said += text;
      if (said.includes('is not followed')) resolve();
    });
  });
  child.kill('SIGTERM');
  const { code, stderr } = await ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /File .*out\.jsonl is not followed: file sink "out" writes it/);
});
