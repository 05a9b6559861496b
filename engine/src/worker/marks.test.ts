import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countBetween } from './marks.ts';

/** Rows at these offsets. */
function rowsAt(...offsets: number[]): Parameters<typeof countBetween>[1] {
  return { rows: offsets.length, offset: (row) => offsets[row]! };
}

function rejections(...rows: number[]): { rejections: { row: number; reason: string }[] } {
  return { rejections: rows.map((row) => ({ row, reason: 'bad' })) };
}

test('rows are counted before, between and behind the marks', () => {
  assert.deepEqual(countBetween([20, 30], rowsAt(0, 10, 20, 30, 40), []), { rows: [2, 1, 2], rejected: [0, 0, 0] });
});

test('marks without rows between them count none, also outside what was decoded', () => {
  assert.deepEqual(countBetween([5, 10, 10, 90], rowsAt(10, 12), []), { rows: [0, 0, 0, 2, 0], rejected: [0, 0, 0, 0, 0] });
});

test('without marks all is one stretch', () => {
  assert.deepEqual(countBetween([], rowsAt(0, 3), [rejections(1)]), { rows: [2], rejected: [1] });
});

test('a rejected row counts where it stood, and once though two branches reject it', () => {
  const marked = countBetween([20, 40], rowsAt(0, 10, 20, 30, 40), [rejections(1, 4), rejections(1), rejections(2)]);
  assert.deepEqual(marked, { rows: [2, 2, 1], rejected: [1, 1, 1] });
});
