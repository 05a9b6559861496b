import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder } from '../testing/test-context.ts';

const rows = 20_000;
const size = 100;

/** A process that writes `rows` rows through the sink from shared memory, then says so on standard error. */
const script = `
  import stdout from ${JSON.stringify(new URL('./sink.ts', import.meta.url).href)};
  const log = { info() {}, warn() {} };
  const sink = await stdout.open({ id: 'out', settings: {}, folder: '/', punchlineKind: 'BatchPunchline', log, codec: { name: 'line' } });
  const bytes = new Uint8Array(new SharedArrayBuffer(${100 * size}));
  try {
    for (let row = 0; row < ${rows}; row += 100) {
      for (let n = 0; n < 100; n++) bytes.set(Buffer.from(String(row + n).padStart(${size - 1}, '.') + '\\n'), n * ${size});
      await sink.write({ bytes, rows: 100, partition: 'p' });
    }
    await sink.close('finished');
    console.error('done');
  } catch (error) {
    console.error(error.code, error.retry, error.message);
  }`;
const args = ['--input-type=module', '-e', script];

function assertAllRows(text: string): void {
  assert.equal(text.length, rows * size);
  for (let row = 0; row < rows; row++) {
    assert.equal(text.slice(row * size, (row + 1) * size), `${String(row).padStart(size - 1, '.')}\n`);
  }
}

describe('stdout sink', () => {
  test('gives every row, in order, to a reader that starts late', async () => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const parts: Buffer[] = [];
    // The pipe is full long before: the writer waits.
    await once(child.stdout, 'readable');
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    await once(child, 'close');
    assertAllRows(Buffer.concat(parts).toString());
  });

  test('writes to a file and to a non-blocking pipe of another process alike', async (t) => {
    const path = join(await temporaryFolder(t), 'out');
    const file = await open(path, 'w');
    const child = spawn(process.execPath, args, { stdio: ['ignore', file.fd, 'ignore'] });
    await once(child, 'close');
    await file.close();
    assertAllRows(await readFile(path, 'utf8'));
    const { stdout } = await promisify(execFile)('sh', ['-c', '"$0" "$@" | cat', process.execPath, ...args], { maxBuffer: 1e8 });
    assertAllRows(stdout);
  });

  test('a reader that goes away is the error "closed", which is not retried', async () => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let message = '';
    child.stderr.on('data', (part) => {
      message += part;
    });
    await once(child.stdout, 'readable');
    child.stdout.destroy();
    await once(child, 'close');
    assert.match(message, /^closed false Cannot write to standard output: the reader has closed its end/);
  });

  test('a full device asks for a retry', async () => {
    const { stderr } = await promisify(execFile)('sh', ['-c', '"$0" "$@" > /dev/full', process.execPath, ...args]);
    assert.match(stderr, /^io true Cannot write to standard output: ENOSPC/);
  });
});
