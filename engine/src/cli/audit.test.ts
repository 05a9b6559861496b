/** The record of what was active, made and read by the real command. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { reef, startReef, temporaryFolder } from '../testing/reef-process.ts';

const moment = fileURLToPath(new URL('../../../examples/moment/moment.wasm', import.meta.url));

interface Entry {
  readonly event: string;
  readonly [key: string]: unknown;
  readonly punchline: Readonly<Record<string, string>>;
  readonly code: readonly Readonly<Record<string, string>>[];
}

interface Made {
  readonly folder: string;
  readonly file: string;
  readonly state: string;
}

function made(t: TestContext, source: object = { type: 'file', settings: { path: 'rows.jsonl' } }): Made {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'rows.jsonl'), '{"creation_timestamp":1517918400}\n');
  copyFileSync(moment, join(folder, 'moment.wasm'));
  writeFileSync(
    join(folder, 'own.mjs'),
    `export default { kind: 'function', summary: 'Made by a test.', examples: [], reads: () => [], writes: () => [],
      settings: { key: { kind: 'text', doc: 'A key.', limits: { secret: true } } }, open: () => ({ apply() {} }) };\n`,
  );
  const file = join(folder, 'p.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: 'punchline.punchplatform.io/v2',
      kind: source === endless ? 'StreamPunchline' : 'BatchPunchline',
      metadata: { name: 'audited' },
      spec: {
        dag: [
          { id: 'in', kind: 'source', ...source, out: [{ id: 'f' }] },
          { id: 'f', kind: 'function', type: 'wasm', settings: { path: './moment.wasm' }, out: [{ id: 'own' }] },
          { id: 'own', kind: 'function', type: './own.mjs', settings: { key: `\${KEY}` }, out: [{ id: 'out' }] },
          { id: 'out', kind: 'sink', type: 'blackhole' },
        ],
      },
    }),
  );
  return { folder, file, state: join(folder, 'state') };
}

const endless = { type: 'generator', settings: { interval: 5, messages: ['{"creation_timestamp":1}'] } };

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

async function entries(t: TestContext, state: string): Promise<Entry[]> {
  const { code, stdout, stderr } = await reef(t, ['audit', '--state', state, '--json']);
  assert.equal(code, 0, stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry);
}

test('what became active is written down with its digests, and that it ended', async (t) => {
  const { folder, file, state } = made(t);
  for (const key of ['hunter-two', 'another-key']) {
    const { code, stderr } = await reef(t, ['run', file, '--state', state], { KEY: key });
    assert.equal(code, 0, stderr);
  }
  const [started, stopped, again] = await entries(t, state);
  assert.deepEqual([started!.event, stopped!.event, stopped!.outcome, stopped!.started], ['started', 'stopped', 'finished', 1]);
  const { name, kind, apiVersion, file_sha256, configuration_sha256 } = started!.punchline;
  assert.deepEqual([name, kind, apiVersion], ['audited', 'BatchPunchline', 'punchline.punchplatform.io/v2']);
  assert.equal(file_sha256, digestOf(file));
  // Another password is no other configuration.
  assert.equal(again!.punchline.configuration_sha256, configuration_sha256);
  assert.deepEqual(
    started!.code.map(({ node, type, sha256 }) => [node, type, sha256]),
    [
      ['f', 'wasm', digestOf(moment)],
      ['own', 'module', digestOf(join(folder, 'own.mjs'))],
    ],
  );
  assert.match(started!.code[0]!.from!, /moment\.wasm/);
  assert.equal(started!.state, state);
  assert.doesNotMatch(readFileSync(join(state, 'audit.ndjson'), 'utf8'), /hunter-two|another-key/);
  const shown = await reef(t, ['audit', '--state', state]);
  assert.match(shown.stdout, /1 \S+Z started audited, BatchPunchline, by \S+ on \S+, process \d+, reef \d/);
  assert.match(shown.stdout, /entries 1 to 4: whole; SHA-256 of the last [0-9a-f]{64}\n$/);
});

test('a changed file, and a changed setting from outside, are other configurations', async (t) => {
  const { file, state } = made(t, { type: 'file', settings: { path: `\${ROWS}` } });
  for (const ROWS of ['rows.jsonl', './rows.jsonl']) {
    assert.equal((await reef(t, ['run', file, '--state', state], { KEY: 'hunter-two', ROWS })).code, 0);
  }
  const [first, , second] = await entries(t, state);
  assert.equal(first!.punchline.file_sha256, second!.punchline.file_sha256);
  assert.notEqual(first!.punchline.configuration_sha256, second!.punchline.configuration_sha256);
});

test('a run that was killed has no end, and the next one says so', async (t) => {
  const { file, state } = made(t, endless);
  const first = startReef(t, ['run', file, '--state', state], { KEY: 'hunter-two' });
  await untilStarted(state);
  first.child.kill('SIGKILL');
  await first.ended;
  const second = startReef(t, ['run', file, '--state', state], { KEY: 'hunter-two' });
  await untilStarted(state, 2);
  second.child.kill('SIGTERM');
  assert.equal((await second.ended).code, 0);
  const [one, two, three] = await entries(t, state);
  assert.deepEqual([one!.event, two!.event, two!.after], ['started', 'started', 'a kill']);
  assert.deepEqual([three!.event, three!.outcome, three!.started], ['stopped', 'stopped', 2]);
});

test('a record that was tampered with is said to be, with code 1', async (t) => {
  const { file, state } = made(t);
  assert.equal((await reef(t, ['run', file, '--state', state], { KEY: 'hunter-two' })).code, 0);
  const path = join(state, 'audit.ndjson');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"user":"', '"user":"not-'));
  const { code, stdout, stderr } = await reef(t, ['audit', '--state', state, '--verify']);
  assert.equal(code, 1);
  assert.match(stderr, /entry 2: the entry before it is not the one that it was written behind/);
  assert.match(stdout, /NOT WHOLE, 1 break/);
  assert.equal((await reef(t, ['audit', '--state', join(state, 'nothing')])).code, 1);
});

test('what cannot be written down does not run', async (t) => {
  const { file, state } = made(t);
  mkdirSync(join(state, 'audit.ndjson'), { recursive: true });
  const { code, stderr } = await reef(t, ['run', file, '--state', state], { KEY: 'hunter-two' });
  assert.equal(code, 1);
  assert.match(stderr, /Cannot write audit log .*audit\.ndjson: EISDIR/);
});

async function untilStarted(state: string, times = 1): Promise<void> {
  const path = join(state, 'audit.ndjson');
  while (!existsSync(path) || readFileSync(path, 'utf8').split('"event":"started"').length <= times) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
