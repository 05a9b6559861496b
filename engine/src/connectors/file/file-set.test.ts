import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Codec } from '../../spec/plan.ts';
import type { RowTexts } from '../../spec/row-texts.ts';
import type { Sink, SinkChunk, SinkPosition } from '../../spec/sink.ts';
import { TestLog, temporaryFolder } from '../testing/test-context.ts';
import { type FileSetOptions, openFileSet } from './file-set.ts';

type Row = Readonly<Record<string, string | number>>;

async function openSet(t: TestContext, folder: string, given: Partial<FileSetOptions> = {}): Promise<Sink> {
  const opened = await openFileSet({
    id: 'out',
    name: 'out/%{k}.jsonl',
    folder,
    codec: { name: 'json' },
    mode: 'append',
    compression: 'auto',
    sync: 'checkpoint',
    rotateBytes: undefined,
    rotateSecs: undefined,
    mostOpen: 3,
    resume: undefined,
    memory: join(folder, 'state/out'),
    forgets: false,
    log: new TestLog(),
    ...given,
  });
  t.after(() => opened.close('stopped').catch(() => {}));
  return opened;
}

function texts(lines: readonly string[]): RowTexts {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const offsets = new Uint32Array(lines.length + 1);
  lines.forEach((line, row) => {
    offsets[row + 1] = offsets[row]! + Buffer.byteLength(line) + 1;
  });
  return { bytes, offsets };
}

function chunk(rows: readonly Row[], columns: readonly string[] = ['k']): SinkChunk {
  const side = columns.map((column) => texts(rows.map((row) => String(row[column] ?? ''))));
  return { ...texts(rows.map((row) => JSON.stringify(row))), rows: rows.length, side, partition: 'in/0' };
}

