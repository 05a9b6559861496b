import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Job, leftBehind } from './job.ts';

const job = { wholeRows: true, sourceId: 'in', partition: 'a.log' } as Job;

test('whole rows that a worker did not take all of are an error that says so, never lost in silence', () => {
  const range = { from: 100, to: 160, deaths: 0 };
  assert.equal(leftBehind(job, range, 160), undefined);
  assert.match(leftBehind(job, range, 150)!.message, /source "in" \(a\.log\): a worker took 50 of 60 bytes/);
  assert.match(leftBehind(job, range, 100)!.message, /took 0 of 60/);
  assert.equal(leftBehind({ ...job, wholeRows: false }, range, 150), undefined);
});
