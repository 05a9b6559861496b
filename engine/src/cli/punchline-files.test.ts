import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing/reef-process.ts';
import { punchlineFiles } from './punchline-files.ts';

test('a folder stands for the punchlines in it, without tests, hidden files and its own folders', async (t) => {
  const cwd = temporaryFolder(t);
  mkdirSync(join(cwd, 'all', 'more.yaml'), { recursive: true });
  for (const name of [
    'b.yml',
    'a.yaml',
    'a.test.yaml',
    'b.test.yml',
    '.hidden.yaml',
    'notes.md',
    'a.yaml~',
    'more.yaml/c.yaml',
  ]) {
    writeFileSync(join(cwd, 'all', name), '');
  }
  assert.deepEqual(await punchlineFiles('all', cwd), ['all/a.yaml', 'all/b.yml']);
});

test('a file, standard input and what does not exist stand for themselves', async (t) => {
  const cwd = temporaryFolder(t);
  for (const name of ['-', 'missing.yaml']) assert.deepEqual(await punchlineFiles(name, cwd), [name]);
});

test('a folder without punchlines is a mistake', async (t) => {
  const cwd = temporaryFolder(t);
  await assert.rejects(
    punchlineFiles('.', cwd),
    /Cannot read the folder "\.": it holds no punchline, expected files whose names end/,
  );
});
