import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgetSecret, keepSecret } from '../spec/secrets.ts';
import { Logger, type LoggerOptions, MOST_WAITING_BYTES } from './logger.ts';
import { Terminal } from './terminal.ts';

function made(options: Partial<LoggerOptions> = {}, more: { writableLength?: number } = {}) {
  const written: string[] = [];
  const output = { write: (text: string) => written.push(text), isTTY: false, ...more };
  const logger = new Logger(new Terminal(output), output, { format: 'text', level: 'info', ...options });
  return { logger, written, output };
}

test('a line for people names the node and the data that the message does not name', () => {
  const { logger, written } = made();
  logger.log('p').warn('source "in": no file matches', { node: 'in', path: '/rows', rows: 3 });
  logger.log('p').info('cut back', { node: 'out', bytes: 12 });
  assert.match(written[0]!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warn p: source "in": no file matches path=\/rows rows=3\n$/);
  assert.match(written[1]!, /Z info p: out: cut back bytes=12\n$/);
});

test('what a function or a row says can neither pass for a line of the log nor steer the terminal', () => {
  const { logger, written } = made();
  logger.log('p').info('w: one\r\n2026-01-01T00:00:00.000Z warn p: forged\x1b[2J\r\x9b1m\u202e\tend', { text: '\x07' });
  logger.say({ level: 'error', message: 'two\nreef: forged\x1b' });
  assert.match(
    written[0]!,
    /Z info p: w: one\n {2}2026-01-01T00:00:00\.000Z warn p: forged\\u001b\[2J\\u000d\\u009b1m\\u202e\tend text=\\u0007\n$/,
  );
  assert.equal(written[1], 'reef: two\n  reef: forged\\u001b\n');
});

test('a line for programs is one JSON object with time, level, punchline, node, message and data', () => {
  const { logger, written } = made({ format: 'json' });
  logger.log('p').warn('two\nlines', { node: 'in', big: 12n, error: new Error('gone'), nothing: undefined });
  assert.equal(written[0]!.indexOf('\n'), written[0]!.length - 1);
  const { time, ...line } = JSON.parse(written[0]!);
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
  const data = { big: '12', error: 'gone' };
  assert.deepEqual(line, { level: 'warn', punchline: 'p', node: 'in', message: 'two\nlines', data });
});

test('data that leads back to itself is cut', () => {
  const { logger, written } = made({ format: 'json' });
  const data: Record<string, unknown> = {};
  data.self = data;
  logger.log('p').info('round', data);
  assert.match(written[0]!, /"…"/);
});

test('secrets do not stand in a line, which stays JSON also where one is a number', (t) => {
  for (const secret of ['12345', 'swordfish']) {
    keepSecret(secret);
    t.after(() => forgetSecret(secret));
  }
  const { logger, written } = made({ format: 'json' });
  logger.log('p').info('key swordfish', { port: 12345, url: 'http://u:swordfish@h', list: ['swordfish'] });
  const { message, data } = JSON.parse(written[0]!);
  assert.deepEqual([message, data], ['key ***', { port: '***', url: 'http://u:***@h', list: ['***'] }]);
});

test('what is less important than asked for is left out', () => {
  const { logger, written } = made({ level: 'warn' });
  logger.log('p').info('no');
  logger.log('p').warn('yes');
  logger.say({ level: 'error', message: 'failed' });
  assert.equal(written.length, 2);
});

test('lines that nobody reads are left out beyond a bound, and counted', () => {
  const { logger, written, output } = made({ format: 'json' }, { writableLength: 0 });
  output.writableLength = MOST_WAITING_BYTES + 1;
  for (let line = 0; line < 7; line++) logger.log('p').info('lost');
  assert.deepEqual(written, []);
  output.writableLength = 0;
  logger.log('p').info('read');
  assert.deepEqual(
    written.map((line) => JSON.parse(line).message),
    ['7 log lines were left out: nobody read standard error', 'read'],
  );
});
