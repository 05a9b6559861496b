/** The sink against a real PostgreSQL, by the real command. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCertificate } from '../../testing/certificates.ts';
import { wholeFile } from '../../testing/owner.ts';
import { reef } from '../../testing/reef-process.ts';
import { missing } from '../../testing/servers/needs.ts';
import { type Postgres, postgres, startPostgres } from '../../testing/servers/postgres.ts';
import { oddRows } from '../testing/conformance/rows.ts';
import { job, ran, table, until } from './testing/jobs.ts';

const skip = await missing(postgres);
const options = { skip, timeout: 60_000 };
/** One for all tests that leave it running. */
const shared = skip ? undefined : await startPostgres(wholeFile);

function server(): Postgres {
  return shared!;
}

test('COPY keeps texts, numbers of any length, times, and what is empty apart from what is missing', options, async (t) => {
  const db = server();
  const name = await table(db, 'id bigint primary key, text text, number numeric, at timestamptz, flag boolean, more jsonb');
  const rows = [
    '{"id":9007199254740993,"text":"tab\\there\\nline\\r \\\\N \\\\ é 😀","number":12345678901234567890.123,"at":"2026-03-01T12:00:00Z","flag":true}',
    '{"id":2,"text":"","more":{"a":[1,"x\\ty"]}}',
    '{"id":3,"text":null,"number":null,"flag":false}',
    '{"id":4,"unknown":1}',
  ];
  await ran(
    job(t, db, rows, {
      table: name,
      columns: { id: 'id', text: 'text', number: 'number', at: 'at', flag: 'flag', more: 'more' },
    }),
  );
  const found = await db.sql(
    `SELECT row_to_json(r) FROM (SELECT id, text, number, at AT TIME ZONE 'UTC' AS at, flag, more FROM ${name} ORDER BY id) r`,
  );
  assert.deepEqual(found, [
    '{"id":2,"text":"","number":null,"at":null,"flag":null,"more":{"a": [1, "x\\ty"]}}',
    '{"id":3,"text":null,"number":null,"at":null,"flag":false,"more":null}',
    '{"id":4,"text":null,"number":null,"at":null,"flag":null,"more":null}',
    '{"id":9007199254740993,"text":"tab\\there\\nline\\r \\\\N \\\\ é 😀","number":12345678901234567890.123,"at":"2026-03-01T12:00:00","flag":true,"more":null}',
  ]);
});

for (const method of ['copy', 'insert']) {
  test(`a row that the table cannot take is refused by itself, with what the server says (${method})`, options, async (t) => {
    const db = server();
    const name = await table(db, 'id int primary key, small varchar(3), positive int check (positive > 0)');
    const rows = Array.from({ length: 300 }, (_, id) => `{"id":${id},"small":"abc","positive":1}`);
    rows[17] = '{"id":17,"small":"abcd","positive":1}';
    rows[18] = '{"id":"x","small":"abc","positive":1}';
    rows[200] = '{"id":200,"small":"abc","positive":-1}';
    rows[201] = '{"id":5,"small":"abc","positive":1}';
    rows[202] = '{"id":202,"small":"a\\u0000c","positive":1}';
    const made = job(t, db, rows, { table: name, method, columns: { id: 'id', small: 'small', positive: 'positive' } });
    await ran(made);
    assert.deepEqual(await db.sql(`SELECT count(*), min(id), max(id) FROM ${name}`), ['295|0|299']);
    const reasons = made.reasons();
    assert.equal(reasons.length, 5);
    for (const [code, text] of [
      ['22001', 'value too long for type character varying'],
      ['22P02', 'invalid input syntax for type integer: "x"'],
      ['23514', 'violates check constraint'],
      ['23505', 'duplicate key value violates unique constraint'],
    ] as const) {
      assert.ok(
        reasons.some((reason) => reason.includes(text) && reason.includes(`SQLSTATE ${code}`)),
        reasons.join('\n'),
      );
    }
  });
}

for (const method of ['copy', 'insert']) {
  test(`rows of 1 MB, empty texts and all of Unicode arrive as they were, but for U+0000 (${method})`, options, async (t) => {
    const db = server();
    const name = await table(db, 'n int, text text');
    const rows = oddRows();
    const settings = { table: name, method, columns: { n: 'n', text: 'text' } };
    const made = job(
      t,
      db,
      rows.map((row) => JSON.stringify(row)),
      settings,
    );
    await ran(made);
    // In hexadecimal: psql does not print U+10FFFF.
    const lines = await db.sql(`SELECT n, encode(convert_to(text, 'UTF8'), 'hex') FROM ${name} ORDER BY n`);
    const expected = rows.filter(({ text }) => !text.includes('\0'));
    assert.deepEqual(
      lines,
      expected.map(({ n, text }) => `${n}|${Buffer.from(text).toString('hex')}`),
    );
    assert.match(made.reasons().join('\n'), /^[^\n]*SQLSTATE 22(021|P05)$/);
  });
}

