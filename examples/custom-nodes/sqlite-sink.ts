/** A sink that writes rows into a table of an SQLite database, each under its key: a row that comes again replaces itself. */
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ReefError, sink, text } from '@reef/engine';

const SQLITE_BUSY = 5;

export default sink({
  summary: 'Writes rows into a table of an SQLite database, by key.',
  settings: {
    path: text('The database, made where there is none; a relative path starts at the folder of the punchline.'),
    table: text('The table, made where there is none, with the columns `key` and `row` (JSON).', { pattern: /^[A-Za-z_]\w*$/ }),
    key_column: text('The column whose value tells rows apart.'),
  },
  codecs: ['json'],
  delivery: 'At least once, and since a row replaces one with the same key, each stands there once.',
  security: 'It writes to the database that `path` names.',
  examples: [
    {
      title: 'By id',
      yaml: 'id: out\nkind: sink\ntype: ./sqlite-sink.ts\nsettings: { path: out.db, table: rows, key_column: id }\n',
    },
  ],
  open({ id, folder, settings }) {
    const path = resolve(folder, settings.path);
    mkdirSync(dirname(path), { recursive: true });
    const database = new DatabaseSync(path);
    database.exec(`CREATE TABLE IF NOT EXISTS ${settings.table} (key TEXT PRIMARY KEY, row TEXT NOT NULL)`);
    const insert = database.prepare(`INSERT OR REPLACE INTO ${settings.table} (key, row) VALUES (?, ?)`);
    return {
      async write({ bytes }) {
        try {
          database.exec('BEGIN IMMEDIATE');
          for (const line of new TextDecoder().decode(bytes).trimEnd().split('\n')) {
            const row = JSON.parse(line) as Record<string, unknown>;
            insert.run(String(row[settings.key_column]), line);
          }
          // Delivered means on disk.
          database.exec('COMMIT');
          return undefined;
        } catch (error) {
          if (database.isTransaction) database.exec('ROLLBACK');
          const retry = (error as { errcode?: number }).errcode === SQLITE_BUSY;
          throw new ReefError('io', `Cannot write to SQLite sink "${id}": ${(error as Error).message}`, { cause: error, retry });
        }
      },
      async close() {
        database.close();
      },
    };
  },
});
