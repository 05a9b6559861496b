/** What goes wrong in and around a real PostgreSQL: what may pass is waited for, what is a row's own fault costs that row alone. */
import assert from 'node:assert/strict';
import { chownSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { wholeFile } from '../../testing/owner.ts';
import type { ReefProcess } from '../../testing/reef-process.ts';
import { missing } from '../../testing/servers/needs.ts';
import { type Postgres, postgres, startPostgres } from '../../testing/servers/postgres.ts';
import { runProgram, userIds } from '../../testing/servers/run-program.ts';
import { job, ran, table, until } from './testing/jobs.ts';

const skip = await missing(postgres);
const options = { skip, timeout: 60_000 };
const shared = skip ? undefined : await startPostgres(wholeFile);
const methods = ['copy', 'insert'] as const;

function server(): Postgres {
  return shared!;
}

/** Resolves once it has said this. */
function says({ child, ended }: ReefProcess, pattern: RegExp): Promise<void> {
  let text = '';
  return new Promise((resolve, reject) => {
    child.stderr.on('data', (piece: string) => {
      text += piece;
      if (pattern.test(text)) resolve();
    });
    void ended.then(({ stderr }) => reject(new Error(`reef ended before it said ${pattern}:\n${stderr}`)));
  });
}

async function endedWell({ ended }: ReefProcess): Promise<void> {
  const { code, stderr } = await ended;
  assert.equal(code, 0, stderr);
}

// ------------------------------------------------------------------------------------------------------ values

/** A type, what it cannot take, and what the server says of that. */
const misfits = [
  ['smallint', '70000', '22003'],
  ['integer', '3000000000', '22003'],
  ['integer', '1.5', '22P02'],
  ['integer', '"12 apples"', '22P02'],
  ['numeric(5,2)', '123456.7', '22003'],
  ['real', '1e300', '22003'],
  ['date', '"2026-02-30"', '22008'],
  ['date', '"yesterday evening"', '22007'],
  ['timestamptz', '"2026-13-01T00:00:00Z"', '22008'],
  ['varchar(3)', '"abcd"', '22001'],
  ['char(2)', '"abc"', '22001'],
  ['text', '"a\\u0000c"', '22(021|P05)'],
  ['boolean', '"perhaps"', '22P02'],
  ['uuid', '"1234"', '22P02'],
  ['inet', '"1.2.3.256"', '22P02'],
  ['jsonb', '"{not json"', '22P02'],
  ['jsonb', '"{\\"a\\":\\"\\\\u0000\\"}"', '22P05'],
  ['text not null', 'null', '23502'],
  ['integer check (value < 10)', '11', '23514'],
  ['bit(3)', '"1010"', '22026'],
] as const;

for (const method of methods) {
  test(`values that do not fit cost their rows and no others, ${method}`, { ...options, timeout: 120_000 }, async (t) => {
    const db = server();
    for (const [type, value, state] of misfits) {
      // As JSON, a document in a text is a text.
      if (method === 'insert' && type === 'jsonb') continue;
      const name = await table(db, `id int primary key, value ${type}`);
      const good = type.includes('not null')
        ? '"x"'
        : type.includes('char') || type === 'text'
          ? '"abc"'.slice(0, 3).concat('"')
          : 'null';
      const rows = Array.from({ length: 60 }, (_, id) => `{"id":${id},"value":${id === 23 ? value : good}}`);
      const made = job(t, db, rows, { table: name, method, columns: { id: 'id', value: 'value' } });
      await ran(made);
      const context = `${type} ${value}`;
      assert.deepEqual(await db.sql(`SELECT count(*), sum(id) FROM ${name}`), [`59|${1770 - 23}`], context);
      assert.deepEqual(made.refused(), [rows[23]], context);
      assert.match(made.reasons()[0]!, new RegExp(`SQLSTATE ${state}$`), context);
    }
  });
}

test('a row that is no UTF-8 never gets as far as the server, and its neighbours do', options, async (t) => {
  const db = server();
  const name = await table(db, 'id int, text text');
  const made = job(
    t,
    db,
    ['{"id":1,"text":"a"}', Buffer.from('7b226964223a322c2274657874223a22ff227d', 'hex'), '{"id":3,"text":"c"}'],
    {
      table: name,
      columns: { id: 'id', text: 'text' },
    },
  );
  await ran(made);
  assert.deepEqual(await db.sql(`SELECT id FROM ${name} ORDER BY id`), ['1', '3']);
  assert.equal(made.reasons().length, 1);
  assert.match(made.reasons()[0]!, /UTF-8/);
});

test(
  'what a trigger refuses is refused, what a unique key refuses too, and nothing of it stands there twice',
  options,
  async (t) => {
    const db = server();
    const name = await table(db, 'id int primary key');
    await db.sql(`CREATE FUNCTION no_sevens() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF new.id % 7 = 0 THEN RAISE EXCEPTION 'no sevens'; END IF; RETURN new; END $$;
    CREATE TRIGGER no_sevens BEFORE INSERT ON ${name} FOR EACH ROW EXECUTE FUNCTION no_sevens()`);
    const rows = [...Array.from({ length: 50 }, (_, id) => `{"id":${id + 1}}`), '{"id":3}'];
    const made = job(t, db, rows, { table: name, columns: { id: 'id' } });
    await ran(made);
    assert.deepEqual(await db.sql(`SELECT count(*), count(*) FILTER (WHERE id % 7 = 0) FROM ${name}`), ['43|0']);
    assert.equal(made.reasons().filter((reason) => /no sevens.*SQLSTATE P0001/.test(reason)).length, 7);
    assert.equal(made.reasons().filter((reason) => /SQLSTATE 23505/.test(reason)).length, 1);
  },
);

// ------------------------------------------------------------------------------------------------------ the server

/** A file system of a few megabytes, with a tablespace on it. */
async function smallTablespace(t: TestContext, db: Postgres): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'reef-small-'));
  await runProgram(['mount', '-t', 'tmpfs', '-o', 'size=2200k', 'tmpfs', folder]);
  t.after(async () => {
    await runProgram(['umount', '-l', folder]);
    rmdirSync(folder);
  });
  const { uid, gid } = await userIds('postgres');
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  await db.sql(`CREATE TABLESPACE small LOCATION '${folder}'`);
}

