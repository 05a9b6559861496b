import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anchorsOf, brokenLinks } from './links.ts';

const pages: Record<string, string> = {
  'README.md':
    '# Reef\n[ok](docs/a.md#two-words) ![p](docs/p.svg) [web](https://example.org) [dir](docs)\n```\n[no](code.md)\n```\n',
  'docs/a.md': '## Two words\n[up](../README.md#reef) [here](#two-words)',
  'docs/p.svg': '',
  docs: '',
};
const read = (file: string) => pages[file];

test('links to files, folders, images and headings resolve', () => {
  assert.deepEqual([...brokenLinks('README.md', read), ...brokenLinks('docs/a.md', read)], []);
});

test('a missing file and a missing heading are reported', () => {
  const broken = { ...pages, 'x.md': '[a](gone.md) [b](docs/a.md#gone) <img src="docs/none.svg">' };
  assert.equal(brokenLinks('x.md', (file) => broken[file as keyof typeof broken]).length, 3);
});

test('anchors follow the headings, repeated ones are numbered', () => {
  assert.deepEqual([...anchorsOf('# Exit codes: `reef`\n## A\n## A\n')], ['exit-codes-reef', 'a', 'a-1']);
});
