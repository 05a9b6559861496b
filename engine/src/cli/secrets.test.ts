// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references in punchlines, and texts of modules
/** One known secret, many ways to go wrong with it: all that comes out of the command and stays in its folders is searched. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { reef, temporaryFolder } from '../testing/reef-process.ts';

const secret = 'swordfish+"s3cret"/with ödd letters';
const forms = [
  secret,
  JSON.stringify(secret).slice(1, -1),
  JSON.stringify(JSON.stringify(secret)).slice(3, -3),
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64'),
  // What a cut message would begin with.
  secret.slice(0, 12),
];

/** A function whose setting is a secret; `open` and `apply` are statements that see `settings`, `log` and `batch`. */
function functionModule({ open = '', apply = '', check = 'return [];', examine = '' }): string {
  return `const secret = { kind: 'text', doc: 'A key.', optional: true, limits: { secret: true } };
export default {
  kind: 'function', summary: 'Made by a test.', settings: { key: secret, other: { ...secret, limits: {} } }, examples: [],
  check(settings) { ${check} }, reads: () => ['a'], writes: () => [],
  ${examine && `async examine({ settings }) { ${examine} },`}
  open({ settings, log }) { ${open}; return { apply(batch) { ${apply} } }; },
};\n`;
}

const say = 'throw new Error(`server refused key ${settings.key} (${encodeURIComponent(settings.key)}) of ${settings.other}`)';
const reject = 'for (const row of batch.rows) batch.reject(row, `bad key ${settings.key} and ${JSON.stringify(settings.other)}`)';

const modules: Readonly<Record<string, string>> = {
  'throws-when-opened.mjs': functionModule({ open: say }),
  'throws-when-applied.mjs': functionModule({ apply: say }),
  'rejects.mjs': functionModule({ apply: reject }),
  'logs.mjs': functionModule({ open: 'log.warn(`key is ${settings.key}`, { node: settings.other }); log.info(settings.key)' }),
  'is-cut.mjs': functionModule({ open: 'log.warn(`key is ${settings.key.slice(0, 20)}…`)' }),
  'checks.mjs': functionModule({
    check: 'return [{ path: ["key"], message: `is ${settings.key}, expected another` }, { path: [], message: settings.other }]',
  }),
  'throws-in-check.mjs': functionModule({ check: say }),
  'warns-in-check.mjs': functionModule({
    check: 'return [{ path: ["other"], message: `is ${settings.other}`, severity: "warning" }]',
  }),
  'examines.mjs': functionModule({ examine: 'return [`has key ${settings.key}`]' }),
  // Before any row is through: the run would end without it.
  'crashes.mjs': functionModule({ open: 'queueMicrotask(() => { throw new Error(settings.key) })' }),
};

const source = (settings: string): string => `{id: in, kind: source, type: file, settings: ${settings}, out: [{id: f}]}`;
const rows = source('{path: rows.jsonl}');
const filter = '{id: f, kind: function, type: filter, settings: {condition: {column: a, op: exists}}, out: [{id: out}]}';
const used = (module: string, settings = '{key: "${file:key}", other: "${SECRET}"}'): string =>
  `{id: f, kind: function, type: ./${module}, settings: ${settings}, out: [{id: out}]}`;
const sink = '{id: out, kind: sink, type: blackhole}';

