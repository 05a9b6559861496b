import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { temporaryFolder } from '../testing/test-context.ts';

/** A process that reads its standard input through the source and writes what it is fed to standard output; a signal stops it. */
const script = `
  import { writeSync } from 'node:fs';
  import { FakeFeed } from ${JSON.stringify(new URL('../testing/fake-feed.ts', import.meta.url).href)};
  import stdin from ${JSON.stringify(new URL('./source.ts', import.meta.url).href)};
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort());
  const feed = new FakeFeed({ roomBytes: 10_000, signal: stop.signal });
  const note = feed.note.bind(feed);
  feed.note = (call) => { note(call); if (call.endsWith('flush')) writeSync(2, 'flush\\n'); };
  const log = { info() {}, warn() {} };
  const source = await stdin.open({ id: 'in', settings: {}, folder: '/', punchlineKind: 'StreamPunchline', log, codec: { name: 'json' }, declared: undefined });
  writeSync(2, 'ready\\n');
  try {
    await source.run(feed, stop.signal);
    await source.close();
  } catch (error) {
    writeSync(2, error.code + ' ' + error.message);
    process.exit(1);
  }
  const partition = feed.partitions.get('stdin');
  process.stdout.write(JSON.stringify({ text: partition.text, ended: partition.ended, replayable: partition.replayable }));`;

function start(stdin: 'pipe' | number): { child: ChildProcess; heard(text: string): Promise<void>; result(): Promise<Result> } {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: [stdin, 'pipe', 'pipe'] });
  let said = '';
  let out = '';
  child.stdout?.on('data', (part) => {
    out += part;
  });
  child.stderr?.on('data', (part) => {
    said += part;
  });
  return {
    child,
    async heard(text) {
      while (!said.includes(text)) await once(child.stderr!, 'data');
    },
    async result() {
      const [code] = await once(child, 'close');
      return { code, said, ...(out === '' ? {} : JSON.parse(out)) };
    },
  };
}

interface Result {
  readonly code: number;
  readonly said: string;
  readonly text: string;
  readonly ended: boolean;
  readonly replayable: boolean;
}

describe('stdin source', () => {
  test('reads a pipe to its end, larger than any buffer, and says that it cannot be replayed', async () => {
    const text = Array.from({ length: 50_000 }, (_, n) => `{"n":${n}}\n`).join('');
    const { child, result } = start('pipe');
    child.stdin?.end(text);
    const { text: fed, ended, replayable } = await result();
    assert.ok(fed === text);
    assert.equal(ended, true);
    assert.equal(replayable, false);
  });

  test('reads a file', async (t) => {
    const path = join(await temporaryFolder(t), 'in');
    await writeFile(path, 'a\n'.repeat(20_000));
    await using file = await open(path);
    const { text } = await start(file.fd).result();
    assert.equal(text, 'a\n'.repeat(20_000));
  });

  test('passes on a row from a pipe that stays open without waiting for more', async () => {
    const { child, heard, result } = start('pipe');
    child.stdin?.write('{"n":1}\n');
    await heard('flush');
    child.stdin?.end('{"n":2}');
    assert.equal((await result()).text, '{"n":1}\n{"n":2}');
  });

  test('stops, and lets the process end, while the pipe stays open and silent', async () => {
    const { child, heard, result } = start('pipe');
    await heard('ready');
    child.kill('SIGTERM');
    const { code, ended } = await result();
    assert.equal(code, 0);
    assert.equal(ended, false);
  });

  test('a folder as standard input is an error that says so', async (t) => {
    await using folder = await open(await temporaryFolder(t));
    const { code, said } = await start(folder.fd).result();
    assert.equal(code, 1);
    assert.match(said, /io Cannot read standard input: EISDIR/);
  });

  test('an empty standard input is an end', async () => {
    await using nothing = await open('/dev/null');
    const { text, ended } = await start(nothing.fd).result();
    assert.equal(text, '');
    assert.equal(ended, true);
  });
});
