import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../spec/plan.ts';
import { type Checkpoint, checkpointText } from './checkpoint.ts';

test('a checkpoint in pieces is the same JSON', () => {
  const positions = fc.dictionary(fc.string(), fc.dictionary(fc.string(), fc.jsonValue())) as fc.Arbitrary<
    Checkpoint['positions']
  >;
  const sinks = fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<Readonly<Record<string, Json>>>;
  fc.assert(
    fc.property(positions, sinks, (positions, sinks) => {
      const checkpoint: Checkpoint = { version: 1, savedAt: '2026-10-11T22:14:15Z', positions, sinks };
      const text = [...checkpointText(checkpoint)].join('');
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(checkpoint)));
    }),
  );
});

test('no piece of a large checkpoint is much longer than 64 Ki characters', () => {
  const files = Array.from({ length: 10_000 }, (_, n) => [`file-${n}`, { path: `/in/file-${n}`, offset: n }] as const);
  const positions = { in: Object.fromEntries(files), other: { p: 1 } };
  const pieces = [...checkpointText({ version: 1, savedAt: '', positions, sinks: {} })];
  assert.deepEqual(JSON.parse(pieces.join('')).positions, positions);
  assert.ok(pieces.every((piece) => piece.length < 65 * 1024));
});
