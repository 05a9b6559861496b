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

test('settings that do not go with encoding raw are told by their places', async (t) => {
  const nodes = [
    'id: files, kind: source, type: file, settings: {path: a, mode: tail, encoding: raw}',
    'id: topics, kind: source, type: kafka, settings: {bootstrap.servers: "a:9092", topics: a, rows: lines, encoding: raw}',
    'id: messages, kind: source, type: mqtt, settings: {url: "mqtt://a", topics: ["a/{site}"], rows: lines, encoding: raw}',
  ];
  const sinks = [
    'id: wrapped, kind: sink, type: http, settings: {url: "http://a", output_column: a, encoding: raw}',
    'id: objects, kind: sink, type: http, settings: {url: "http://a", body: object, encoding: raw}',
    'id: lines, kind: sink, type: socket, settings: {port: 1, encoding: raw}',
  ];
  const out = 'out: [{id: wrapped}, {id: objects}, {id: lines}]';
  const file = ['spec:', '  dag:', ...nodes.map((node) => `  - {${node}, ${out}}`), ...sinks.map((node) => `  - {${node}}`)];
  const cwd = folder(t, { 'raw.yaml': `${file.join('\n')}\n` });
  const { code, err } = await check(cwd, ['raw.yaml']);
  assert.equal(code, 3);
  for (const told of [
    'raw.yaml:3:69: error: node "files": setting "mode" is "tail" with encoding "raw", which makes a row of a whole file, expected whole',
    'setting "rows" is "lines" with encoding "raw", expected "one": bytes have no lines',
    'node "messages": setting "rows" is "lines" with encoding "raw"',
    'node "wrapped": setting "output_column" is given with encoding "raw", expected one of them',
    'node "objects": setting "body" is "object" with encoding "raw", expected it left out: a body is a row',
    'warning: node "lines": setting "framing.by" is "line" with encoding "raw", expected "length" or "octets"',
  ])
    assert.ok(err.includes(told), `${told}\n${err}`);
});

test('with encoding raw a topic gives the columns that its filter names, and no others', async (t) => {
  const file = (column: string): string => `spec:
  dag:
    - id: in
      kind: source
      type: mqtt
      settings: {url: "mqtt://a", topics: ["a/{site}"], encoding: raw}
      out: [{id: out, columns: [{name: content, type: bytes}, {name: ${column}, type: string}]}]
    - {id: out, kind: sink, type: stdout, settings: {encoding: raw}}
`;
  const cwd = folder(t, { 'good.yaml': file('site'), 'wrong.yaml': file('place') });
  assert.equal((await check(cwd, ['good.yaml'])).err, '');
  assert.match((await check(cwd, ['wrong.yaml'])).err, /column "place" is declared but no row can have it/);
});
