/** Cases in files, run over real pipelines by the sources of the engine. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runTest } from '../cli/test.ts';

const engine = new URL('../index.ts', import.meta.url);

const punchline = `kind: BatchPunchline
spec:
  dag:
    - { id: in, kind: source, type: stdin, out: [{ id: big }] }
    - { id: in2, kind: source, type: stdin, settings: { encoding: line }, out: [{ id: lines }] }
    - id: big
      kind: function
      type: filter
      settings: { condition: { column: n, op: ge, value: 10 }, otherwise: small }
      out: [{ id: check, table: small }, { id: out, columns: [{ name: n, type: integer }] }]
    - id: check
      kind: function
      type: ./check.ts
      out:
        - { id: others }
        - { id: errors, table: _ppf_errors, columns: [{ name: _ppf_error_document, type: string }] }
    - { id: out, kind: sink, type: stdout }
    - { id: others, kind: sink, type: stdout }
    - { id: lines, kind: sink, type: stdout, settings: { encoding: line } }
    - { id: errors, kind: sink, type: stdout }
`;

const check = `import { batchFunction } from '${engine}';
export default batchFunction({
  summary: 'Rejects rows whose n is 3.',
  settings: {},
  examples: [],
  reads: () => ['n'],
  writes: () => [],
  open: () => ({
    apply(batch) {
      const n = batch.column('n').f64();
      for (const row of batch.rows) if (n[row] === 3) batch.reject(row, 'three is too many');
    },
  }),
});
`;

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly folder: string;
}

/** Writes files into a new folder, the punchline and its function among them, and runs `reef test` there. */
async function run(t: TestContext, files: Readonly<Record<string, string>>, args = ['.']): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'reef-cases-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries({ 'p.yaml': punchline, 'check.ts': check, ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  let [out, err] = ['', ''];
  const io = {
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
    stdin: [] as unknown as AsyncIterable<string>,
    env: {},
    cwd: folder,
  };
  return { code: await runTest(args, io), out, err, folder };
}

function cases(text: string): Record<string, string> {
  return { 'p.test.yaml': `cases:\n${text.replace(/^\n/, '')}` };
}

test('rows are fed to sources and functions, and seen at sinks, functions and tables', async (t) => {
  const { code, out, err } = await run(
    t,
    cases(`
  - name: everything at once
    input:
      in: { rows: [{ n: 1 }, { n: 12, more: x }, { n: 3 }] }
      check: { rows: [{ n: 7 }] }
      in2: { text: "one\\ntwo\\n" }
    expect:
      in: { count: 3 }
      big:
        rows: [{ n: 12, more: x }]
        tables: { small: { rows: [{ n: 1 }, { n: 3 }] } }
      check:
        includes: [{ n: 7 }, { n: 1 }]
        rejected: [{ row: { n: 3 }, reason: three is too many }]
      out: { rows: [{ n: 12 }] }
      others: { rows: [{ n: 7 }, { n: 1 }] }
      lines: { text: "one\\ntwo\\n" }
      errors: { count: 1 }
`),
  );
  assert.equal(err, '');
  assert.match(out, /^p\.test\.yaml\n {2}ok {4}everything at once \([\d.]+ s\)\n1 case passed, 0 failed\n$/);
  assert.equal(code, 0);
});

test('bytes go through the encoding of their source and sink, rows to the table that is said', async (t) => {
  const { code, out } = await run(t, {
    'p.yaml': `kind: BatchPunchline
spec:
  dag:
    - { id: csv, kind: source, type: file, settings: { path: x, encoding: csv }, out: [{ id: lines, columns: [{ name: b }, { name: a }] }] }
    - { id: document, kind: source, type: file, settings: { path: x, encoding: { codec: json, form: document } }, out: [{ id: rows }] }
    - id: posted
      kind: source
      type: http
      settings: { port: 8090, paths: { /a: a, /b: b } }
      out: [{ id: rows, table: a }, { id: lines, table: b, columns: [{ name: b }, { name: a }] }]
    - { id: lines, kind: sink, type: stdout, settings: { encoding: csv } }
    - { id: rows, kind: sink, type: stdout }
`,
    ...cases(`
  - name: csv
    input: { csv: { text: "a,b\\n1,\\"x\\ny\\"\\n2,z\\n" } }
    expect: { lines: { text: "\\"x\\ny\\",1\\nz,2\\n" } }
  - name: document
    input: { document: { text: "[{\\"n\\":1},\\n\\n{\\"n\\":\\n2}]" } }
    expect: { rows: { rows: [{ n: 1 }, { n: 2 }] } }
  - name: table
    input: { posted: { rows: [{ n: 1 }], table: a } }
    expect: { rows: { rows: [{ n: 1 }] }, lines: { count: 0 } }
`),
  });
  assert.match(out, /3 cases passed, 0 failed/, out);
  assert.equal(code, 0);
});

