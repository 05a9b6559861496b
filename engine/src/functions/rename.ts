import { map, text } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import type { SettingIssue } from '../spec/node.ts';
import { rowsOnly } from '../spec/security.ts';

export default batchFunction({
  summary: 'Gives columns other names.',
  settings: {
    columns: map(
      text('The new name.'),
      'Old names and new ones. A column keeps its place in the row and replaces one that has the new name; a row that does not have the old name is left as it is.',
    ),
  },
  security: rowsOnly,
  examples: [
    {
      title: 'Another name',
      yaml: 'id: names\nkind: function\ntype: rename\nsettings:\n  columns:\n    src: source_ip\n    dst: target_ip\n',
      input: [{ src: '10.0.0.1', dst: '10.0.0.2', bytes: 512 }, { src: '10.0.0.3' }],
    },
  ],
  check: ({ columns }) => check(columns),
  reads: ({ columns }) => Object.keys(columns),
  writes: ({ columns }) => Object.values(columns).map((name) => ({ name, type: 'any' })),
  removes: ({ columns }) => Object.keys(columns).filter((name) => !Object.values(columns).includes(name)),
  open: ({ settings: { columns } }) => ({
    apply: (batch) => {
      for (const [from, to] of Object.entries(columns)) batch.rename(from, to);
    },
  }),
});

function check(columns: Readonly<Record<string, string>>): SettingIssue[] {
  const issues: SettingIssue[] = [];
  const taken = new Map<string, string>();
  for (const [from, to] of Object.entries(columns)) {
    const other = taken.get(to);
    if (other !== undefined) {
      issues.push({
        path: ['columns', from],
        message: `columns.${from} is "${to}", which columns.${other} is as well, expected another name`,
      });
    } else if (from !== to && to in columns) {
      issues.push({
        path: ['columns', from],
        message: `columns.${from} is "${to}", which is renamed itself, expected a name that is not`,
      });
    }
    taken.set(to, from);
  }
  return issues;
}
