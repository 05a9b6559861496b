import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { mainFile } from '../testing/reef-process.ts';

test('a reader that has seen enough ends a command without a word', async () => {
  for (const args of [['list', '--json'], ['schema'], ['help']]) {
    const child = spawn(process.execPath, [mainFile, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.stdout.destroy();
    const [code] = await once(child, 'close');
    assert.deepEqual([args[0], code, said], [args[0], 0, '']);
  }
});
