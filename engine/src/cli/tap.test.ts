/** Rows of a running punchline, watched with the real command. */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type ReefProcess, reef, startReef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';

interface Line {
  readonly time: string;
  readonly node: string;
  readonly side: string;
  readonly id: string;
  readonly row: Readonly<Record<string, unknown>>;
  readonly reason?: string;
}

async function running(t: TestContext): Promise<{ readonly state: string; readonly run: ReefProcess }> {
  const folder = temporaryFolder(t);
  const state = join(folder, 'state');
  const settings = { interval: 1, messages: ['1', 'swordfish', '-12345678901234567890'] };
  const file = writePunchline(folder, 'StreamPunchline', [
    { id: 'in', kind: 'source', type: 'generator', settings, out: [{ id: 'f' }] },
    {
      id: 'f',
      kind: 'function',
      type: 'enrich_field',
      settings: { fields: { big: 12345678 } },
      out: [{ id: 'out', columns: [{ name: 'data', type: 'integer' }] }],
    },
    {
      id: 'out',
      kind: 'sink',
      type: 'http',
      settings: { url: 'http://127.0.0.1:9/', auth: { type: 'bearer', token: `\${SECRET}` } },
    },
  ]);
  const run = startReef(t, ['run', file, '--state', state, '--drain-secs', '1'], { SECRET: 'swordfish' });
  const ended = run.ended.then(({ stderr }) => assert.fail(stderr));
  ended.catch(() => {});
  const there = async (): Promise<void> => {
    while (!existsSync(join(state, 'control.sock'))) await pause(20);
  };
  await Promise.race([there(), ended]);
  return { state, run };
}

function linesOf(text: string): Line[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

test('rows are shown before and after a node, rejected ones with their reason, without secrets', async (t) => {
  const { state } = await running(t);
  const { code, stdout, stderr } = await reef(t, ['tap', 'f', '--state', state, '--rate', '100', '--count', '60']);
  assert.equal(code, 0, stderr);
  const lines = linesOf(stdout);
  assert.equal(lines.length, 60);
  const data = (side: string): Set<unknown> => new Set(lines.filter((line) => line.side === side).map(({ row }) => row.data));
  assert.deepEqual(data('before'), new Set(['1', '***', '-12345678901234567890']));
  assert.deepEqual(data('after'), data('before'));
  assert.ok(lines.filter(({ side }) => side === 'after').every(({ row }) => row.big === 12345678));
  assert.ok(lines.some(({ side, reason }) => side === 'rejected' && /expected/.test(reason ?? '')));
  assert.ok(lines.every(({ node, id, time }) => node === 'f' && id.startsWith('in:') && Date.parse(time) > 0));
  assert.doesNotMatch(stdout, /swordfish/);
});

test('a sink shows what reaches it, a source what leaves it, and neither the other', async (t) => {
  const { state } = await running(t);
  const sink = await reef(t, ['tap', 'out', '--state', state, '--count', '1']);
  assert.deepEqual(linesOf(sink.stdout)[0]!.row, { data: 1 });
  const wrong = await reef(t, ['tap', 'in', '--state', state, '--before']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^reef tap: Cannot watch node "in": a source has no rows "before", expected after or rejected$/m);
  const nobody = await reef(t, ['tap', 'x', '--state', state]);
  assert.match(nobody.stderr, /there is no node "x", expected one of in, f, out/);
  const other = await reef(t, ['tap', 'in', '--state', state, '--punchline', 'other']);
  assert.match(other.stderr, /no punchline "other" runs with a state folder in .*, expected test \(/);
});

test('a tap ends with the punchline; the socket is for its owner alone and goes with the run', async (t) => {
  const { state, run } = await running(t);
  while ((statSync(join(state, 'control.sock')).mode & 0o777) !== 0o600) await pause(20);
  const tap = startReef(t, ['tap', 'in', '--state', state, '--after']);
  await new Promise((resolve) => tap.child.stdout.once('data', resolve));
  run.child.kill('SIGTERM');
  const { code, stderr } = await tap.ended;
  assert.equal(code, 0);
  assert.match(stderr, /the punchline has ended/);
  run.child.kill('SIGTERM');
  await run.ended;
  const late = await reef(t, ['tap', 'in', '--state', state]);
  assert.equal(late.code, 1);
  assert.match(late.stderr, /no punchline runs with a state folder in/);
});

test('a viewer that leaves, or never reads, holds nothing up', async (t) => {
  const { state, run } = await running(t);
  const gone = startReef(t, ['tap', 'f', '--state', state]);
  await new Promise((resolve) => gone.child.stdout.once('data', resolve));
  gone.child.kill('SIGKILL');
  await gone.ended;
  const silent = startReef(t, ['tap', 'f', '--state', state, '--rate', '1000']);
  silent.child.kill('SIGSTOP');
  const { code } = await reef(t, ['tap', 'in', '--state', state, '--count', '20', '--rate', '100']);
  assert.equal(code, 0);
  run.child.kill('SIGKILL');
});
