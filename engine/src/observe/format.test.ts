import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, duration, short, whole } from './format.ts';

test('whole numbers have commas between thousands', () => {
  assert.deepEqual([0, 999, 1000, 5_121_000, -1234].map(whole), ['0', '999', '1,000', '5,121,000', '-1,234']);
});

test('short numbers keep three figures and take a unit when they are large', () => {
  assert.deepEqual([0.08213, 9876, 12_345, 3_210_000, 4.5e9].map(short), ['0.0821', '9,880', '12.3 k', '3.21 M', '4.5 G']);
});

test('bytes take the unit that keeps them readable', () => {
  assert.deepEqual([0, 116.12, 999, 1000, 812_345_678, 10e9].map(bytes), ['0 B', '116 B', '999 B', '1 kB', '812 MB', '10 GB']);
});

test('durations are seconds below a minute and clock-like above', () => {
  assert.deepEqual([0.1234, 59, 61, 3723].map(duration), ['0.123 s', '59 s', '1:01', '1:02:03']);
});
