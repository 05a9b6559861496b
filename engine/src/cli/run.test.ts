import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { reef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';

const endless = (more: object = {}): object => ({
  id: 'in',
  kind: 'source',
  type: 'generator',
  settings: { interval: 1, messages: ['x'] },
  out: [{ id: 'out' }],
  ...more,
});
const fileOut = { id: 'out', kind: 'sink', type: 'file', settings: { path: 'out.jsonl' } };

function rowsOf(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

test('an endless batch ends in order when its exit condition is met, and gives the same when it is run again', async (t) => {
  const folder = temporaryFolder(t);
  const state = join(folder, 'state');
  const source = endless({ exit_conditions: { success: { acks_greater_or_equal_to: 20 } } });
  const file = writePunchline(folder, 'BatchPunchline', [source, fileOut]);
  for (let run = 0; run < 2; run++) {
    const { code, stderr } = await reef(t, ['run', file, '--state', state]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /ended by an exit condition of node "in": \d+ rows are delivered/);
    assert.match(stderr, /\ntest: finished in/);
    const rows = rowsOf(join(folder, 'out.jsonl'));
    assert.ok(rows.length >= 20 && rows.every((row) => row === '{"data":"x"}'), `${rows.length} rows`);
    assert.equal(existsSync(join(state, 'checkpoint.json')), false);
  }
});

test('too many rejected rows end a run with code 1, after what was read is delivered', async (t) => {
  const folder = temporaryFolder(t);
  const columns = [{ name: 'data', type: 'integer' }];
  const file = writePunchline(folder, 'StreamPunchline', [
    endless({ exit_conditions: { 'failure.fails_greater_or_equal_to': 3 }, out: [{ id: 'out', columns }] }),
    fileOut,
  ]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /Exit condition met at node "in": \d+ rows were rejected \(failure\.fails_greater_or_equal_to: 3\)/);
});

test('time may end a run', async (t) => {
  const folder = temporaryFolder(t);
  const source = endless({ exit_conditions: { success: { elapsed_secs_greater_or_equal_to: 0.2 } } });
  const file = writePunchline(folder, 'StreamPunchline', [source, fileOut]);
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /0\.2 s are over/);
});

test('a folder runs its punchlines with a state and an exit code each, and ends with the worst code', async (t) => {
  const folder = temporaryFolder(t);
  const state = join(folder, 'state');
  writeFileSync(join(folder, 'rows.jsonl'), '{"a":1}\n');
  const batch = (path: string, out: string): string =>
    JSON.stringify({
      kind: 'BatchPunchline',
      metadata: { name: 'device' },
      spec: {
        dag: [
          { id: 'in', kind: 'source', type: 'file', settings: { path }, out: [{ id: 'out' }] },
          { id: 'out', kind: 'sink', type: 'file', settings: { path: out } },
        ],
      },
    });
  writeFileSync(join(folder, 'good.yaml'), batch('rows.jsonl', 'good.out'));
  writeFileSync(join(folder, 'bad.yaml'), batch('gone.jsonl', 'bad.out'));
  writeFileSync(join(folder, 'good.test.yaml'), 'no punchline');
  const { code, stderr } = await reef(t, ['run', folder, '--state', state]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /\nreef: device \(bad\.yaml\): exit code 1\n/);
  assert.match(stderr, /\nreef: device \(good\.yaml\): exit code 0\n/);
  assert.deepEqual(rowsOf(join(folder, 'good.out')), ['{"a":1}']);
  assert.deepEqual(readdirSync(state).sort(), ['bad.yaml', 'good.yaml']);
});

test('one wrong punchline of a folder is told with all others, and nothing is started', async (t) => {
  const folder = temporaryFolder(t);
  writePunchline(folder, 'BatchPunchline', [endless(), fileOut]);
  writeFileSync(join(folder, 'a.yaml'), 'sepc: 1\n');
  writeFileSync(join(folder, 'b.yaml'), 'spec: {dga: 1}\n');
  const { code, stderr } = await reef(t, ['run', folder]);
  assert.equal(code, 3);
  assert.match(stderr, /a\.yaml:1:1: error: unknown key "sepc"[\s\S]*b\.yaml:1:8: error: unknown key "dga"/);
  assert.equal(existsSync(join(folder, 'out.jsonl')), false);
});

test('debug prints rows beside sending them, show instead of sending them', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'rows.jsonl'), '{"a":1,"b":2}\n');
  const columns = [{ name: 'a', type: 'string' }];
  const file = writePunchline(folder, 'BatchPunchline', [
    {
      id: 'in',
      kind: 'source',
      type: 'file',
      settings: { path: 'rows.jsonl', debug: true },
      out: [{ id: 'out', columns }, { id: 'shown' }],
    },
    fileOut,
    { id: 'shown', kind: 'sink', type: 'file', settings: { path: 'shown.jsonl', show: true } },
  ]);
  const { code, stdout, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '{"a":1,"b":2}\n{"a":1,"b":2}\n');
  assert.deepEqual(rowsOf(join(folder, 'out.jsonl')), ['{"a":"1"}']);
  assert.equal(existsSync(join(folder, 'shown.jsonl')), false);
  assert.match(stderr, /node "shown" shows its rows on standard output and sends none/);
});
