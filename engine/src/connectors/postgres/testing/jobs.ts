/** Punchlines that write rows of a file to PostgreSQL, for tests. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { reef, startReef, temporaryFolder } from '../../../testing/reef-process.ts';
import type { Postgres } from '../../../testing/servers/postgres.ts';

let tables = 0;

/** A new table that belongs to the user of the tests; its name. */
export async function table(db: Postgres, columns: string): Promise<string> {
  const name = `t${++tables}`;
  await db.sql(`CREATE TABLE ${name} (${columns}); ALTER TABLE ${name} OWNER TO reef`);
  return name;
}

export interface Job {
  readonly folder: string;
  readonly file: string;
  readonly state: string;
  run(): ReturnType<typeof reef>;
  start(): ReturnType<typeof startReef>;
  /** What stands in the error documents. */
  reasons(): readonly string[];
  /** The rows that these are of. */
  refused(): readonly string[];
}

interface Document {
  readonly reason: string;
  readonly origin: { readonly text: string };
}

/** A punchline that sends these rows to a table. */
export function job(t: TestContext, db: Postgres, rows: readonly (string | Uint8Array)[], settings: object): Job {
  const folder = temporaryFolder(t);
  const state = join(folder, 'state');
  writeFileSync(
    join(folder, 'rows.jsonl'),
    Buffer.concat(rows.map((row) => Buffer.concat([Buffer.from(row), Buffer.from('\n')]))),
  );
  const file = join(folder, 'p.yaml');
  const out = {
    port: db.ports.postgres,
    database: db.database,
    user: db.user,
    password: `\${PASSWORD}`,
    encryption: 'none',
    batch: { timeout_ms: 5 },
    retry: { initial_ms: 20, max_ms: 100 },
    ...settings,
  };
  const dag = [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'rows.jsonl' }, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'postgres', settings: out },
  ];
  writeFileSync(file, JSON.stringify({ kind: 'BatchPunchline', metadata: { name: 'db' }, spec: { dag } }));
  const args = ['run', file, '--state', state];
  const env = { PASSWORD: db.password };
  const documents = (): Document[] => {
    const file = join(state, 'dead-letters.ndjson');
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
    return lines.map((line) => JSON.parse(line) as Document);
  };
  return {
    folder,
    file,
    state,
    run: () => reef(t, args, env),
    start: () => startReef(t, args, env),
    reasons: () => documents().map(({ reason }) => reason),
    refused: () => documents().map(({ origin }) => origin.text),
  };
}

/** Runs it to its end, which must be good; resolves with what it said. */
export async function ran(job: Job): Promise<string> {
  const { code, stderr } = await job.run();
  assert.equal(code, 0, stderr);
  return stderr;
}

export async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await done())) await pause(10);
}