/** Only root may mount, and not in every container. */
const noMount =
  skip ||
  (await runProgram(['unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).then(
    () => false as const,
    () => 'a file system cannot be mounted here, expected to be root with the right to',
  ));

for (const method of methods) {
  test(`a full disk is waited for, and all rows arrive once there is room, ${method}`, {
    ...options,
    skip: noMount,
  }, async (t) => {
    const db = await startPostgres(t);
    await smallTablespace(t, db);
    const name = await table(db, 'id int primary key, text text');
    await db.sql(
      `ALTER TABLE ${name} SET TABLESPACE small; CREATE TABLE filler TABLESPACE small AS SELECT repeat('x', 1000) FROM generate_series(1, 1200)`,
    );
    const rows = Array.from({ length: 2000 }, (_, id) => `{"id":${id},"text":"${'y'.repeat(700)}"}`);
    const made = job(t, db, rows, { table: name, method, columns: { id: 'id', text: 'text' }, batch: { rows: 100 } });
    const running = made.start();
    await says(running, /No space left on device.*SQLSTATE 53100/);
    await db.sql('DROP TABLE filler; CHECKPOINT');
    await endedWell(running);
    assert.deepEqual(await db.sql(`SELECT count(*), sum(id) FROM ${name}`), ['2000|1999000']);
    assert.deepEqual(made.reasons(), []);
  });

  test(`a lock that another session holds is waited for, ${method}`, options, async (t) => {
    const db = server();
    const name = await table(db, 'id int primary key');
    const rows = Array.from({ length: 500 }, (_, id) => `{"id":${id}}`);
    const settings = { table: name, method, columns: { id: 'id' }, statement_timeout_secs: 0.3 };
    const made = job(t, db, rows, settings);
    const holding = db.sql(`BEGIN; LOCK ${name}; SELECT pg_sleep(3); COMMIT`);
    await until(
      async () => (await db.sql(`SELECT count(*) FROM pg_locks WHERE relation = '${name}'::regclass AND granted`))[0] === '1',
    );
    const running = made.start();
    // It gives up in time, so that other bulks are not held up, and asks again.
    await says(running, /canceling statement due to statement timeout, SQLSTATE 57014/);
    await holding;
    await endedWell(running);
    assert.deepEqual(await db.sql(`SELECT count(*), sum(id) FROM ${name}`), ['500|124750']);
    assert.deepEqual(made.reasons(), []);
  });

  test(
    `a server that is killed in the middle of a bulk has nothing of it, and gets all of it again, ${method}`,
    options,
    async (t) => {
      const db = await startPostgres(t);
      const name = await table(db, 'id int primary key');
      // In the middle of a bulk it takes its time, but not for long enough to be given up.
      await db.sql(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF new.id = 250 THEN PERFORM pg_sleep(2); END IF; RETURN new; END $$;
      CREATE TRIGGER slow BEFORE INSERT ON ${name} FOR EACH ROW EXECUTE FUNCTION slow()`);
      const rows = Array.from({ length: 500 }, (_, id) => `{"id":${id}}`);
      const made = job(t, db, rows, { table: name, method, columns: { id: 'id' }, batch: { rows: 500 } });
      const running = made.start();
      await until(async () => (await db.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))[0] === '1');
      await db.kill();
      await db.start();
      assert.deepEqual(await db.sql(`SELECT count(*) FROM ${name}`), ['0']);
      await endedWell(running);
      assert.deepEqual(await db.sql(`SELECT count(*), sum(id) FROM ${name}`), ['500|124750']);
      assert.deepEqual(made.reasons(), []);
    },
  );

  test(`an administrator who ends the session, takes rights away or the table, is waited for, ${method}`, {
    skip,
    timeout: 120_000,
  }, async (t) => {
    const db = server();
    const name = await table(db, 'id int primary key');
    const rows = Array.from({ length: 20_000 }, (_, id) => `{"id":${id}}`);
    const conflict = method === 'insert' ? { on_conflict: 'nothing' } : {};
    const made = job(t, db, rows, { table: name, method, columns: { id: 'id' }, batch: { rows: 20 }, ...conflict });
    const running = made.start();
    const grown = async (): Promise<void> => {
      const count = async () => Number((await db.sql(`SELECT count(*) FROM ${name}`))[0]);
      const before = await count();
      await until(async () => (await count()) > before + 200);
    };
    await grown();
    await db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'reef'");
    await grown();
    await db.sql(`ALTER TABLE ${name} OWNER TO admin`);
    await says(running, /permission denied for table .*SQLSTATE 42501/);
    await db.sql(`ALTER TABLE ${name} OWNER TO reef`);
    await grown();
    await db.sql(`ALTER TABLE ${name} RENAME TO ${name}_away`);
    await says(running, /does not exist.*SQLSTATE 42P01/);
    await db.sql(`ALTER TABLE ${name}_away RENAME TO ${name}`);
    await endedWell(running);
    assert.deepEqual(await db.sql(`SELECT count(*), sum(id) FROM ${name}`), ['20000|199990000']);
    assert.deepEqual(made.reasons(), []);
  });
}

// ------------------------------------------------------------------------------------------------------ the table

for (const method of methods) {
  test(`a column that is dropped while rows come is asked for until it is back, ${method}`, options, async (t) => {
    const db = server();
    const name = await table(db, 'id int primary key, text text');
    const rows = Array.from({ length: 10_000 }, (_, id) => `{"id":${id},"text":"x"}`);
    const made = job(t, db, rows, { table: name, method, columns: { id: 'id', text: 'text' }, batch: { rows: 20 } });
    const running = made.start();
    await until(async () => Number((await db.sql(`SELECT count(*) FROM ${name}`))[0]) > 200);
    await db.sql(`ALTER TABLE ${name} DROP COLUMN text`);
    await says(running, /has no column "text"|column "text".* does not exist/);
    await db.sql(`ALTER TABLE ${name} ADD COLUMN text text`);
    await endedWell(running);
    assert.deepEqual(await db.sql(`SELECT count(*), sum(id) FROM ${name}`), ['10000|49995000']);
    assert.deepEqual(made.reasons(), []);
  });

  test(`a column whose type changes while rows come gets what fits from then on, ${method}`, options, async (t) => {
    const db = server();
    const name = await table(db, 'id int primary key, value text');
    const odd = (id: number): boolean => id % 1000 === 999;
    const rows = Array.from({ length: 10_000 }, (_, id) => `{"id":${id},"value":"${odd(id) ? 'x' : id}"}`);
    const made = job(t, db, rows, { table: name, method, columns: { id: 'id', value: 'value' }, batch: { rows: 50 } });
    const running = made.start();
    await until(async () => Number((await db.sql(`SELECT count(*) FROM ${name}`))[0]) > 200);
    await db.sql(
      `ALTER TABLE ${name} ALTER COLUMN value TYPE int USING CASE WHEN value ~ '^[0-9]+$' THEN value::int ELSE -1 END`,
    );
    await endedWell(running);
    // Those that came before the change are there with what it made of them, the others are refused.
    const [there] = await db.sql(`SELECT count(*) FROM ${name}`);
    assert.equal(Number(there) + made.reasons().length, 10_000);
    assert.deepEqual(await db.sql(`SELECT count(*) FROM ${name} WHERE id % 1000 <> 999 AND value = id`), ['9990']);
    assert.ok(made.reasons().length > 0, 'the type changed too late for this test');
    for (const reason of made.reasons()) assert.match(reason, /invalid input syntax for type integer: "x".*SQLSTATE 22P02/);
  });
}
