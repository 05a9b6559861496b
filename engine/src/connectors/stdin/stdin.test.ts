import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
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
  const source = await stdin.open({ id: 'in', settings: { compression: 'auto' }, folder: '/', punchlineKind: 'StreamPunchline', log, codec: { name: 'json', ...(process.argv[1] === 'document' ? { form: 'document' } : {}) }, declared: undefined });
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

function start(
  stdin: 'pipe' | number,
  ...words: string[]
): { child: ChildProcess; heard(text: string): Promise<void>; result(): Promise<Result> } {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, ...words], { stdio: [stdin, 'pipe', 'pipe'] });
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

  for (const [format, compress] of [
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const) {
    test(`what is compressed with ${format} is seen to be, from a pipe and from a file`, async (t) => {
      const text = 'a\n'.repeat(20_000);
      const bytes = Buffer.concat([compress(text), compress('b\n')]);
      const path = join(await temporaryFolder(t), 'in');
      await writeFile(path, bytes);
      await using file = await open(path);
      assert.equal((await start(file.fd).result()).text, `${text}b\n`);
      const { child, result } = start('pipe');
      // In pieces, the first of one byte.
      child.stdin?.write(bytes.subarray(0, 1), () => child.stdin?.end(bytes.subarray(1)));
      assert.equal((await result()).text, `${text}b\n`);
    });
  }

  test('of compressed input that is cut off the whole rows are passed on before it fails', async () => {
    const { child, result } = start('pipe');
    child.stdin?.end(Buffer.concat([gzipSync('a\nb\n'), gzipSync('c\n').subarray(0, 12)]));
    const { code, said } = await result();
    assert.equal(code, 1);
    assert.match(said, /flush\nio Cannot decompress standard input: its gzip data ends too early/);
  });

  test('a JSON document becomes rows, compressed as well', async () => {
    const document = '[{"a":1},\n{"a":\n2}]';
    for (const bytes of [Buffer.from(document), gzipSync(document)]) {
      const { child, result } = start('pipe', 'document');
      child.stdin?.end(bytes);
      assert.deepEqual(
        (await result()).text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
        [{ a: 1 }, { a: 2 }],
      );
    }
  });

  test('a byte order mark is no part of the first row', async () => {
    const { child, result } = start('pipe');
    child.stdin?.end('\ufeff{"a":1}\n');
    assert.equal((await result()).text, '{"a":1}\n');
  });

  test('a first byte that a mark may begin with is not held back once more has come', async () => {
    const { child, heard, result } = start('pipe');
    child.stdin?.write('P\n');
    await heard('flush');
    child.stdin?.end();
    assert.equal((await result()).text, 'P\n');
  });

  test('an empty standard input is an end', async () => {
    await using nothing = await open('/dev/null');
    const { text, ended } = await start(nothing.fd).result();
    assert.equal(text, '');
    assert.equal(ended, true);
  });
});
