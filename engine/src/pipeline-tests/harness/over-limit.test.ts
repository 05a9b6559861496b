import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { assemble } from '../../../kernel/build-shim.ts';
import { overLimitModule } from './over-limit.ts';

test('the module that never returns is what its text assembles to', () => {
  const text = readFileSync(new URL('over-limit.wat', import.meta.url), 'utf8');
  assert.equal(overLimitModule.toString('base64'), Buffer.from(assemble(text, false)).toString('base64'));
});