test('INSERT fills lists, documents, defaults and what the server makes, by name', options, async (t) => {
  const db = server();
  const name = await table(
    db,
    'n serial, id bigint generated always as identity, big bigint, list int[], texts text[], doc json, at timestamptz default now(), kind text default \'none\', "odd ""name" text',
  );
  const rows = [
    '{"big":9007199254740993,"list":[1,2],"texts":["a,b","\\"c"],"doc":{"b":1,"a":[]},"odd \\"name":"x"}',
    '{"kind":"own","n":77}',
  ];
  await ran(job(t, db, rows, { table: name }));
  assert.deepEqual(
    await db.sql(`SELECT n, id, big, list, texts, doc, at IS NOT NULL, kind, "odd ""name" FROM ${name} ORDER BY id`),
    ['1|1|9007199254740993|{1,2}|{"a,b","\\"c"}|{"b":1,"a":[]}|t|none|x', '77|2||||||own|'.replace('||||||', '|||||t|')],
  );
});

test('columns without a place are refused, left out, or stored as a document', options, async (t) => {
  const db = server();
  const rows = ['{"a":1}', '{"a":2,"b":"x","c":null}', '{"a":3}'];
  const strict = await table(db, 'a int');
  const refusing = job(t, db, rows, { table: strict });
  await ran(refusing);
  assert.deepEqual(await db.sql(`SELECT a FROM ${strict} ORDER BY a`), ['1', '3']);
  assert.match(refusing.reasons()[0]!, /^the table has no place for b, c, expected "unknown_columns"/);
  const loose = await table(db, 'a int');
  await ran(job(t, db, rows, { table: loose, unknown_columns: 'ignore' }));
  assert.deepEqual(await db.sql(`SELECT count(*) FROM ${loose}`), ['3']);
  const storing = await table(db, 'other int, more jsonb');
  await ran(job(t, db, rows, { table: storing, columns: { other: 'a' }, unknown_columns: 'store', unknown_column: 'more' }));
  assert.deepEqual(await db.sql(`SELECT other, more FROM ${storing} ORDER BY other`), ['1|', '2|{"b": "x", "c": null}', '3|']);
});

test('a key that is there already is left alone or replaced, also within one bulk', options, async (t) => {
  const db = server();
  const rows = ['{"id":1,"v":"new"}', '{"id":2,"v":"first"}', '{"id":2,"v":"last"}'];
  for (const [on_conflict, found] of [
    ['nothing', ['1|old', '2|first']],
    ['update', ['1|new', '2|last']],
  ] as const) {
    const name = await table(db, 'id int primary key, v text');
    await db.sql(`INSERT INTO ${name} VALUES (1, 'old')`);
    const made = job(t, db, rows, { table: name, on_conflict, conflict_columns: ['id'] });
    await ran(made);
    await ran(made);
    assert.deepEqual(await db.sql(`SELECT id, v FROM ${name} ORDER BY id`), found);
  }
});

test('nothing is made unless told, and what is told is made once', options, async (t) => {
  const db = server();
  const missingTable = await job(t, db, ['{"id":1}'], { table: 'not_there' }).run();
  assert.equal(missingTable.code, 1);
  assert.match(missingTable.stderr, /Cannot open PostgreSQL sink "out": .*relation "not_there" does not exist, SQLSTATE 42P01/);
  const settings = { table: 'reef.made', create_table: { id: 'bigint', at: 'timestamptz not null' }, conflict_columns: ['id'] };
  await db.sql('CREATE SCHEMA reef AUTHORIZATION reef');
  const made = job(t, db, ['{"id":1,"at":"2026-01-01"}'], { ...settings, on_conflict: 'nothing' });
  await ran(made);
  await ran(made);
  assert.deepEqual(await db.sql('SELECT count(*) FROM reef.made'), ['1']);
});

test('reef check --connect says what it may do and writes nothing', options, async (t) => {
  const db = server();
  const name = await table(db, 'a int');
  const check = async (settings: object) => {
    const { file } = job(t, db, ['{"a":1}'], settings);
    return reef(t, ['check', '--connect', file], { PASSWORD: db.password });
  };
  const good = await check({ table: name });
  assert.equal(good.code, 0, good.stdout + good.stderr);
  assert.match(good.stdout, /reaches PostgreSQL \d+.* at 127\.0\.0\.1:\d+ as "reef"/);
  assert.match(good.stdout, new RegExp(`may write to table ${name}, by INSERT`));
  assert.match((await check({ table: 'not_yet', create_table: { a: 'int' } })).stdout, /would make table not_yet/);
  await db.sql(`ALTER TABLE ${name} OWNER TO admin; GRANT SELECT ON ${name} TO reef`);
  const denied = await check({ table: name });
  assert.notEqual(denied.code, 0);
  assert.match(denied.stderr + denied.stdout, /"reef" may not write to table/);
  assert.deepEqual(await db.sql(`SELECT count(*) FROM ${name}`), ['0']);
  assert.deepEqual(await db.sql("SELECT to_regclass('not_yet')"), ['']);
});