test('a node that is to print its rows does not in a test, and a sink that only prints gets them', async (t) => {
  const { code, out } = await run(t, {
    'p.yaml': punchline
      .replace('id: big\n      kind: function\n      type: filter\n      settings: {', '$& debug: true,')
      .replace('id: out, kind: sink, type: stdout', '$&, settings: { show: true }'),
    ...cases('  - { name: shown, input: { in: { rows: [{ n: 12 }] } }, expect: { out: { rows: [{ n: 12 }] } } }'),
  });
  assert.match(out, /1 case passed, 0 failed/);
  assert.equal(code, 0);
});

test('what is not as expected is shown, and rejected rows that nobody expects are', async (t) => {
  const { code, out } = await run(
    t,
    cases(`
  - name: wrong
    input: { check: { rows: [{ n: 1 }, { n: 3 }] } }
    expect:
      others: { rows: [{ n: 2 }] }
  - { name: later, skip: not today, expect: { out: { count: 0 } } }
`),
  );
  assert.equal(code, 1);
  assert.equal(
    out.replace(/\([\d.]+ s\)/, '(T)'),
    `p.test.yaml
  FAIL  wrong (T)
        others
            row 1 differs:
          -   n: 2
          +   n: 1
        check: rejected rows
          - none (the case says nothing of rejected rows)
          + {"row":{"n":3},"reason":"three is too many"}
  skip  later: not today
0 cases passed, 1 failed, 1 skipped
`,
  );
});

const repeated = (count: number): string => JSON.stringify(Array.from({ length: count }, (_, n) => ({ n: n + 10 })));

test('a sink refuses, a function exceeds its limit, the process is killed: nothing is lost', async (t) => {
  const { code, out } = await run(
    t,
    cases(`
  - name: refused
    input: { in: { rows: ${repeated(50)} } }
    faults: [{ refuse: { sink: out, times: 2, after_rows: 20 } }]
    expect: { out: { nothing_lost: true } }
  - name: over limit
    input: { in: { rows: ${repeated(50)} } }
    faults: [{ over_limit: { function: big, column: n, value: 33 } }]
    expect:
      out: { nothing_lost: true }
      big: { rejected: [{ row: { n: 33 }, reason_includes: CPU }] }
  - name: restarted
    input: { in: { rows: ${repeated(50)} } }
    faults: [{ restart: { sink: out, after_rows: 22 } }, { restart: { sink: out, after_rows: 40 } }]
    expect: { out: { nothing_lost: true, duplicates_at_most: 10 } }
`),
  );
  assert.match(out, /3 cases passed, 0 failed/, out);
  assert.equal(code, 0);
});

test('losing, repeating and rejecting more than is said fails, and so does a fault that never came', async (t) => {
  const { code, out } = await run(
    t,
    cases(`
  - name: repeated
    input: { in: { rows: ${repeated(20)} } }
    faults: [{ restart: { sink: out, after_rows: 7 } }]
    expect: { out: { nothing_lost: true, duplicates_at_most: 1 } }
  - name: never
    input: { in: { rows: ${repeated(5)} } }
    faults: [{ refuse: { sink: out, times: 2, after_rows: 20 } }]
    expect: { out: { nothing_lost: true } }
  - name: never over
    input: { in: { rows: ${repeated(5)} } }
    faults: [{ over_limit: { function: big, column: n, value: 99 } }]
    expect: { out: { nothing_lost: true } }
`),
  );
  assert.equal(code, 1);
  assert.match(out, /no row of "big" was over its limit/);
  assert.match(out, /\+ 2 rows came again, expected at most 1; the first: \{"n":16\}/, out);
  assert.match(out, /the faults\n +sink "out" was to refuse 2 more writes/);
});

