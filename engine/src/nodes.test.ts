import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { builtins, canonicalType, kindsOf, nodeKinds, resolveNodeSpec } from './nodes.ts';
import { loadPunchlines } from './punchline/load.ts';
import { describe } from './spec/describe.ts';
import type { NodeSpec } from './spec/node-spec.ts';
import type { NodeKind } from './spec/plan.ts';
import { validateSettings } from './spec/validate.ts';

const specs: { readonly kind: NodeKind; readonly name: string; readonly spec: NodeSpec }[] = [];
for (const kind of nodeKinds) {
  for (const [name, load] of Object.entries(builtins[kind])) specs.push({ kind, name, spec: (await load()).default });
}

test('every built-in type is of the kind that it is listed under', () => {
  for (const { kind, name, spec } of specs) assert.equal(spec.kind, kind, `${kind} ${name}`);
});

test('every type and every setting says what it is, in sentences', () => {
  for (const { kind, name, spec } of specs) {
    const where = `${kind} ${name}`;
    assert.match(spec.summary, /^[A-Z`].*\.$/s, where);
    assert.ok(!spec.summary.slice(0, -1).includes('. '), `${where}: one sentence`);
    if (spec.kind !== 'function') assert.match(spec.delivery, /^[A-Z`].*\.$/s, where);
    for (const row of describe(spec.settings)) assert.match(row.doc, /^[A-Z`].*\.$/s, `${where}: ${row.name}`);
  }
});

test('every setting is in snake_case', () => {
  for (const { kind, name, spec } of specs) {
    for (const row of describe(spec.settings)) assert.match(row.name, /^[a-z0-9_.[\]*]+$/, `${kind} ${name}`);
  }
});

test('every password, token and key is declared as a secret', () => {
  const named = /(^|[._])(password|passphrase|client_secret|token|tokens|auth\.keys?)(\[\])?$/;
  for (const { kind, name, spec } of specs) {
    for (const row of describe(spec.settings).filter((row) => named.test(row.name))) {
      assert.ok(row.secret || row.type === 'list of secret', `${kind} ${name}: ${row.name} is ${row.type}`);
    }
  }
});

test('every default is a value that the setting takes', async () => {
  for (const { kind, name, spec } of specs) {
    for (const [key, field] of Object.entries(spec.settings)) {
      if (field.default === undefined) continue;
      const { problems } = await validateSettings({ [key]: field }, { [key]: field.default });
      assert.deepEqual(problems, [], `${kind} ${name}: ${key}`);
    }
  }
});

/** A node alone is no punchline: gives it what it lacks. */
function punchlineAround(yaml: string): string {
  const node = parse(yaml) as { id: string; kind: NodeKind; out?: { id: string }[] };
  if (node.kind !== 'sink') node.out ??= [{ id: 'after' }];
  const before = { id: 'before', kind: 'source', type: 'stdin', out: [{ id: node.id }] };
  const after = new Set(node.out?.map((edge) => edge.id));
  const sinks = [...after].map((id) => ({ id, kind: 'sink', type: 'blackhole' }));
  return stringify({ spec: { dag: [...(node.kind === 'source' ? [] : [before]), node, ...sinks] } });
}

test('every type has an example, and the loader takes it', async () => {
  for (const { kind, name, spec } of specs) {
    assert.ok(spec.examples.length > 0, `${kind} ${name}`);
    for (const { title, yaml } of spec.examples) {
      const text = punchlineAround(yaml);
      const names = Array.from(yaml.matchAll(/\$\{(\w+)\}/g), ([, name]) => name!);
      const env = Object.fromEntries(names.map((name) => [name, 'made up for the test']));
      const { problems } = await loadPunchlines('example.yaml', { text, env });
      const errors = problems.filter((problem) => problem.severity === 'error');
      assert.deepEqual(errors, [], `${kind} ${name}: ${title}\n${text}`);
    }
  }
});

test('TLS that is set up and would not be spoken is a mistake', async () => {
  const tls = { ca_file: 'ca.pem' };
  const plain = [
    { id: 'http', settings: { url: 'http://a.example/', tls } },
    { id: 'opensearch', settings: { http_hosts: [{ host: 'a.example', port: 9200 }], index: { type: 'fixed', name: 'x' }, tls } },
    { id: 'mqtt', settings: { url: 'mqtt://a.example', topic: 'x', tls } },
    { id: 'kafka', settings: { 'bootstrap.servers': 'a.example:9092', topic: 'x', tls } },
    { id: 'postgres', settings: { host: '127.0.0.1', database: 'x', user: 'x', table: 'x', encryption: 'none', tls } },
  ];
  const sinks = plain.map((sink) => ({ ...sink, kind: 'sink', type: sink.id }));
  const source = { id: 'in', kind: 'source', type: 'stdin', out: sinks.map(({ id }) => ({ id })) };
  const { problems } = await loadPunchlines('plain.yaml', { text: stringify({ spec: { dag: [source, ...sinks] } }), env: {} });
  assert.deepEqual(
    problems.map(({ message }) => /^node "(\w+)": setting "[\w.]+" .*(?:not used)/.exec(message)?.[1] ?? message),
    plain.map(({ id }) => id),
  );
});

test("a type may carry Punch's suffix for its kind, and no other", () => {
  assert.equal(canonicalType('source', 'file_source', ''), 'file');
  assert.equal(canonicalType('function', 'filter_function', ''), 'filter');
  assert.equal(canonicalType('source', 'show_sink', ''), undefined);
  assert.equal(canonicalType('sink', 'constructor', ''), undefined);
  assert.deepEqual(kindsOf('file'), ['source', 'sink']);
});

test('an unknown type is refused with the nearest right one', async () => {
  await assert.rejects(resolveNodeSpec('sink', 'shwo_sink', ''), (error: Error & { data: unknown }) => {
    assert.match(error.message, /^unknown sink type "shwo_sink", expected one of blackhole, elasticsearch, file, /);
    assert.deepEqual(error.data, { suggestion: 'show' });
    return true;
  });
});
