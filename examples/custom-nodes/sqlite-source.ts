/**
 * A source that reads a table of an SQLite database in the order of its rows, and goes on behind the last one that was delivered. In
 * a StreamPunchline it then waits for more; in a BatchPunchline it ends.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type Feed,
  feedBytes,
  number,
  type PartitionFeed,
  ReefError,
  type Source,
  type SourceContext,
  source,
  text,
} from '@reef/engine';

const settings = {
  path: text('The database; a relative path starts at the folder of the punchline.'),
  table: text('The table whose rows are read.', { pattern: /^[A-Za-z_]\w*$/ }),
  create_file: text('Statements that make the database when it is not there yet.', { optional: true }),
  poll_secs: number('How often a StreamPunchline looks for more rows.', { default: 1, min: 0.01, unit: 's' }),
};

export default source({
  summary: 'Reads the rows of a table of an SQLite database.',
  settings,
  codecs: ['json'],
  delivery: 'At least once: goes on behind the last row that was delivered. Rows must not be deleted before that.',
  security: 'It reads the database that `path` names.',
  examples: [
    {
      title: 'A table',
      yaml: 'id: in\nkind: source\ntype: ./sqlite-source.ts\nsettings: { path: weather.db, table: readings }\nout:\n  - id: next\n',
    },
  ],
  open: (context) => new SqliteSource(context),
});

/** The engine asks for a position by the number of bytes that were fed: these say which row ended there. */
interface RowEnd {
  readonly offset: number;
  readonly rowid: number;
}

class SqliteSource implements Source {
  readonly #context: SourceContext<typeof settings>;
  readonly #database: DatabaseSync;
  #ends: RowEnd[] = [];

  constructor(context: SourceContext<typeof settings>) {
    const { id, folder, settings } = context;
    const path = resolve(folder, settings.path);
    this.#context = context;
    try {
      this.#database =
        settings.create_file === undefined || existsSync(path)
          ? new DatabaseSync(path, { readOnly: true })
          : create(path, resolve(folder, settings.create_file));
    } catch (error) {
      throw new ReefError('config', `Cannot open SQLite source "${id}": ${path}: ${(error as Error).message}`, { cause: error });
    }
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    const { settings, punchlineKind } = this.#context;
    const start = (feed.resume.get(settings.table) as unknown as RowEnd | undefined) ?? { offset: 0, rowid: 0 };
    this.#ends = [start];
    const partition = feed.partition(settings.table, {
      offset: start.offset,
      position: (offset) => ({ ...this.#endAt(offset) }),
    });
    const next = this.#database.prepare(`SELECT rowid AS _rowid, * FROM ${settings.table} WHERE rowid > ? ORDER BY rowid`);
    try {
      for (;;) {
        await this.#feedRows(next, partition, signal);
        if (punchlineKind === 'BatchPunchline' || signal.aborted) break;
        await wait(settings.poll_secs * 1000, undefined, { signal });
      }
      if (!signal.aborted) await partition.end();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** All up to here is delivered: what lies before need not be known any more. */
  committed(_partition: string, position: unknown): void {
    const { offset } = position as RowEnd;
    this.#ends = this.#ends.filter((end) => end.offset >= offset);
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  async #feedRows(next: StatementSync, partition: PartitionFeed, signal: AbortSignal): Promise<void> {
    let { offset, rowid } = this.#ends.at(-1)!;
    for (const row of next.iterate(rowid)) {
      if (signal.aborted) return;
      const { _rowid, ...columns } = row;
      const line = Buffer.from(`${JSON.stringify(columns)}\n`);
      offset += line.length;
      rowid = Number(_rowid);
      // Before the bytes are handed over: the engine may ask for the position at once.
      this.#ends.push({ offset, rowid });
      await feedBytes(partition, line);
    }
    // Nothing follows soon: what is there goes now.
    await partition.room();
    partition.advance(0, { flush: true });
  }

  #endAt(offset: number): RowEnd {
    return this.#ends.findLast((end) => end.offset <= offset)!;
  }
}

function create(path: string, statements: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec(readFileSync(statements, 'utf8'));
  return database;
}
