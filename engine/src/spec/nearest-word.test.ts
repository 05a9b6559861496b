import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestWord } from './nearest-word.ts';

const words = ['interval', 'messages', 'messages_column', 'id', 'generator', 'file'];

test('a letter too many, too few, wrong or swapped is forgiven', () => {
  for (const word of ['intervall', 'interva', 'intarval', 'intevral']) assert.equal(nearestWord(word, words), 'interval');
});

test('case and separators count nothing', () => {
  assert.equal(nearestWord('messagesColumn', words), 'messages_column');
  assert.equal(nearestWord('Generator', words), 'generator');
});

test('nothing is suggested for a word that resembles none', () => {
  for (const word of ['kafka', 'xy', 'z', '', 'x'.repeat(100_000)]) assert.equal(nearestWord(word, words), undefined, word);
});
