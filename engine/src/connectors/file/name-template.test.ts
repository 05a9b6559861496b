import assert from 'node:assert/strict';
import { sep } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { columnsInName, NameTemplate, numbered, numberIn } from './name-template.ts';

const noon = new Date('2025-03-04T12:05:06Z');

describe('names of files', () => {
  test('hold columns and times', () => {
    const template = new NameTemplate('logs/%{+yyyy/MM/dd}/%{type}-%{type}.%{host}.jsonl', '/data');
    assert.deepEqual(template.columns, ['type', 'host']);
    assert.equal(template.folder, '/data/logs');
    assert.equal(template.path(['a', 'b c'], noon), '/data/logs/2025/03/04/a-a.b c.jsonl');
    assert.equal(new NameTemplate('/x/all-%{+HH}.csv', '/data').path([], noon), '/x/all-12.csv');
  });

  test('never leave their folder, whatever rows hold', () => {
    const texts = fc.string({ unit: fc.constantFrom('.', '/', '\\', '%', 'a', '\0', '\n', ' ', '~', '_', 'é', '2', 'E') });
    const templates = ['/data/%{a}', '/data/%{a}/%{b}', '/data/%{a}%{b}', '/data/x%{a}/.%{b}.gz', '%{a}', '../data/%{b}'];
    fc.assert(
      fc.property(fc.constantFrom(...templates), texts, texts, (name, a, b) => {
        const template = new NameTemplate(name, '/data');
        const values = template.columns.map((column) => (column === 'a' ? a : b));
        const path = template.path(values, noon);
        assert.ok(path.startsWith('/data/'), path);
        assert.equal(path.split(sep).length, name.split('/').length + (name.startsWith('/') ? 0 : name.startsWith('..') ? 0 : 2));
        assert.doesNotMatch(path, /[\0\n\\]/);
      }),
      { numRuns: 2000 },
    );
  });

  test('differ where texts differ', () => {
    const template = new NameTemplate('/data/%{a}', '/');
    const texts = fc.string({ unit: fc.constantFrom('.', '/', '%', '2', 'E', '_', 'x'.repeat(60), 'é') });
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        if (a !== b) assert.notEqual(template.path([a], noon), template.path([b], noon));
      }),
      { numRuns: 2000 },
    );
    const long = template.path(['ü'.repeat(5000)], noon);
    assert.ok(Buffer.byteLength(long) < 200);
  });

  for (const [name, message] of [
    ['a%{b', /has "%\{" without "}"/],
    ['%{}', /has "%\{}", expected/],
    ['%{+qq}', /letter "q"/],
  ] as const) {
    test(`that are ${name} are refused in words`, () => assert.throws(() => columnsInName(name), message));
  }

  test('are numbered in front of their ending', () => {
    assert.equal(numbered('/a.b/out.jsonl.gz', 7), '/a.b/out-000007.jsonl.gz');
    assert.equal(numbered('/a.b/out', 1_234_567), '/a.b/out-1234567');
    assert.equal(numberIn('out-000007.jsonl.gz', '/a.b/out.jsonl.gz'), 7);
    for (const other of ['out.jsonl.gz', 'out-7.jsonl.gz', 'out-000007.jsonl', 'out-x.jsonl.gz', 'xout-000007.jsonl.gz']) {
      assert.equal(numberIn(other, '/a.b/out.jsonl.gz'), undefined, other);
    }
  });
});
