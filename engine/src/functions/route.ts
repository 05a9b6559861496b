import type { Batch } from '../batch/batch.ts';
import { loadFunctionKernel } from '../batch/function-kernel.ts';
import { group, json, list, type Settings, text } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import type { SettingIssue } from '../spec/node.ts';
import { ERROR_TABLE, NO_TABLE } from '../spec/plan.ts';
import { rowsOnly } from '../spec/security.ts';
import { type Condition, conditionColumns, evaluateWhere, parseCondition } from './condition.ts';

const settings = {
  routes: list(
    group(
      {
        table: text('The table; the outs with this table get the rows.'),
        condition: json('Which rows go there: a condition as `filter` takes it.'),
      },
      'A route.',
    ),
    'Asked in this order: a row goes to the table of the first route whose condition it fulfils, and nowhere else. Several routes may lead to one table.',
    { min: 1 },
  ),
  otherwise: text('Table for rows that fulfil none of the conditions. Without it they go to the outs without a table.', {
    optional: true,
  }),
};

type RouteSettings = Settings<typeof settings>;

interface Route {
  readonly table: string;
  readonly condition: Condition;
}

export default batchFunction({
  summary: 'Sends each row to a table by conditions.',
  settings,
  security: rowsOnly,
  examples: [
    {
      title: 'By level, the rest to the outs without a table',
      yaml: 'id: levels\nkind: function\ntype: route\nsettings:\n  routes:\n    - table: alarms\n      condition: {column: level, op: in, value: [error, fatal]}\n    - table: slow\n      condition: {column: took_ms, op: ge, value: 1000}\n',
      input: [
        { id: 1, level: 'error', took_ms: 5 },
        { id: 2, level: 'info', took_ms: 1500 },
        { id: 3, level: 'info', took_ms: 5 },
      ],
    },
  ],
  check,
  reads: (given) => Array.from(new Set(routesOf(given).flatMap(({ condition }) => conditionColumns(condition)))),
  writes: () => [],
  tables: ({ routes, otherwise }) => Array.from(new Set([...routes.map(({ table }) => table), otherwise ?? NO_TABLE])),
  open: ({ settings: given }) => {
    const routes = routesOf(given);
    if (routes.some(({ condition }) => condition.slow)) loadFunctionKernel();
    return { apply: (batch) => apply(batch, routes, given.otherwise ?? NO_TABLE) };
  },
});

function apply(batch: Batch, routes: readonly Route[], otherwise: string): void {
  /** 1 where no route has taken the row. */
  let open: Uint8Array = new Uint8Array(batch.size);
  for (const row of batch.rows) open[row] = 1;
  for (const { table, condition } of routes) {
    const taken = evaluateWhere(condition, batch, open);
    batch.route(taken, table);
    open = open.map((wanted, row) => wanted & (taken[row]! ^ 1));
  }
  batch.route(open, otherwise);
}

function routesOf({ routes }: RouteSettings): Route[] {
  return routes.map(({ table, condition }, i) => {
    const parsed = parseCondition(condition, ['routes', i, 'condition']);
    if (parsed.condition === undefined) throw new TypeError(parsed.issues[0]?.message);
    return { table, condition: parsed.condition };
  });
}

function check({ routes, otherwise }: RouteSettings): SettingIssue[] {
  const issues = routes.flatMap(({ condition }, i) => parseCondition(condition, ['routes', i, 'condition']).issues);
  for (const [i, { table }] of routes.entries()) {
    const problem = tableProblem(table);
    if (problem !== undefined) issues.push({ path: ['routes', i, 'table'], message: `routes[${i}].table ${problem}` });
  }
  const problem = otherwise === undefined ? undefined : tableProblem(otherwise);
  if (problem !== undefined) issues.push({ path: ['otherwise'], message: `otherwise ${problem}` });
  return issues;
}

function tableProblem(table: string): string | undefined {
  if (table === '') return 'is empty, expected the name of a table';
  return table === ERROR_TABLE ? `is ${ERROR_TABLE}, which is for rejected rows, expected another name` : undefined;
}
