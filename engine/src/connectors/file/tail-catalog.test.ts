import assert from 'node:assert/strict';
import { mkdirSync, promises, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Position } from '../../spec/feed.ts';
import { temporaryFolder } from '../../testing/reef-process.ts';
import { TailCatalog } from './tail-catalog.ts';

const running = new AbortController().signal;

function catalogOf(folder: string, resume: ReadonlyMap<string, Position> = new Map()): TailCatalog {
  const log = { info() {}, warn() {}, error() {} };
  return new TailCatalog({ id: 'in', folder, path: join(folder, '*.log'), from: 'beginning', log }, resume);
}

function writeFiles(folder: string, count: number): string[] {
  const paths = Array.from({ length: count }, (_, n) => join(folder, `${n}.log`));
  for (const path of paths) writeFileSync(path, `{"path":"${path}"}\n`);
  return paths;
}

function positionsOf({ files }: TailCatalog): Map<string, Position> {
  return new Map(Array.from(files, (file) => [file.name, file.positions()(file.offset)]));
}

/** How often files are asked for what they are. */
function countStats(t: TestContext): () => number {
  const mocked = t.mock.method(promises, 'stat');
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  return () => mocked.mock.callCount();
}

test('of very many files that are gone, none is looked for among all others by itself', async (t) => {
  const folder = temporaryFolder(t);
  const paths = writeFiles(folder, 200);
  const first = catalogOf(folder);
  await first.scan(0, running);
  for (const path of paths.slice(100)) unlinkSync(path);
  const second = catalogOf(folder, positionsOf(first));
  const stats = countStats(t);
  const { lost } = await second.scan(0, running);
  assert.equal(lost.length, 0, 'a rotation may be moving names about just now');
  assert.equal(second.files.size, 100);
  assert.ok(stats() <= 400, `${stats()} files were looked at`);
  await second.scan(0, running);
  assert.equal((await second.scan(0, running)).lost.length, 100);
});

test('files that were renamed out of sight meanwhile are found, each by its content', async (t) => {
  const folder = temporaryFolder(t);
  const paths = writeFiles(folder, 20);
  const first = catalogOf(folder);
  await first.scan(0, running);
  for (const path of paths.slice(10)) renameSync(path, `${path}.1`);
  const second = catalogOf(folder, positionsOf(first));
  assert.deepEqual((await second.scan(0, running)).lost, []);
  assert.deepEqual(
    Array.from(second.files, ({ path }) => path).sort(),
    [...paths.slice(0, 10), ...paths.slice(10).map((path) => `${path}.1`)].sort(),
  );
});

test('a copy is suspected to be one of the file that it shares most of its beginning with', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'header.log'), 'time,text\n');
  writeFileSync(join(folder, 'app.log'), 'time,text\n1,one\n');
  const catalog = catalogOf(folder);
  await catalog.scan(0, running);
  mkdirSync(join(folder, 'other'));
  writeFileSync(join(folder, 'copy.log'), 'time,text\n1,one\n2,two\n');
  writeFileSync(join(folder, 'new.log'), '1,one\n');
  await catalog.scan(0, running);
  const original = (name: string) => catalog.at(join(folder, name))!.suspectedCopy?.original.path;
  assert.equal(original('copy.log'), join(folder, 'app.log'));
  assert.equal(original('new.log'), undefined);
});

test('a scan ends at once when it is told to stop', async (t) => {
  const folder = temporaryFolder(t);
  writeFiles(folder, 10);
  const catalog = catalogOf(folder);
  const stats = countStats(t);
  await assert.rejects(catalog.scan(0, AbortSignal.abort()), { name: 'AbortError' });
  assert.ok(stats() <= 1, `${stats()} files were looked at`);
  assert.equal(catalog.files.size, 0);
});