/** Punchlines by what goes wrong. Only `${file:…}` and secret settings are secret; both are used. */
const wrong: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    Object.keys(modules).map((name) => [name, [rows, used(name, '{key: "${SECRET}", other: "${file:key}"}'), sink]]),
  ),
  'a file that is not there': [source('{path: "${file:key}"}'), filter, sink],
  'a folder that is not there': [source('{path: "gone/${file:key}/x"}'), filter, sink],
  'an output that cannot be': [rows, filter, '{id: out, kind: sink, type: file, settings: {path: "rows.jsonl/${file:key}"}}'],
  'a number': [source('{path: rows.jsonl, poll_interval_secs: "${file:key}"}'), filter, sink],
  'a word among others': [rows, filter, '{id: out, kind: sink, type: file, settings: {path: x, mode: "${file:key}"}}'],
  'a type': [rows, '{id: f, kind: function, type: "${file:key}", out: [{id: out}]}', sink],
  'a type of a file': [rows, '{id: f, kind: function, type: "./${file:key}.mjs", out: [{id: out}]}', sink],
  'an id': ['{id: "${file:key}", kind: source, type: nothing, out: [{id: "${file:key}x"}]}', filter, sink],
  'a column': [
    rows.replace('{id: f}', '{id: f, columns: [{name: a}]}'),
    '{id: f, kind: function, type: select, settings: {columns: [a, "${file:key}"]}, out: [{id: out}]}',
    sink,
  ],
  'a regular expression': [
    rows,
    '{id: f, kind: function, type: filter, settings: {condition: {column: a, op: matches, value: "(${file:key}"}}, out: [{id: out}]}',
    sink,
  ],
  'a network': [
    rows,
    '{id: f, kind: function, type: filter, settings: {blacklist: {column: a, values: ["${file:key}"]}}, out: [{id: out}]}',
    sink,
  ],
  'a module of wasm': [rows, '{id: f, kind: function, type: wasm, settings: {path: "${file:key}"}, out: [{id: out}]}', sink],
  'a secret in the punchline': [rows, used('logs.mjs', `{key: ${JSON.stringify(secret)}}`), sink],
  'a secret in the default': [rows, used('logs.mjs', `{key: ${JSON.stringify(`\${NOT_SET:-${secret}}`)}}`), sink],
  'a secret under a misspelt name': [rows, used('logs.mjs', `{kye: ${JSON.stringify(secret)}}`), sink],
};

function prepared(t: TestContext): string {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'key'), `${secret}\n`);
  writeFileSync(join(folder, 'rows.jsonl'), '{"a":1}\n{"a":2}\nno json\n');
  for (const [name, text] of Object.entries(modules)) writeFileSync(join(folder, name), text);
  return folder;
}

function leaks(text: string): string[] {
  return forms.filter((form) => text.includes(form));
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

for (const [name, nodes] of Object.entries(wrong)) {
  test(`a secret does not come out by ${name}`, async (t) => {
    const folder = prepared(t);
    const state = join(folder, 'state');
    const file = join(folder, 'p.yaml');
    writeFileSync(file, `kind: BatchPunchline\nspec:\n  dag:\n${nodes.map((node) => `    - ${node}\n`).join('')}`);
    const env = { SECRET: secret };
    const checked = await reef(t, ['check', '--run-modules', file], env);
    const ran = await reef(t, ['run', file, '--state', state, '--workers', '1'], env);
    const said = { check: checked.stdout + checked.stderr, run: ran.stdout + ran.stderr };
    for (const [command, text] of Object.entries(said)) assert.deepEqual(leaks(text), [], `${command}: ${text}`);
    const kept = filesBelow(state).map((path) => readFileSync(path, 'utf8'));
    for (const text of kept) assert.deepEqual(leaks(text), [], text);
    // Something has been said of it, or the test would show nothing.
    assert.ok(
      /\*\*\*|the value of|\$\{|is written in|unknown setting/.test([said.check, said.run, ...kept].join('\n')),
      JSON.stringify(said),
    );
  });
}

test('error documents do not hold a secret that stands in a reason, and hold the row as it is', async (t) => {
  const folder = prepared(t);
  const state = join(folder, 'state');
  const file = join(folder, 'p.yaml');
  writeFileSync(file, `kind: BatchPunchline\nspec:\n  dag:\n    - ${rows}\n    - ${used('rejects.mjs')}\n    - ${sink}\n`);
  const { code, stderr } = await reef(t, ['run', file, '--state', state, '--workers', '1'], { SECRET: secret });
  assert.equal(code, 0, stderr);
  const documents = readFileSync(join(state, 'dead-letters.ndjson'), 'utf8').trim().split('\n');
  const reasons = documents.map((line) => (JSON.parse(line) as { reason: string }).reason);
  assert.ok(reasons.includes('bad key *** and "***"'), reasons.join('\n'));
});