test('update writes what came in the place of what differs, and leaves all else as it stands', async (t) => {
  const text = `# a comment
cases:
  - name: block   # another
    input: { in: { rows: [{ n: 12 }, { n: 13 }] } }
    expect:
      out:
        rows:
          - { n: 12 }   # gone with its row
          - { n: 14 }
        order: any

  - name: flow
    input: { in: { rows: [{ n: 12 }, { n: 1 }, { n: 9007199254740993 }] } }
    expect: { out: { rows: [] }, others: { count: 7 }, big: { includes: [{ n: 1 }, { n: 2 }] } }
  - name: a file
    input: { in: { rows: [{ n: 12 }] } }
    expect: { out: { rows_file: expected/rows.jsonl }, lines: { text: x } }
  - name: rejected
    input: { check: { rows: [{ n: 3 }] } }
    expect:
      check:
        rejected: []
`;
  const { code, out, folder } = await run(t, { 'p.test.yaml': text }, ['p.yaml', '--update']);
  assert.equal(code, 0, out);
  assert.match(out, /4 cases passed, 0 failed, 7 expectations updated\n$/);
  assert.equal(
    readFileSync(join(folder, 'p.test.yaml'), 'utf8'),
    `# a comment
cases:
  - name: block   # another
    input: { in: { rows: [{ n: 12 }, { n: 13 }] } }
    expect:
      out:
        rows:
          - { n: 12 }
          - { n: 13 }
        order: any

  - name: flow
    input: { in: { rows: [{ n: 12 }, { n: 1 }, { n: 9007199254740993 }] } }
    expect: { out: { rows: [ { n: 12 }, { n: 9007199254740993 } ] }, others: { count: 1 }, big: { includes: [ { n: 12 }, { n: 9007199254740993 } ] } }
  - name: a file
    input: { in: { rows: [{ n: 12 }] } }
    expect: { out: { rows_file: expected/rows.jsonl }, lines: { text: "" } }
  - name: rejected
    input: { check: { rows: [{ n: 3 }] } }
    expect:
      check:
        rejected:
          - { row: { n: 3 }, reason: three is too many }
`,
  );
  assert.equal(readFileSync(join(folder, 'expected', 'rows.jsonl'), 'utf8'), '{"n":12}\n');
});

test('mistakes in a case file are told by line and column, all at once, and nothing is run', async (t) => {
  const { code, out, err } = await run(
    t,
    cases(`
  - nmae: misspelt
    input: { inn: { rows: [{ n: 1 }] }, in: { row: [] }, in2: { rows: [1], text: x } }
    expect: { ot: { rows: [] }, out: {}, big: { rows: [{ n: .inf }] }, errors: { tables: { a: { count: -1 } } } }
    faults:
      - { refuse: { sink: big } }
      - { over_limit: { function: big, column: n } }
      - { restrt: { sink: out } }
      - { restart: { sink: out, after_rows: soon } }
    batch_rows: 0
  - { name: twin, expect: { out: { count: 1, order: upwards } } }
  - { name: twin, real: [out], expect: { out: { count: 1 } } }
`),
  );
  assert.equal(code, 3);
  assert.equal(out, '0 cases passed, 0 failed, 1 file wrong\n');
  assert.equal(
    err,
    `p.test.yaml:2:5: error: unknown key "nmae" in case 1, expected one of "name", "skip", "real", "timeout_secs" (did you mean "name"?)
p.test.yaml:3:14: error: input: "inn" is no node of the punchline, expected one of "in", "in2", "big", "lines", "check", "out", "others", "errors" (did you mean "in"?)
p.test.yaml:3:47: error: unknown key "row" in input of "in", expected one of "rows", "file", "text", "table" (did you mean "rows"?)
p.test.yaml:3:76: error: input of "in2" has "rows", "text", expected one of them
p.test.yaml:4:15: error: expect: "ot" is no node of the punchline, expected one of "in", "in2", "big", "lines", "check", "out", "others", "errors" (did you mean "out"?)
p.test.yaml:4:38: error: what "out" is to give is empty, expected one of "rows", "rows_file", "includes", "count", "text", "nothing_lost", "tables", "rejected", "rejected_count"
p.test.yaml:4:61: error: what "big" is to give: rows, row 1, holds the number Infinity, expected what JSON can hold
p.test.yaml:4:82: error: sink "errors" has no tables, expected rows
p.test.yaml:4:104: error: table "a" of "errors": count is the number -1, expected a whole number of at least 0
p.test.yaml:6:27: error: refuse: "big" is a function, expected one of "lines", "out", "others", "errors"
p.test.yaml:7:23: error: over_limit does not say for which rows, expected column and value
p.test.yaml:8:11: error: unknown key "restrt" in fault 3, expected one of "refuse", "over_limit", "restart" (did you mean "restart"?)
p.test.yaml:9:45: error: restart: after_rows is "soon", expected a whole number of at least 1
p.test.yaml:10:17: error: batch_rows is the number 0, expected a whole number of at least 1
p.test.yaml:11:53: error: what "out" is to give: order is "upwards", expected one of "kept", "any"
p.test.yaml:12:19: error: sink "out" is real, so its rows cannot be seen: expect them of the node before it
`,
  );
});