/** Files below the folder with their rows. */
async function contents(folder: string, unpack: (bytes: Buffer) => Buffer = (bytes) => bytes): Promise<Record<string, string[]>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = files.sort().map(async (path) => {
    const text = unpack(await readFile(path)).toString();
    assert.ok(text === '' || text.endsWith('\n'), `${path} ends in the middle of a line`);
    return [relative(folder, path), text.split('\n').slice(0, -1)] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

const json = (row: Row): string => JSON.stringify(row);

describe('a set of files', () => {
  test('has a file for each name, with the rows in their order, more of them than may be open', async (t) => {
    const folder = await temporaryFolder(t);
    const sink = await openSet(t, folder);
    const rows = Array.from({ length: 100 }, (_, n) => ({ k: `k${(n * 7) % 10}`, n }));
    for (let at = 0; at < 100; at += 20) await sink.write(chunk(rows.slice(at, at + 20)));
    await sink.sync?.();
    const expected = Object.fromEntries(
      Array.from({ length: 10 }, (_, k) => [`k${k}.jsonl`, rows.filter((row) => row.k === `k${k}`).map(json)]),
    );
    assert.deepEqual(await contents(join(folder, 'out')), expected);
  });

  test('begins each file of CSV with the header, compressed by its ending', async (t) => {
    const folder = await temporaryFolder(t);
    const codec: Codec = { name: 'csv', separator: ',', header: true, columns: ['k', 'n'] };
    const sink = await openSet(t, folder, { name: 'out/%{k}.csv.gz', codec });
    const csv = (rows: readonly Row[]): SinkChunk => ({ ...chunk(rows), ...texts(rows.map((row) => `${row.k},${row.n}`)) });
    for (let n = 0; n < 3; n++)
      await sink.write(
        csv([
          { k: 'a', n },
          { k: 'b', n },
        ]),
      );
    assert.deepEqual(await contents(join(folder, 'out'), gunzipSync), {
      'a.csv.gz': ['k,n', 'a,0', 'a,1', 'a,2'],
      'b.csv.gz': ['k,n', 'b,0', 'b,1', 'b,2'],
    });
  });

  test('a file that is full gives way to the next, and none is larger unless a single row is', async (t) => {
    const folder = await temporaryFolder(t);
    const sink = await openSet(t, folder, { rotateBytes: 100 });
    const rows = Array.from({ length: 60 }, (_, n) => ({ k: n % 2 ? 'a' : 'b', n, pad: 'x'.repeat(n === 31 ? 200 : n % 9) }));
    for (let at = 0; at < 60; at += 25) await sink.write(chunk(rows.slice(at, at + 25)));
    const files = await contents(join(folder, 'out'));
    for (const k of ['a', 'b']) {
      const names = Object.keys(files).filter((name) => name.startsWith(k));
      assert.deepEqual(
        names,
        names.map((_, n) => `${k}-${String(n + 1).padStart(6, '0')}.jsonl`),
      );
      assert.deepEqual(
        names.flatMap((name) => files[name]),
        rows.filter((row) => row.k === k).map(json),
      );
      for (const name of names) {
        const { size } = await stat(join(folder, 'out', name));
        assert.ok(size <= 100 || files[name]!.length === 1, `${name}: ${size}`);
      }
    }
  });

  test('compressed files give way too, in whole batches', async (t) => {
    const folder = await temporaryFolder(t);
    const sink = await openSet(t, folder, { name: 'out/x.jsonl.gz', rotateBytes: 150 });
    const rows = Array.from({ length: 10 }, (_, n) => ({ n, pad: 'x'.repeat(50) }));
    for (const row of rows) await sink.write(chunk([row], []));
    const files = await contents(join(folder, 'out'), gunzipSync);
    assert.ok(Object.keys(files).length > 2);
    assert.deepEqual(Object.values(files).flat(), rows.map(json));
    for (const name of Object.keys(files)) assert.ok((await stat(join(folder, 'out', name))).size <= 150);
  });

  test('a file that is old gives way to the next, also after a restart', async (t) => {
    const folder = await temporaryFolder(t);
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const options = { name: 'x.jsonl', rotateSecs: 10 };
    let sink = await openSet(t, folder, options);
    await sink.write(chunk([{ n: 1 }], []));
    t.mock.timers.tick(9000);
    const resume = await sink.write(chunk([{ n: 2 }], []));
    t.mock.timers.tick(1000);
    await sink.write(chunk([{ n: 3 }], []));
    await sink.close('stopped');
    t.mock.timers.tick(60_000);
    sink = await openSet(t, folder, { ...options, resume });
    await sink.write(chunk([{ n: 4 }], []));
    await rm(join(folder, 'state'), { recursive: true });
    assert.deepEqual(await contents(folder), { 'x-000001.jsonl': ['{"n":1}', '{"n":2}'], 'x-000002.jsonl': ['{"n":4}'] });
  });

  test('goes on behind what is there in append, and replaces the files that it writes in overwrite', async (t) => {
    for (const rotateBytes of [undefined, 20]) {
      const folder = await temporaryFolder(t);
      const run = async (given: Partial<FileSetOptions>, rows: readonly Row[]): Promise<Record<string, string[]>> => {
        const sink = await openSet(t, folder, { rotateBytes, ...given });
        // Only one of them is open at a time: a file that is opened again must not be emptied again.
        for (const row of rows) await sink.write(chunk([row]));
        await sink.close('finished');
        return contents(join(folder, 'out'));
      };
      const rows = [
        { k: 'a', n: 1 },
        { k: 'b', n: 2 },
        { k: 'a', n: 3 },
      ];
      const one = { mostOpen: 1 };
      const first = await run({ mode: 'overwrite', ...one }, rows);
      assert.deepEqual(Object.values(first).flat().sort(), rows.map(json).sort());
      assert.deepEqual(await run({ mode: 'overwrite', ...one }, rows), first, 'the same again');
      const both = await run({ mode: 'append', ...one }, rows);
      assert.deepEqual(Object.values(both).flat().sort(), [...rows, ...rows].map(json).sort());
      assert.deepEqual(
        (await run({ mode: 'overwrite', ...one }, [{ k: 'a', n: 9 }]))[rotateBytes ? 'a-000001.jsonl' : 'a.jsonl'],
        ['{"k":"a","n":9}'],
      );
    }
  });

  test('after a crash every file holds what the checkpoint covers and nothing else', async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd', '../e'), { minLength: 1, maxLength: 6 }), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.nat(),
        fc.constantFrom(undefined, 60),
        fc.constantFrom('out/%{k}.jsonl', 'out/%{k}.jsonl.gz'),
        fc.boolean(),
        async (chunks, at, rotateBytes, name, overwrite) => {
          const folder = await temporaryFolder(t);
          const options = { rotateBytes, name, mode: overwrite ? 'overwrite' : 'append', mostOpen: 2 } as const;
          const unpack = name.endsWith('gz') ? gunzipSync : undefined;
          let n = 0;
          const data = chunks.map((keys) => keys.map((k) => ({ k, n: n++ })));
          const first = await openSet(t, folder, options);
          const positions: SinkPosition[] = [first.position!()!];
          for (const rows of data) {
            positions.push((await first.write(chunk(rows)))!);
            if (n % 3 === 0) first.committed?.(positions.at(-1)!);
          }
          // As if it was killed: closing changes no file. It may have been in the middle of a write.
          await first.close('stopped');
          const covered = at % positions.length;
          const [, last] = JSON.parse((await readFile(join(folder, 'state/out'), 'utf8')).trim().split('\n').at(-1)!) as [
            number,
            string,
          ];
          if (covered < data.length) await appendFile(last, '{"torn');
          const second = await openSet(t, folder, { ...options, resume: positions[covered] });
          for (const rows of data.slice(covered)) await second.write(chunk(rows));
          await second.close('finished');
          const files = await contents(join(folder, 'out'), unpack);
          const found = Object.values(files)
            .flat()
            .map((line) => (JSON.parse(line) as { n: number }).n);
          assert.deepEqual(
            found.sort((x, y) => x - y),
            Array.from({ length: n }, (_, i) => i),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test('the journal is written anew when it is long, and still knows what is not covered', async (t) => {
    const folder = await temporaryFolder(t);
    const options = { mode: 'overwrite', memory: join(folder, 'j') } as const;
    const sink = await openSet(t, folder, options);
    await sink.write(chunk([{ k: 'first' }]));
    let position: SinkPosition | undefined;
    for (let n = 0; n < 12_000; n++) {
      position = await sink.write(chunk([{ k: `k${n % 3}`, n }]));
      if (n % 100 === 0) sink.committed?.(position!);
    }
    assert.ok((await stat(join(folder, 'j'))).size < 1_200_000);
    await sink.write(chunk([{ k: 'new' }]));
    const second = await openSet(t, folder, { ...options, resume: position });
    await second.write(chunk([{ k: 'first' }]));
    const files = await contents(join(folder, 'out'));
    assert.deepEqual(Object.keys(files), ['first.jsonl', 'k0.jsonl', 'k1.jsonl', 'k2.jsonl']);
    assert.equal(files['first.jsonl']?.length, 2, 'a file of this run was emptied');
    assert.equal(files['k0.jsonl']?.length, 4000);
  });

  test('a write that fails leaves nothing behind in any file, and is tried again', async (t) => {
    const folder = await temporaryFolder(t);
    const sink = await openSet(t, folder);
    await sink.write(
      chunk([
        { k: 'a', n: 0 },
        { k: 'b', n: 0 },
      ]),
    );
    // A folder where a file is to be.
    await mkdir(join(folder, 'out/c.jsonl'));
    const rows = [
      { k: 'a', n: 1 },
      { k: 'b', n: 1 },
      { k: 'd', n: 1 },
      { k: 'c', n: 1 },
    ];
    await assert.rejects(sink.write(chunk(rows)), {
      code: 'io',
      message: /^Cannot open file sink "out": .*c\.jsonl: it is a folder/,
    });
    assert.deepEqual(Object.values(await contents(join(folder, 'out'))).flat(), ['{"k":"a","n":0}', '{"k":"b","n":0}']);
    await rm(join(folder, 'out/c.jsonl'), { recursive: true });
    await sink.write(chunk(rows));
    assert.deepEqual((await contents(join(folder, 'out')))['b.jsonl'], ['{"k":"b","n":0}', '{"k":"b","n":1}']);
  });

  test('files that others have changed since are left alone, and told of', async (t) => {
    const folder = await temporaryFolder(t);
    const sink = await openSet(t, folder);
    const resume = await sink.write(
      chunk([
        { k: 'a', n: 0 },
        { k: 'b', n: 0 },
        { k: 'c', n: 0 },
      ]),
    );
    await sink.write(
      chunk([
        { k: 'a', n: 1 },
        { k: 'b', n: 1 },
        { k: 'c', n: 1 },
      ]),
    );
    await rm(join(folder, 'out/a.jsonl'));
    await truncate(join(folder, 'out/b.jsonl'), 3);
    await rm(join(folder, 'out/c.jsonl'));
    await writeFile(join(folder, 'out/d'), '');
    await writeFile(join(folder, 'out/c.jsonl'), 'mine\n');
    const log = new TestLog();
    await openSet(t, folder, { resume, log });
    assert.equal(log.warnings.length, 2);
    assert.equal(await readFile(join(folder, 'out/c.jsonl'), 'utf8'), 'mine\n');
  });

  test('what is there must be compressed in the same way', async (t) => {
    const folder = await temporaryFolder(t);
    await mkdir(join(folder, 'out'));
    await writeFile(join(folder, 'out/a.jsonl.gz'), '{"plain":1}\n');
    const sink = await openSet(t, folder, { name: 'out/%{k}.jsonl.gz' });
    await assert.rejects(sink.write(chunk([{ k: 'a' }])), /is not compressed, expected gzip/);
  });
});
