import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

test('peak memory is that of the process, not of a large one that started it', {
  skip: process.platform !== 'linux' && 'reads /proc',
}, () => {
  const large = Buffer.alloc(400e6, 1);
  const script = `import { peakMemoryBytes } from ${JSON.stringify(new URL('./peak-memory.ts', import.meta.url).href)};
    console.log(peakMemoryBytes());`;
  const peak = Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
  assert.ok(peak > 20e6 && peak < 200e6, `${peak} bytes beside ${large.length}`);
});