test('a wrong password ends the start and is not shown; a server that is not there is waited for, unless it is required', {
  skip,
}, async (t) => {
  const db = server();
  const wrong = await job(t, { ...db, ports: db.ports, password: 'not the password' }, ['{"a":1}'], { table: 'x' }).run();
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /password authentication failed for user "reef", SQLSTATE 28P01/);
  assert.doesNotMatch(wrong.stderr, /not the password/);
  const required = await job(t, db, ['{"a":1}'], { table: 'x', port: 1, required_at_start: true }).run();
  assert.equal(required.code, 1);
  assert.match(required.stderr, /127\.0\.0\.1:1: the connection was refused: nothing listens there/);
});

test('nothing is lost while the server is away, restarts, is killed and holds a lock', options, async (t) => {
  const db = await startPostgres(t);
  const name = await table(db, 'id int');
  const rows = Array.from({ length: 20_000 }, (_, id) => `{"id":${id}}`);
  await db.stop();
  const made = job(t, db, rows, { table: name, columns: { id: 'id' }, batch: { rows: 20 }, statement_timeout_secs: 0.5 });
  const running = made.start();
  let said = '';
  running.child.stderr.on('data', (text: string) => {
    said += text;
  });
  await until(() => /the run starts and waits for it/.test(said));
  await db.start();
  await until(async () => Number((await db.sql(`SELECT count(*) FROM ${name}`))[0]) > 200);
  await db.restart();
  await until(async () => Number((await db.sql(`SELECT count(*) FROM ${name}`))[0]) > 600);
  await db.kill();
  await db.start();
  await until(() => db.sql(`SET lock_timeout = '20s'; BEGIN; LOCK ${name}; SELECT pg_sleep(1.2); COMMIT`).then(() => true));
  const { code, stderr } = await running.ended;
  assert.equal(code, 0, stderr);
  assert.deepEqual(await db.sql(`SELECT count(DISTINCT id), min(id), max(id) FROM ${name}`), ['20000|0|19999']);
  assert.deepEqual(made.reasons(), []);
});

test('nothing is lost when Reef is killed, and with a key nothing stands twice', options, async (t) => {
  const db = server();
  const name = await table(db, 'id int primary key');
  const rows = Array.from({ length: 30_000 }, (_, id) => `{"id":${id}}`);
  const made = job(t, db, rows, { table: name, on_conflict: 'nothing', batch: { rows: 100 } });
  const running = made.start();
  await until(async () => Number((await db.sql(`SELECT count(*) FROM ${name}`))[0]) > 1000);
  running.child.kill('SIGKILL');
  await running.ended;
  await ran(made);
  assert.deepEqual(await db.sql(`SELECT count(*), max(id) FROM ${name}`), ['30000|29999']);
});

test('TLS is spoken with a server whose authority is known, and with no other; a certificate logs in', options, async (t) => {
  const authority = makeCertificate({ name: 'authority', authority: true });
  const own = makeCertificate({ name: 'server', issuer: authority });
  const clients = makeCertificate({ name: 'clients', authority: true });
  const client = makeCertificate({ name: 'reef', issuer: clients });
  const db = await startPostgres(t, { tls: own });
  const name = await table(db, 'a int');
  const secure = { table: name, encryption: 'required' };
  const good = job(t, db, ['{"a":1}'], { ...secure, tls: { ca_file: 'ca.pem' } });
  writeFileSync(join(good.folder, 'ca.pem'), authority.certificate);
  await ran(good);
  assert.deepEqual(await db.sql(`SELECT a FROM ${name}`), ['1']);
  const unknown = await job(t, db, ['{"a":2}'], { ...secure, required_at_start: true }).run();
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /its certificate is of an authority that is not known here|signed by itself/);
  const plain = await job(t, db, ['{"a":2}'], { table: name, required_at_start: true }).run();
  assert.equal(plain.code, 1);
  assert.match(plain.stderr, /no pg_hba\.conf entry for host .* no encryption, SQLSTATE 28000/);

  const mutual = await startPostgres(t, { tls: { ...own, clientAuthority: clients.certificate } });
  const other = await table(mutual, 'a int');
  const tls = { ca_file: 'ca.pem', certificate_file: 'c.pem', key_file: 'c.key' };
  const proven = job(t, mutual, ['{"a":3}'], { table: other, encryption: 'required', tls });
  writeFileSync(join(proven.folder, 'ca.pem'), authority.certificate);
  writeFileSync(join(proven.folder, 'c.pem'), client.certificate);
  writeFileSync(join(proven.folder, 'c.key'), client.key);
  await ran(proven);
  assert.deepEqual(await mutual.sql(`SELECT a FROM ${other}`), ['3']);
});

test('a server without TLS gets no rows where it is required', options, async (t) => {
  const db = server();
  const { code, stderr } = await job(t, db, ['{"a":1}'], { table: 'x', encryption: 'required', required_at_start: true }).run();
  assert.equal(code, 1);
  assert.match(stderr, /The server does not support SSL connections/);
});
