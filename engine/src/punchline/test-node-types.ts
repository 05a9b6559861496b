/** Node types for the tests of the loader: one of each shape that a spec can have. They cannot be opened. */
import type { NodeTypes } from '../nodes.ts';
import { choice, flag, group, integer, json, list, map, number, secret, text } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import type { Json } from '../spec/plan.ts';
import { sink } from '../spec/sink.ts';
import { source } from '../spec/source.ts';

function open(): never {
  throw new Error('a test type cannot be opened');
}

const generator = source({
  summary: 'Makes rows.',
  settings: {
    interval: integer('Pause between rows.', { default: 1000, min: 0, unit: 'milliseconds' }),
    messages_column: list(map(json('A value.'), 'A row.'), 'Rows to send.', { optional: true, min: 1 }),
    messages: list(text('A row.'), 'Rows to send as text.', { optional: true }),
    loop: flag('Whether it starts again at the end.', { default: true }),
    ratio: number('Share of rows that are sent.', { default: 1, min: 0, max: 1 }),
  },
  examples: [],
  codecs: [],
  delivery: 'Nothing is resumed.',
  columns: ({ messages_column }) => {
    const names = new Set((messages_column ?? []).flatMap((row) => Object.keys(row as Record<string, Json>)));
    return messages_column && [...names].map((name) => ({ name, type: 'any' }));
  },
  check: ({ messages, messages_column }) =>
    messages && messages_column ? [{ path: ['messages'], message: 'stands beside messages_column, expected one of both' }] : [],
  open,
});

const file = source({
  summary: 'Reads files.',
  settings: {
    path: text('The files.'),
    mode: choice(['whole', 'tail'], 'Whether it goes on at the end.', { default: 'whole' }),
    checkpoint: group(
      { every_secs: integer('Pause.', { default: 5, min: 1, unit: 'seconds' }), name: text('A name.', { optional: true }) },
      'Where it goes on after a crash.',
    ),
  },
  examples: [],
  codecs: ['json', 'line', 'raw'],
  delivery: 'Goes on where it was.',
  open,
});

const broker = source({
  summary: 'Reads a broker.',
  settings: {
    'bootstrap.servers': text('Its servers.'),
    topics: list(text('A topic.'), 'Topics.', { min: 1, max: 3 }),
    auth: group(
      {
        user: text('A name.'),
        password: secret('Its password.'),
        tokens: list(secret('A token.'), 'Tokens.', { optional: true }),
      },
      'Who it is.',
      { optional: true },
    ),
    tls: group({ ca: text('A file.', { pattern: /\.pem$/ }) }, 'Encryption.', { optional: true }),
  },
  examples: [],
  codecs: ['json'],
  delivery: 'Goes on where it was.',
  open,
});

const enrichField = batchFunction({
  summary: 'Adds constants.',
  settings: { fields: map(json('A value.'), 'Columns and their values.') },
  examples: [],
  reads: () => [],
  writes: ({ fields }) => Object.keys(fields).map((name) => ({ name, type: 'any' })),
  open,
});

const filter = batchFunction({
  summary: 'Keeps rows.',
  settings: { column: text('The column.'), op: choice(['eq', 'gt', 'lt'], 'How.'), value: json('What to compare with.') },
  examples: [],
  reads: ({ column }) => [column],
  writes: () => [],
  open,
});

const select = batchFunction({
  summary: 'Keeps columns.',
  settings: { columns: list(text('A name.'), 'Columns that stay.', { min: 1 }) },
  examples: [],
  reads: ({ columns }) => columns,
  writes: () => [],
  keeps: ({ columns }) => columns,
  open,
});

const drop = batchFunction({
  summary: 'Removes columns.',
  settings: { columns: list(text('A name.'), 'Columns that go.') },
  examples: [],
  reads: () => [],
  writes: () => [],
  removes: ({ columns }) => columns,
  open,
});

const route = batchFunction({
  summary: 'Sends rows to tables.',
  settings: { column: text('The column.'), tables: list(text('A table.'), 'Tables.') },
  examples: [],
  reads: ({ column }) => [column],
  writes: () => [],
  tables: ({ tables }) => tables,
  open,
});

const anything = batchFunction({
  summary: 'Adds what nobody knows.',
  settings: {},
  examples: [],
  reads: () => [],
  writes: () => [],
  writesOthers: () => true,
  open,
});

const throwing = batchFunction({
  summary: 'Is written badly.',
  settings: { check: flag('Whether its check throws.', { default: false }) },
  examples: [],
  check: ({ check }) => {
    if (check) throw new Error('oh no');
    return [];
  },
  reads: () => {
    throw new Error('no columns today');
  },
  writes: () => [],
  open,
});

const show = sink({
  summary: 'Prints rows.',
  settings: { rows: integer('Most rows.', { default: 20, min: 1, max: 1000 }) },
  examples: [],
  codecs: ['json'],
  delivery: 'Printed.',
  open,
});

const fileSink = sink({
  summary: 'Writes a file.',
  settings: { path: text('The file.'), key_column: text('Column with the key.', { optional: true }) },
  examples: [],
  codecs: ['json', 'line', 'raw'],
  delivery: 'On disk.',
  reads: ({ key_column }) => (key_column === undefined ? [] : [key_column]),
  open,
});

const blackhole = sink({ summary: 'Counts rows.', settings: {}, examples: [], codecs: [], delivery: 'Counted.', open });

export const testNodeTypes: NodeTypes = {
  source: {
    generator: async () => ({ default: generator }),
    file: async () => ({ default: file }),
    broker: async () => ({ default: broker }),
  },
  function: {
    anything: async () => ({ default: anything }),
    drop: async () => ({ default: drop }),
    enrich_field: async () => ({ default: enrichField }),
    filter: async () => ({ default: filter }),
    route: async () => ({ default: route }),
    select: async () => ({ default: select }),
    throwing: async () => ({ default: throwing }),
  },
  sink: {
    blackhole: async () => ({ default: blackhole }),
    file: async () => ({ default: fileSink }),
    show: async () => ({ default: show }),
  },
};
