/** The source and the sink alone, without a pipeline: what is read, where it goes on, what is there after a crash. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { openSink, readSource } from '@reef/engine/testing';
import sqliteSink from './sqlite-sink.ts';
import sqliteSource from './sqlite-source.ts';

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'reef-sqlite-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const settings = { path: 'in.db', table: 't', create_file: 'in.sql' };

test('the source reads a table in order, and goes on behind the last row that was delivered', async (t) => {
  const folder = newFolder(t);
  writeFileSync(join(folder, 'in.sql'), "CREATE TABLE t (n, s); INSERT INTO t VALUES (1, 'a'), (2, 'ü'), (3, NULL);");
  const first = await readSource(sqliteSource, { folder, settings, stopAfterRows: 2 });
  assert.deepEqual(first.rows, [
    { n: 1, s: 'a' },
    { n: 2, s: 'ü' },
  ]);
  const second = await readSource(sqliteSource, { folder, settings, resume: first.positions });
  assert.deepEqual(second.rows, [{ n: 3, s: null }]);
  const third = await readSource(sqliteSource, { folder, settings, resume: second.positions });
  assert.deepEqual(third.rows, []);
});

test('the source says what it cannot open, and which settings are wrong', async (t) => {
  const folder = newFolder(t);
  const wrong = { path: 'none.db', table: 't' };
  await assert.rejects(
    readSource(sqliteSource, { folder, settings: wrong }),
    /Cannot open SQLite source "test": .*none\.db: unable to/,
  );
  await assert.rejects(readSource(sqliteSource, { folder, settings: { path: 'x', table: 'a b' } }), /setting "table" is "a b"/);
});

test('a row that comes again replaces itself, and a row that cannot be written takes its chunk back', async (t) => {
  const folder = newFolder(t);
  const sink = await openSink(sqliteSink, { folder, settings: { path: 'out.db', table: 't', key_column: 'id' } });
  t.after(() => sink.close());
  await sink.write([{ id: 1, n: 1 }, { id: 2 }]);
  await sink.write([{ id: 1, n: 2 }]);
  const other = new DatabaseSync(join(folder, 'out.db'));
  t.after(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  await assert.rejects(sink.write([{ id: 3 }]), { name: 'ReefError', retry: true, message: /database is locked/ });
  other.exec('ROLLBACK');
  assert.deepEqual(
    other
      .prepare('SELECT row FROM t ORDER BY key')
      .all()
      .map(({ row }) => row),
    ['{"id":1,"n":2}', '{"id":2}'],
  );
});
