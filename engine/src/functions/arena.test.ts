import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArenaFullError } from '../batch/row-batch.ts';
import type { FunctionSpec } from '../spec/function.ts';
import type { Json } from '../spec/plan.ts';
import anonymizeIp from './anonymize-ip.ts';
import convert from './convert.ts';
import flatten from './flatten.ts';
import hash from './hash.ts';
import mask from './mask.ts';
import nest from './nest.ts';
import parse from './parse/spec.ts';
import sample from './sample.ts';
import template from './template.ts';
import { run } from './testing.ts';

const names = ['a', 'b', 'c'].map((name) => ({ name }));
const grok = { patterns: ['^%{DATA:a},%{DATA:b},%{GREEDYDATA:c}$', '%{HOSTNAME:h}'], max_text_bytes: 1 << 20 };
const on_error = 'keep';
const functions: readonly (readonly [FunctionSpec, Readonly<Record<string, Json>>])[] = [
  [parse, { column: 't', format: 'json', on_error }],
  [parse, { column: 't', format: 'csv', columns: names, on_error, csv: { strict: false } }],
  [parse, { column: 't', format: 'key_value', on_error }],
  [parse, { column: 't', format: 'syslog', on_error }],
  [parse, { column: 't', format: 'grok', grok, on_error }],
  [sample, { rate: 0.5, key_column: 't' }],
  [convert, { columns: { t: 'string' }, times: [{ column: 'n', from: ['epoch_s'], to_column: 'x' }], on_error }],
  [template, { columns: { x: '{{t}} {{t}}' }, missing: 'empty' }],
  [hash, { columns: ['t'], key: 'k' }],
  [mask, { columns: ['t'], keep_last: 3 }],
  [mask, { columns: ['t'], patterns: ['email', 'card'] }],
  [anonymizeIp, { columns: ['t'], on_error }],
  [flatten, { columns: ['o'], lists: 'index', max_fields: 1024 }],
  [nest, { columns: ['t.a', 't.b'] }],
];

/** Texts of some length that make each of the functions take memory. */
function row(i: number, length: number): string {
  const text = `${'k\\="v",\n'.repeat(Math.ceil(length / 8))}a@b.org 4111111111111111`.slice(-length);
  const texts = [
    text,
    JSON.stringify({ [`k${i}`]: text, '\u0000"': [text] }),
    `<13>1 - - - - - [a b="${'x\\"'.repeat(length >> 2)}"] m`,
  ];
  return JSON.stringify({ t: texts[i % texts.length], n: i, o: { [`x${i % 50}`]: { y: [text] } }, 't.a': text, 't.b': i });
}

test('a full arena is said so, and nothing is touched beyond it', async () => {
  let full = 0;
  let done = 0;
  for (const [spec, given] of functions) {
    for (const [rows, length] of [
      [1, 10],
      [300, 40],
      [40, 3000],
      [4, 60_000],
      [1, 300_000],
      [700, 400],
      [900, 1200],
      [1, 700_000],
    ] as const) {
      const text = Array.from({ length: rows }, (_, i) => `${row(i, length)}\n`).join('');
      try {
        await run(spec, given, text, { arena: 1 });
        done++;
      } catch (error) {
        assert.ok(error instanceof ArenaFullError, `${JSON.stringify(given)}, ${rows} rows of ${length}: ${String(error)}`);
        full++;
      }
    }
  }
  assert.ok(full > 10 && done > 10, `${full} full, ${done} done`);
});
