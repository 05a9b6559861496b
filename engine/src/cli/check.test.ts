import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { runCheck } from './check.ts';

const good = `metadata: {name: demo}
spec:
  dag:
    - {id: in, kind: source, type: stdin, out: [{id: out, columns: [{name: a, type: long}]}, {id: errors, table: _ppf_errors}]}
    - {id: out, kind: sink, type: stdout, settings: {encoding: line}}
    - {id: errors, kind: sink, type: blackhole}
`;

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function check(
  cwd: string,
  args: readonly string[],
  options: { stdin?: string; terminal?: boolean } = {},
): Promise<Outcome> {
  let out = '';
  let err = '';
  const code = await runCheck(args, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text), isTTY: options.terminal ?? false },
    stdin: Readable.from(options.stdin === undefined ? [] : [options.stdin]),
    env: {},
    cwd,
  });
  return { code, out, err };
}

function folder(t: TestContext, files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'reef-check-'));
  t.after(() => rmSync(path, { recursive: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}

test('a branch that nobody waits for is shown as such', async (t) => {
  const cwd = folder(t, { 'demo.yaml': good.replace('encoding: line', 'best_effort: true') });
  const { code, out } = await check(cwd, ['demo.yaml']);
  assert.equal(code, 0);
  assert.match(out, /^ {2}out {5}sink {4}stdout \(json\) {5}best effort: nobody waits, rows may be dropped$/m);
});

test('a right punchline is described, one line an edge', async (t) => {
  const cwd = folder(t, { 'demo.yaml': good });
  assert.deepEqual(await check(cwd, ['demo.yaml']), {
    code: 0,
    err: '',
    out: `demo.yaml: demo, a StreamPunchline of 3 nodes and 2 edges
  in      source  stdin (json)      → out, only a: integer
                                    → errors, table _ppf_errors
  out     sink    stdout (line)
  errors  sink    blackhole (json)
1 file checked: 0 errors, 0 warnings
`,
  });
});

test('problems of all files go to standard error, and the exit code is 3', async (t) => {
  const cwd = folder(t, { 'a.yaml': good, 'b.yaml': 'sepc: {}\n', 'c.yaml': 'spec: {dag: []}\nkind: x\n' });
  const { code, out, err } = await check(cwd, ['a.yaml', 'b.yaml', 'c.yaml', 'd.yaml']);
  assert.equal(code, 3);
  assert.match(out, /^a\.yaml: demo[\s\S]*\n4 files checked: 5 errors, 0 warnings\n$/);
  assert.deepEqual(err.split('\n'), [
    'b.yaml:1:1: error: unknown key "sepc" in the punchline, expected one of "apiVersion", "kind", "metadata", "spec" (did you mean "spec"?)',
    'b.yaml:1:1: error: spec has no dag, expected a list of nodes',
    'c.yaml:1:13: error: dag has 0 nodes, expected 2 to 1000',
    'c.yaml:2:7: error: kind is "x", expected one of "StreamPunchline", "BatchPunchline"',
    'd.yaml: error: cannot read the punchline: there is no such file',
    '',
  ]);
});

test('warnings alone leave the exit code at 0', async (t) => {
  const cwd = folder(t, { 'a.yaml': `status: {}\n${good}` });
  const { code, out, err } = await check(cwd, ['a.yaml']);
  assert.equal(code, 0);
  assert.match(out, /0 errors, 1 warning\n$/);
  assert.match(err, /^a\.yaml:1:1: warning: key "status" of the punchline is ignored/);
});

test('a terminal also shows the line, with a caret', async (t) => {
  const cwd = folder(t, { 'b.yaml': '{kind: x}\n' });
  const { err } = await check(cwd, ['b.yaml'], { terminal: true });
  assert.match(err, /\n {4}\{kind: x\}\n {11}\^\n/);
});

test('a punchline may come from standard input', async () => {
  const { code, out } = await check(tmpdir(), ['-'], { stdin: good });
  assert.equal(code, 0);
  assert.match(out, /^-: demo, a StreamPunchline/);
});

test('check runs no module of the user unless told', async (t) => {
  const cwd = folder(t, {
    'p.yaml': 'spec: {dag: [{id: in, kind: source, type: ./m.js, out: [{id: out}]}, {id: out, kind: sink, type: blackhole}]}\n',
    'm.js': "throw new Error('it ran');\n",
  });
  const without = await check(cwd, ['p.yaml']);
  assert.equal(without.code, 0);
  assert.match(without.out, /\n {2}in +source +\.\/m\.js +→ out\n/);
  assert.match(without.err, /warning: node "in": "\.\/m\.js" is not run, its settings and columns are not checked/);
  const told = await check(cwd, ['--run-modules', 'p.yaml']);
  assert.equal(told.code, 3);
  assert.match(told.err, /error: node "in": Cannot load node type "\.\/m\.js": Error: it ran/);
});

test('a wrong command line is told with the right one', async () => {
  for (const args of [[], ['--frobnicate', 'x.yaml']]) {
    const { code, err } = await check(tmpdir(), args);
    assert.equal(code, 2);
    assert.match(err, /usage: reef check FILE/);
  }
});
