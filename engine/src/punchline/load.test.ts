import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { builtins } from '../nodes.ts';
import { type LoadOptions, loadPunchlines } from './load.ts';
import { renderProblem } from './problem.ts';
import { testNodeTypes } from './test-node-types.ts';

const right = join(import.meta.dirname, 'corpus', 'right');
const env = { REEF_TEST_WORD: 'hunter2', REEF_TEST_NUMBER: '5', REEF_TEST_EMPTY: '' };

function load(file: string, options: LoadOptions = {}) {
  return loadPunchlines(file, { cwd: right, specs: testNodeTypes, env, ...options });
}

function folder(t: TestContext, files: Readonly<Record<string, string | Buffer>>): string {
  const path = mkdtempSync(join(tmpdir(), 'reef-load-'));
  t.after(() => rmSync(path, { recursive: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}

test('the smallest punchline has all its defaults', async () => {
  const { punchlines, problems } = await load('smallest.yaml');
  const file = join(right, 'smallest.yaml');
  assert.deepEqual(problems, []);
  assert.deepEqual(punchlines, [
    {
      kind: 'StreamPunchline',
      name: 'smallest',
      annotations: {},
      file,
      folder: right,
      nodes: [
        {
          id: 'in',
          kind: 'source',
          type: 'generator',
          settings: { interval: 1000, loop: true, ratio: 1 },
          out: [{ to: 'out' }],
          location: { file: 'smallest.yaml', line: 3, column: 7 },
        },
        {
          id: 'out',
          kind: 'sink',
          type: 'show',
          settings: { rows: 20 },
          codec: { name: 'json' },
          policy: 'required',
          retry: { initialMs: 100, maxMs: 30_000 },
          out: [],
          location: { file: 'smallest.yaml', line: 7, column: 7 },
        },
      ],
    },
  ]);
});

test("a device file of Punch's is read as it is", async () => {
  const [punchline] = (await load('bird-device.yaml')).punchlines;
  assert.equal(punchline!.name, 'device-bird-cancale');
  assert.equal(punchline!.annotations['devices.punchplatform.com/inactivityTimeout'], '30');
  const [input, enrich] = punchline!.nodes;
  assert.deepEqual(input!.out[0], {
    to: 'enrich',
    table: 'recordings',
    columns: [
      { name: 'content', type: 'list_float' },
      { name: 'path', type: 'string' },
      { name: 'rate', type: 'integer' },
      { name: 'creation_timestamp', type: 'integer' },
    ],
  });
  assert.deepEqual(enrich!.settings, { fields: { latitude: 48.67, place: 'cancale' } });
});

test("types with Punch's suffixes are the same types", async () => {
  const [punchline] = (await load('cyber-source-with-run-time-settings.yaml')).punchlines;
  assert.equal(punchline!.kind, 'BatchPunchline');
  assert.deepEqual(
    punchline!.nodes.map((node) => node.type),
    ['generator', 'show'],
  );
});

test('several punchlines of a file are numbered where they have no name', async () => {
  const { punchlines } = await load('two.yaml', {
    text: ['---', '---', '---']
      .map(
        (mark) =>
          `${mark}\nspec: {dag: [{id: a, kind: source, type: generator, out: [{id: b}]}, {id: b, kind: sink, type: show}]}\n`,
      )
      .join(''),
  });
  assert.deepEqual(
    punchlines.map((punchline) => punchline.name),
    ['two', 'two-2', 'two-3'],
  );
});

test('nodes come in topological order, sources first', async () => {
  const [punchline] = (await load('nodes-in-any-order.yaml')).punchlines;
  assert.deepEqual(
    punchline!.nodes.map((node) => node.id),
    ['in', 'in2', 'f', 'g', 'out'],
  );
});

test('the three spellings of encoding mean the same and are no setting', async () => {
  const [punchline] = (await load('three-spellings-of-encoding.yaml')).punchlines;
  assert.deepEqual(
    punchline!.nodes.map((node) => node.codec?.name),
    ['line', 'line', 'line', 'json', 'json'],
  );
  for (const node of punchline!.nodes) assert.ok(!('encoding' in node.settings));
});

test('variables are replaced in values, and a lone one has the type of its setting', async () => {
  const [punchline] = (await load('variables.yaml')).punchlines;
  assert.deepEqual(punchline!.nodes[0]!.settings, {
    interval: 5,
    loop: false,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the escaped one stays
    messages: ['5', 'a hunter2 b', '${REEF_TEST_WORD}', '$5', 'x'],
    ratio: 1,
  });
});

test('a referenced file is read from the folder of the punchline, without its last line break', async (t) => {
  const cwd = folder(t, { number: '7\r\n', lines: 'a\nb\n\n', empty: '', 'p.yaml': '' });
  symlinkSync('lines', join(cwd, 'link'));
  const text = `spec: {dag: [{id: a, kind: source, type: generator, settings: {interval: "\${file:number}", messages: ["\${file:link}", "x\${file:./empty}y", "$\${file:gone}"]}, out: [{id: b}]}, {id: b, kind: sink, type: show}]}`;
  writeFileSync(join(cwd, 'p.yaml'), text);
  const { punchlines, problems } = await loadPunchlines(join(cwd, 'p.yaml'), { cwd: right, specs: testNodeTypes, env });
  assert.deepEqual(problems, []);
  const { interval, messages } = punchlines[0]!.nodes[0]!.settings;
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the escaped one stays
  assert.deepEqual([interval, messages], [7, ['a\nb\n', 'xy', '${file:gone}']]);
});

test('a pipe that nobody writes to does not hold up the start', async (t) => {
  const cwd = folder(t, {});
  execFileSync('mkfifo', [join(cwd, 'pipe')]);
  const text = `spec: {dag: [{id: a, kind: source, type: file, settings: {path: "\${file:pipe}"}, out: [{id: b}]}, {id: b, kind: sink, type: show}]}`;
  const { problems } = await load('p.yaml', { cwd, text });
  assert.match(problems[0]!.message, /cannot read "\$\{file:pipe\}": it is no regular file/);
});

test('queue_size bounds what sources have under way, tick_row_frequency_ms is how long rows wait in sinks without a time of their own', async () => {
  const url = 'url: "http://127.0.0.1:1/"';
  const text = `spec:
  engine_settings: {queue_size: 100, tick_row_frequency_ms: 700}
  dag:
    - {id: a, kind: source, type: generator, settings: {messages: [x]}, load_control: {max_pending_row_number: 7}, out: [{id: c}, {id: d}, {id: e}, {id: f}]}
    - {id: b, kind: source, type: generator, settings: {messages: [x]}, engine_settings: {queue_size: -1}, out: [{id: c}]}
    - {id: g, kind: source, type: generator, settings: {messages: [x]}, out: [{id: c}]}
    - {id: c, kind: sink, type: http, settings: {${url}}}
    - {id: d, kind: sink, type: http, settings: {${url}, bulk_interval: 5}}
    - {id: e, kind: sink, type: http, settings: {${url}, batch.timeout_ms: 6}, engine_settings: {tick_row_frequency_ms: 1}}
    - {id: f, kind: sink, type: http, settings: {${url}, batch: {rows: 9}}, engine_settings: {tick_row_frequency_ms: 1}}
`;
  const { punchlines, problems } = await load('p.yaml', { text, specs: builtins });
  assert.deepEqual(problems, []);
  const { nodes } = punchlines[0]!;
  const node = (id: string) => nodes.find((one) => one.id === id)!;
  assert.deepEqual(
    ['a', 'b', 'g'].map((id) => node(id).control?.pendingRows),
    [7, 0, 100],
  );
  const waits = ['c', 'd', 'e', 'f'].map((id) => (node(id).settings.batch as { timeout_ms: number }).timeout_ms);
  assert.deepEqual(waits, [700, 20, 6, 1]);
});

test('engine settings of the punchline hold for sources that have none of their own', async () => {
  const text = `spec:
  engineSettings: {throughput: 5, row_timeout_secs: 9}
  exit_conditions: {success.acks_greater_or_equal_to: 3}
  dag:
    - {id: a, kind: source, type: generator, load_control: {throughput: 7}, out: [{id: c}]}
    - {id: b, kind: source, type: generator, engine_settings: {}, out: [{id: c}]}
    - {id: c, kind: sink, type: show, exit_conditions: {failure: {fails_greater_or_equal_to: 2, elapsed_secs_greater_or_equal_to: 0.5}}}
`;
  const { punchlines, problems } = await load('p.yaml', { text });
  assert.deepEqual(problems, []);
  const { nodes, exit } = punchlines[0]!;
  assert.deepEqual(
    nodes.map(({ control }) => control),
    [{ throughput: 7, rowTimeoutSecs: 9 }, { throughput: 5, rowTimeoutSecs: 9 }, undefined],
  );
  assert.deepEqual(exit, { success: { rows: 3 } });
  assert.deepEqual(nodes[2]!.exit, { failure: { rows: 2, secs: 0.5 } });
});

test('a node that prints has a printer beside it, and a sink that only shows is one', async () => {
  const text = `spec:
  dag:
    - {id: in, kind: source, type: generator, settings: {debug: true}, out: [{id: r, columns: [{name: a, type: long}]}]}
    - {id: r, kind: function, type: route, settings: {column: a, tables: [t], debug: true}, out: [{id: out, table: t}, {id: shown}, {id: out, table: _ppf_errors}]}
    - {id: out, kind: sink, type: file, settings: {path: x, debug: true}}
    - {id: shown, kind: sink, type: file, settings: {path: y, show: true, encoding: line}}
`;
  const { punchlines } = await load('p.yaml', { text });
  const nodes = new Map(punchlines[0]!.nodes.map((node) => [node.id, node]));
  assert.deepEqual(nodes.get('in')!.out, [
    { to: 'r', columns: [{ name: 'a', type: 'integer' }] },
    { to: 'in (printed)', columns: [{ name: 'a', type: 'any' }] },
  ]);
  assert.deepEqual(nodes.get('r')!.out.slice(3), [
    { to: 'r (printed)', table: 't' },
    { to: 'r (printed)' },
    { to: 'out (printed)', table: 't' },
  ]);
  assert.deepEqual(
    ['out', 'shown', 'in (printed)', 'r (printed)', 'out (printed)'].map((id) => nodes.get(id)!.type),
    ['file', ...Array(4).fill('stdout')],
  );
  assert.deepEqual(nodes.get('shown')!.settings, {});
});

test('anchors, merge keys and dotted keys are followed', async () => {
  const [punchline] = (await load('anchors-and-merges.yaml')).punchlines;
  const [first, second] = punchline!.nodes;
  assert.deepEqual(first!.settings, { path: 'rows.json', mode: 'whole', checkpoint: { every_secs: 7 } });
  assert.deepEqual(second!.settings, { path: 'more.json', mode: 'whole', checkpoint: { every_secs: 7 } });
  assert.deepEqual(second!.out, [{ to: 'out' }]);
});

test('a punchline comes from standard input, with the working directory as its folder', async () => {
  const text = 'spec: {dag: [{id: a, kind: source, type: generator, out: [{id: b}]}, {id: b, kind: sink, type: show}]}';
  const { punchlines } = await load('-', { stdin: Readable.from([text.slice(0, 20), Buffer.from(text.slice(20))]), cwd: right });
  const { name, file, folder: from } = punchlines[0]!;
  assert.deepEqual({ name, file, from }, { name: 'stdin', file: '-', from: right });
});

test('a file that cannot be read is one problem', async (t) => {
  const cwd = folder(t, { 'latin1.yaml': Buffer.from([0x61, 0xe9]), 'large.yaml': Buffer.alloc(4 * 1024 * 1024 + 1, 0x20) });
  const cases = [
    ['missing.yaml', /there is no such file/],
    ['.', /is a folder/],
    ['latin1.yaml', /not UTF-8/],
    ['large.yaml', /more than 4194304 bytes/],
  ] as const;
  for (const [file, reason] of cases) {
    const { problems } = await load(file, { cwd });
    assert.equal(problems.length, 1);
    assert.match(renderProblem(problems[0]!), reason);
    assert.equal(problems[0]!.line, 0);
  }
});

test('a byte order mark is no part of the punchline', async (t) => {
  const text = '\ufeffspec: {dga: 1}';
  const cwd = folder(t, { 'bom.yaml': text });
  for (const options of [{ cwd }, { cwd, text }]) {
    const { problems } = await load('bom.yaml', options);
    assert.deepEqual([problems[0]!.line, problems[0]!.column], [1, 8]);
  }
});

test('aliases that multiply are refused before they fill the memory', async () => {
  const levels = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`);
  const { problems } = await load('bomb.yaml', { text: `a0: &a0 x\n${levels.join('\n')}\n` });
  assert.match(problems[0]!.message, /too many values/);
});

test('YAML that is nested without end is one problem', async () => {
  for (const text of ['['.repeat(50_000), '{a: '.repeat(50_000), '- '.repeat(50_000)]) {
    const { problems } = await load('deep.yaml', { text });
    assert.match(problems[0]!.message, /nested too deep/);
    assert.equal(problems.length, 1);
  }
});

test("a user's module is a node type, with its settings checked", async (t) => {
  const spec = pathToFileURL(join(import.meta.dirname, '..', 'spec', 'function.ts')).href;
  const fields = pathToFileURL(join(import.meta.dirname, '..', 'spec', 'fields.ts')).href;
  const declaration = `{ summary: 'Mine.', settings: { size: integer('A size.', { default: 3 }) }, examples: [], reads: () => ['a'], writes: () => [], open() {} }`;
  const module = (last: string) => `import { batchFunction } from '${spec}';\nimport { integer } from '${fields}';\n${last}\n`;
  const cwd = folder(t, {
    'mine.ts': module(`const size: number = 1; export default batchFunction(${declaration});`),
    'no-default.js': 'export const x = 1;\n',
    'no-spec.js': 'export default () => 1;\n',
    'throws.js': "throw new Error('not today\\nat all');\n",
    'syntax.ts': 'export default function {\n',
  });
  const text = (type: string, settings = '{}', columns = '') =>
    `spec: {dag: [{id: in, kind: source, type: generator, out: [{id: f${columns}}]}, {id: f, kind: function, type: "${type}", settings: ${settings}, out: [{id: out}]}, {id: out, kind: sink, type: show}]}`;
  const problemsOf = async (...args: Parameters<typeof text>) =>
    (await load('p.yaml', { cwd, text: text(...args) })).problems.map((problem) => problem.message);

  const { punchlines, problems } = await load('p.yaml', { cwd, text: text('./mine.ts') });
  assert.deepEqual(problems, []);
  assert.equal(punchlines[0]!.nodes[1]!.type, pathToFileURL(join(cwd, 'mine.ts')).href);
  assert.deepEqual(punchlines[0]!.nodes[1]!.settings, { size: 3 });
  assert.match((await problemsOf('./mine.ts', '{sise: 1}'))[0]!, /unknown setting "sise"/);
  assert.match((await problemsOf('./mine.ts', '{}', ', columns: [{name: b}]'))[0]!, /needs column "a"/);
  assert.match((await problemsOf('./no-default.js'))[0]!, /has no default export/);
  assert.match((await problemsOf('./no-spec.js'))[0]!, /its default export is no node type/);
  assert.match((await problemsOf('./throws.js'))[0]!, /Error: not today$/);
  assert.match((await problemsOf('./syntax.ts'))[0]!, /SyntaxError/);
  const asSink = text('./mine.ts')
    .replace('kind: function', 'kind: sink')
    .replace('settings: {}, out: [{id: out}]', 'settings: {}');
  const wrongKind = await load('p.yaml', { cwd, text: asSink });
  assert.ok(wrongKind.problems.some((problem) => /it is a function, but the node says kind: sink/.test(problem.message)));
});

test("a user's module is not run when that is not wanted, and the problem list says so", async (t) => {
  const cwd = folder(t, { 'throws.js': "throw new Error('run');\n" });
  const text =
    'spec: {dag: [{id: in, kind: source, type: generator, out: [{id: f}]}, {id: f, kind: function, type: ./throws.js, settings: {a: 1}, out: [{id: out}]}, {id: out, kind: sink, type: show}]}';
  const { punchlines, problems } = await load('p.yaml', { cwd, text, runModules: false });
  assert.equal(punchlines.length, 1);
  assert.deepEqual(
    problems.map(({ severity, message }) => [severity, message]),
    [['warning', 'node "f": "./throws.js" is not run, its settings and columns are not checked: --run-modules runs it']],
  );
});

test('a problem is shown with its line and a caret, without control characters', async () => {
  const { problems, source } = await load('p.yaml', { text: 'spec:\n\t\u001b[31m x\n' });
  const [head, line, caret] = renderProblem(problems[0]!, source).split('\n');
  assert.match(head!, /^p\.yaml:2:1: error: a tab indents this line/);
  assert.equal(line, '     \u00b7[31m x');
  assert.equal(caret, '    ^');
});

test('a long line is shown around the problem', async () => {
  const { problems, source } = await load('p.yaml', { text: `${' '.repeat(500)}{spec: 1, ${'x'.repeat(500)}: 1}\n` });
  const [, line, caret] = renderProblem(problems[0]!, source).split('\n');
  assert.ok(line!.length <= 120);
  assert.equal(line![caret!.indexOf('^')], '1');
});
