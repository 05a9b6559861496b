import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from './node.ts';
import { MOST_LINES, nodeLog, WINDOW_MS } from './node-log.ts';

function recorded(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const line = (level: string) => (message: string, data?: object) => {
    lines.push(`${level} ${message} ${JSON.stringify(data)}`);
  };
  return { log: { info: line('info'), warn: line('warn') }, lines };
}

test("a node's lines name it, whatever they say themselves", () => {
  const { log, lines } = recorded();
  nodeLog(log, 'f').info('hello', { rows: 2, node: 'other' });
  assert.deepEqual(lines, ['info hello {"rows":2,"node":"f"}']);
});

test('of a flood the first lines pass, and it is said that others are left out and how many', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { log, lines } = recorded();
  const flooded = nodeLog(log, 'f');
  for (let line = 0; line < MOST_LINES + 500; line++) flooded.warn(`line ${line}`);
  assert.equal(lines.length, MOST_LINES + 1);
  assert.match(lines.at(-1)!, /lines of node "f" are left out from here: at most 1000 in 10 s/);
  t.mock.timers.tick(WINDOW_MS);
  assert.match(lines.at(-1)!, /500 lines of node "f" were left out/);
  flooded.info('again');
  assert.match(lines.at(-1)!, /^info again/);
});
