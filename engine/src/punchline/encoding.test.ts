/** `encoding` with options, and where CSV takes its columns from. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Codec } from '../spec/plan.ts';
import { loadPunchlines } from './load.ts';

interface Nodes {
  readonly source?: string;
  readonly sink?: string;
  /** Entries of `out`, in flow style. */
  readonly out?: string;
}

async function load({
  source = 'json',
  sink = 'json',
  out = '{id: out}',
}: Nodes): Promise<{ codecs: (Codec | undefined)[]; problems: string[] }> {
  const text = `spec:
  dag:
    - {id: in, kind: source, type: file, settings: {path: in, encoding: ${source}}, out: [${out}]}
    - {id: out, kind: sink, type: file, settings: {path: out, encoding: ${sink}}}
`;
  const { punchlines, problems } = await loadPunchlines('p.yaml', { text });
  return { codecs: punchlines[0]?.nodes.map(({ codec }) => codec) ?? [], problems: problems.map(({ message }) => message) };
}

const columns = '{id: out, columns: [{name: a, type: string}, {name: b, type: integer}]}';

test('options stand beside the codec, or dotted', async () => {
  const expected = { name: 'csv', separator: ';', header: false, columns: ['x', 'y'] };
  const nested = await load({ source: '{codec: csv, separator: ";", header: false, columns: [x, y]}' });
  assert.deepEqual(nested, { codecs: [expected, { name: 'json' }], problems: [] });
  const dotted = await load({ source: 'csv, encoding.separator: ";", encoding.header: false, encoding.columns: [x, y]' });
  assert.deepEqual(dotted, nested);
  assert.deepEqual((await load({ source: '{codec: csv, separator: "\\t"}' })).codecs[0], {
    name: 'csv',
    separator: '\t',
    header: true,
  });
  assert.deepEqual((await load({ source: '{codec: json, form: document}' })).codecs[0], { name: 'json', form: 'document' });
});

test('columns of CSV come from the edges where they are not given', async () => {
  const { codecs, problems } = await load({ source: '{codec: csv, header: false}', sink: 'csv', out: columns });
  assert.deepEqual(problems, []);
  const csv = { name: 'csv', separator: ',', columns: ['a', 'b'] };
  assert.deepEqual(codecs, [
    { ...csv, header: false },
    { ...csv, header: true },
  ]);
  const errors = await load({
    sink: 'csv',
    out: '{id: out, table: _ppf_errors, columns: [{name: _ppf_error_document, type: string}]}',
  });
  assert.deepEqual(errors.codecs[1], { ...csv, header: true, columns: ['_ppf_error_document'] });
});

for (const [title, nodes, problem] of [
  [
    'a sink of CSV whose columns nobody declares',
    { sink: 'csv' },
    /node "out": the columns of its CSV are not known \(the out of "in" declares none\), expected encoding\.columns/,
  ],
  [
    'a sink of CSV whose edges differ',
    { sink: 'csv', out: `${columns}, {id: out, table: t, columns: [{name: b, type: string}]}` },
    /node "out": the outs to it declare different columns/,
  ],
  [
    'CSV without a header that nobody names',
    { source: '{codec: csv, header: false}' },
    /node "in": its CSV has no header, expected encoding\.columns, or columns in an entry of out/,
  ],
  [
    'columns beside a header',
    { source: '{codec: csv, columns: [a]}' },
    /node "in": setting "encoding\.columns" is given though the header names the columns/,
  ],
  ['a column twice', { source: '{codec: csv, header: false, columns: [a, b, a]}' }, /"a" again, expected names that differ/],
  [
    'an option of another codec',
    { source: '{codec: json, separator: ";"}' },
    /node "in": setting "encoding\.separator" is only for encoding "csv"/,
  ],
  ['a separator of two characters', { source: '{codec: csv, separator: "::"}' }, /setting "encoding\.separator" is "::"/],
  ['a quote as separator', { source: `{codec: csv, separator: '"'}` }, /setting "encoding\.separator" is/],
  [
    'an unknown option',
    { source: '{codec: csv, seperator: ";"}' },
    /unknown setting "encoding\.seperator", expected "codec", "separator"/,
  ],
  ['an option twice', { source: '{codec: csv, header: true}, encoding.header: true' }, /"encoding\.header" is given twice/],
] as const) {
  test(`${title} is an error that says so`, async () => {
    const { problems } = await load(nodes);
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0]!, problem);
  });
}
