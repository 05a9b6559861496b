import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { appendAudit } from './audit-log.ts';
import { verifyAudit } from './verify-audit.ts';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'reef-audit-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function written(t: TestContext, entries: number): Promise<{ readonly folder: string; readonly file: string }> {
  const folder = folderFor(t);
  for (let entry = 1; entry <= entries; entry++) await appendAudit(folder, { event: 'started', text: `entry ${entry}` });
  return { folder, file: join(folder, 'audit.ndjson') };
}

test('a log that nobody has touched is whole, and only its owner can read it', async (t) => {
  const { folder, file } = await written(t, 4);
  const report = await verifyAudit(folder);
  assert.deepEqual([report.problems, report.notes], [[], []]);
  assert.deepEqual(
    report.entries.map(({ seq, text }) => [seq, text]),
    [1, 2, 3, 4].map((seq) => [seq, `entry ${seq}`]),
  );
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('an entry that is changed, removed, doubled or put in shows', async (t) => {
  const { folder, file } = await written(t, 4);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const [first, second, third, fourth] = lines as [string, string, string, string];
  const tampered: Readonly<Record<string, readonly string[]>> = {
    'entry 3: the entry before it is not': [first, second.replace('entry 2', 'entry X'), third, fourth],
    'entry 3: it follows entry 1': [first, third, fourth],
    'entry 2: it follows entry 2': [first, second, second, third, fourth],
    'entry 3: 1 lines before it are no entries, and it says nothing': [first, second, 'no entry', third, fourth],
    'entry 2: the entry before it is not': [first.replace('"seq":1', '"seq":1,"more":1'), second, third, fourth],
  };
  for (const [problem, changed] of Object.entries(tampered)) {
    writeFileSync(file, `${changed.join('\n')}\n`);
    const { problems } = await verifyAudit(folder);
    assert.ok(problems[0]?.includes(problem), `${problem}: ${problems.join('; ')}`);
  }
});

test('of entries that are cut off at the end only the kept SHA-256 of the last one tells', async (t) => {
  const { folder, file } = await written(t, 2);
  const { sha256, seq } = await appendAudit(folder, { event: 'stopped' });
  assert.equal(seq, 3);
  assert.equal((await verifyAudit(folder)).head, sha256);
  writeFileSync(file, `${readFileSync(file, 'utf8').split('\n').slice(0, 2).join('\n')}\n`);
  const cut = await verifyAudit(folder);
  assert.deepEqual(cut.problems, []);
  assert.notEqual(cut.head, sha256);
});

test('an entry that a kill has torn is left where it is, and the next one says so', async (t) => {
  const { folder, file } = await written(t, 2);
  const torn = '{"seq":3,"time":"20';
  appendFileSync(file, torn);
  assert.match((await verifyAudit(folder)).notes.join(), /ends with an unfinished entry of 19 bytes/);
  assert.deepEqual((await verifyAudit(folder)).problems, []);
  assert.equal((await appendAudit(folder, { event: 'started' })).torn, 19);
  await appendAudit(folder, { event: 'stopped' });
  const report = await verifyAudit(folder);
  assert.deepEqual(report.problems, []);
  assert.match(report.notes.join(), /entry 3 says that a kill tore the one before it/);
  assert.deepEqual(
    report.entries.map(({ seq }) => seq),
    [1, 2, 3, 4],
  );
  writeFileSync(file, readFileSync(file, 'utf8').replace(torn, '{"seq":3,"time":"21'));
  assert.match((await verifyAudit(folder)).problems.join(), /entry 3: 1 lines before it are no entries/);
});

test('a full file is put aside, the chain goes on in a new one, and what was taken away is named', async (t) => {
  const folder = folderFor(t);
  for (let entry = 0; entry < 7; entry++) await appendAudit(folder, { event: 'started' }, 200);
  const names = (await readdir(folder)).sort();
  assert.deepEqual(names, ['audit-000001.ndjson', 'audit-000002.ndjson', 'audit-000003.ndjson', 'audit.ndjson']);
  const report = await verifyAudit(folder);
  assert.deepEqual([report.entries.length, report.problems], [7, []]);
  rmSync(join(folder, 'audit-000001.ndjson'));
  const later = await verifyAudit(folder);
  assert.deepEqual(later.problems, []);
  assert.match(later.notes.join(), /^entries before \d are not here$/);
  rmSync(join(folder, 'audit-000003.ndjson'));
  assert.match((await verifyAudit(folder)).problems.join(), /it follows entry \d, expected entry \d/);
});
