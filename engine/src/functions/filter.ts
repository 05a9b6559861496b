import type { Batch } from '../batch/batch.ts';
import { loadFunctionKernel } from '../batch/function-kernel.ts';
import { networkProblem } from '../batch/networks.ts';
import { group, json, list, type Settings, text } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import type { SettingIssue } from '../spec/node.ts';
import { type Json, NO_TABLE } from '../spec/plan.ts';
import { operators } from './comparison.ts';
import { conditionColumns, evaluate, parseCondition } from './condition.ts';

const networks = {
  column: text('The column that holds an IPv4 or IPv6 address as a string.'),
  values: list(text('A network in CIDR notation, or a lone address.'), 'The networks.', { min: 1 }),
};

const settings = {
  condition: json(
    `Rows that fulfil it pass. \`{column, op, value}\` compares, \`{all: […]}\`, \`{any: […]}\` and \`{not: …}\` combine. Operators: ${Object.keys(operators).join(', ')}. Numbers compare with numbers, strings with strings (by code point), booleans only by eq, ne and in; a column that is absent, null or of another kind than the value compares false, with \`ne\` as well. \`exists\` and \`missing\` take no value, null counts as missing. \`cidr\` takes one network or a list. \`matches\` takes a regular expression of RE2, which may match anywhere in the string, in linear time, without look-around and back-references; a row whose string is longer than 1 MiB is rejected.`,
    { optional: true },
  ),
  blacklist: group(networks, 'Rows whose column holds an address within one of the networks do not pass.', { optional: true }),
  whitelist: group(networks, 'Only rows whose column holds an address within one of the networks pass.', { optional: true }),
  otherwise: text(
    'Rows that do not pass go to the outs with this table, and those that pass to the outs without a table. Without it, rows that do not pass end here and count as delivered.',
    {
      optional: true,
    },
  ),
};

type FilterSettings = Settings<typeof settings>;

export default batchFunction({
  summary: 'Lets rows pass that fulfil a condition.',
  settings,
  security: 'It sees only its rows. No row makes a regular expression in `matches` slow: it takes linear time.',
  examples: [
    {
      title: 'Strong earthquakes that have a place',
      yaml: 'id: strong\nkind: function\ntype: filter\nsettings:\n  condition:\n    all:\n      - {column: magnitude, op: ge, value: 5}\n      - {column: place, op: exists}\n',
      input: [
        { id: 'a', magnitude: 6.4, place: 'Hualian' },
        { id: 'b', magnitude: 2, place: 'Jarm' },
        { id: 'c', magnitude: 7 },
      ],
    },
    {
      title: 'Rows from private networks go to another table',
      yaml: 'id: outside\nkind: function\ntype: filter\nsettings:\n  blacklist:\n    column: source_ip\n    values: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, "fc00::/7"]\n  otherwise: internal\n',
      input: [{ source_ip: '10.1.2.3' }, { source_ip: '8.8.8.8' }, { source_ip: 'fd00::1' }],
    },
  ],
  check,
  reads: (given) => Array.from(new Set(testsOf(given).flatMap(({ columns }) => columns))),
  writes: () => [],
  tables: ({ otherwise }) => (otherwise === undefined ? [] : [NO_TABLE, otherwise]),
  open: ({ settings: given }) => {
    const tests = testsOf(given);
    if (tests.some(({ slow }) => slow)) loadFunctionKernel();
    return { apply: (batch) => apply(batch, tests, given.otherwise) };
  },
});

interface RowTest {
  readonly columns: readonly string[];
  /** It matches regular expressions. */
  readonly slow: boolean;
  /** 1 where a live row passes. */
  run(batch: Batch): Uint8Array;
}

function apply(batch: Batch, tests: readonly RowTest[], otherwise: string | undefined): void {
  const [first, ...others] = tests;
  const passes = Uint8Array.from(first!.run(batch));
  for (const test of others) {
    const more = test.run(batch);
    for (let row = 0; row < passes.length; row++) passes[row]! &= more[row]!;
  }
  if (otherwise === undefined) {
    batch.filter(passes);
    return;
  }
  batch.route(passes, NO_TABLE);
  batch.route(
    passes.map((pass) => pass ^ 1),
    otherwise,
  );
}

function testsOf({ condition, blacklist, whitelist }: FilterSettings): RowTest[] {
  const tests: RowTest[] = [];
  if (blacklist !== undefined) {
    const { column, values } = blacklist;
    const run = (batch: Batch): Uint8Array =>
      batch
        .column(column)
        .within(values)
        .map((hit) => hit ^ 1);
    tests.push({ columns: [column], slow: false, run });
  }
  if (whitelist !== undefined) {
    const { column, values } = whitelist;
    tests.push({ columns: [column], slow: false, run: (batch) => batch.column(column).within(values) });
  }
  if (condition !== undefined) {
    const parsed = parseCondition(condition, ['condition']);
    if (parsed.condition === undefined) throw new TypeError(parsed.issues[0]?.message);
    const { condition: tree } = parsed;
    tests.push({ columns: conditionColumns(tree), slow: tree.slow, run: (batch) => evaluate(tree, batch) });
  }
  return tests;
}

function check({ condition, blacklist, whitelist }: FilterSettings): SettingIssue[] {
  if (condition === undefined && blacklist === undefined && whitelist === undefined) {
    return [{ path: [], message: 'has nothing to filter by, expected condition, blacklist or whitelist' }];
  }
  const issues = condition === undefined ? [] : [...parseCondition(condition as Json, ['condition']).issues];
  for (const [name, listed] of Object.entries({ blacklist, whitelist })) {
    listed?.values.forEach((network, i) => {
      const problem = networkProblem(network);
      if (problem !== undefined) issues.push({ path: [name, 'values', i], message: `${name}.values[${i}] ${problem}` });
    });
  }
  return issues;
}