test('a wrong punchline, a wrong file name and a wrong command line are told', async (t) => {
  const wrong = await run(t, {
    'p.yaml': punchline.replace('type: filter', 'type: fliter'),
    ...cases('  - { name: a, expect: { out: { count: 0 } } }'),
  });
  assert.equal(wrong.code, 3);
  assert.match(wrong.err, /p\.yaml:8:13: error: .*"fliter"/);
  const none = await run(t, {}, ['p.yaml']);
  assert.equal(none.code, 3);
  assert.equal(
    none.err,
    'reef test: Cannot test p.yaml: it is no case file, and there is no p.test.yaml beside it, expected a name that ends in .test.yaml\n',
  );
  assert.equal((await run(t, {}, ['.'])).err, 'reef test: Cannot test .: no *.test.yaml stands below it\n');
  assert.equal((await run(t, {}, ['--what'])).code, 2);
  assert.equal((await run(t, {}, [])).code, 2);
});

test('a puncher file runs when its functions exist here, and is skipped with the reason when they do not', async (t) => {
  const { code, out, err } = await run(t, {
    'puncher/good.yaml':
      'input: { n: 4, a: { b: 1 } }\npunchlets: [../check.ts]\noutput: { includes: { a: { b: 1 } } }\ndebug: true\n',
    'puncher/bad.json': '{"input": {"n": 4}, "punchlets": ["../check.ts"], "output": {"includes": {"n": 5}}}',
    'puncher/punch.yaml': 'input: { n: 4 }\npunchlets: [punch/parser.punch]\noutput: { includes: { n: 4 } }\n',
  });
  assert.equal(code, 1, err);
  assert.match(out, /ok {4}puncher\/good\.yaml/);
  assert.match(out, /FAIL {2}puncher\/bad\.json .*\n.*function-1\n +row 1 differs:\n +- {3}n: 5\n +\+ {3}n: 4/);
  assert.match(
    out,
    /skip {2}puncher\/punch\.yaml: punch\/parser\.punch is a punchlet, and Punch's own language does not exist here/,
  );
});

test('the results of a run are written for build servers', async (t) => {
  const { folder } = await run(
    t,
    cases(`
  - { name: "a & <b>", input: { in: { rows: [{ n: 12 }] } }, expect: { out: { count: 2 } } }
  - { name: c, skip: "\\u0001", expect: { out: { count: 0 } } }
`),
    ['p.test.yaml', '--junit', 'results.xml'],
  );
  assert.equal(
    readFileSync(join(folder, 'results.xml'), 'utf8').replace(/time="[\d.]+"/g, 'time="T"'),
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="reef test" tests="2" failures="1" errors="0" time="T">
  <testsuite name="p.test.yaml" tests="2" failures="1" errors="0" skipped="1" time="T">
    <testcase classname="p.test.yaml" name="a &amp; &lt;b&gt;" time="T">
      <failure message="out">out
  - 2 rows
  + 1 rows</failure>
    </testcase>
    <testcase classname="p.test.yaml" name="c" time="T">
      <skipped message="\ufffd"/>
    </testcase>
  </testsuite>
</testsuites>
`,
  );
});
