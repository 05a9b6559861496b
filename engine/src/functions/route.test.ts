import assert from 'node:assert/strict';
import { test } from 'node:test';
import route from './route.ts';
import { run } from './testing.ts';

const routes = [
  { table: 'alarms', condition: { column: 'level', op: 'in', value: ['error', 'fatal'] } },
  {
    table: 'slow',
    condition: {
      any: [
        { column: 'took', op: 'ge', value: 10 },
        { column: 'slow', op: 'eq', value: true },
      ],
    },
  },
  { table: 'alarms', condition: { column: 'user', op: 'eq', value: 'root' } },
];
const rows = [
  '{"level":"error","took":20}',
  '{"level":"info","took":20,"user":"root"}',
  '{"slow":true}',
  '{"user":"root"}',
  '{"level":"info"}',
  '{}',
].join('\n');

test('a row goes to the table of the first route that takes it, the others to the outs without a table', async () => {
  const { tables } = await run(route, { routes }, rows);
  assert.deepEqual(tables, { alarms: [0, 3], slow: [1, 2], '': [4, 5] });
});

test('otherwise names the table of all other rows', async () => {
  const { tables } = await run(route, { routes, otherwise: 'rest' }, rows);
  assert.deepEqual(tables, { alarms: [0, 3], slow: [1, 2], rest: [4, 5] });
});

test('it tells its columns and tables', () => {
  assert.deepEqual(route.reads({ routes } as never), ['level', 'took', 'slow', 'user']);
  assert.deepEqual(route.tables!({ routes } as never), ['alarms', 'slow', '']);
  assert.deepEqual(route.tables!({ routes, otherwise: 'rest' } as never), ['alarms', 'slow', 'rest']);
});

test('bad conditions and tables are named by their place', () => {
  const given = { routes: [{ table: '_ppf_errors', condition: { column: 'a', op: 'eq' } }], otherwise: '' };
  assert.deepEqual(
    route.check!(given as never).map(({ message }) => message),
    [
      'routes[0].condition has no value, expected a string, number or boolean (for null and absent there are exists and missing)',
      'routes[0].table is _ppf_errors, which is for rejected rows, expected another name',
      'otherwise is empty, expected the name of a table',
    ],
  );
});
