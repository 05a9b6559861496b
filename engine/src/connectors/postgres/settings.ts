import { asksForTls, checkClientTls, clientTls } from '../../net/client-tls.ts';
import { bulkSettings, checkBulkSettings } from '../../spec/bulk-settings.ts';
import { choice, flag, integer, list, map, number, type Settings, secret, text } from '../../spec/fields.ts';
import type { SettingIssue } from '../../spec/node.ts';
import type { SideColumn } from '../../spec/row-texts.ts';

const DEFAULT_BATCH = { rows: 5000, bytes: 4 * 1024 * 1024, timeout_ms: 50 };

export const settings = {
  host: text('Name or address of the server, or the folder of its Unix socket.', { default: '127.0.0.1' }),
  port: integer('Its port.', { default: 5432, min: 1, max: 65_535 }),
  database: text('The database.'),
  user: text('Who logs in.'),
  password: secret(
    'The password. Without it the server must let the user in by its certificate, or by where it comes from; `PGPASSWORD` and `~/.pgpass` count too.',
    { optional: true },
  ),
  encryption: choice(
    ['required', 'none'],
    '`required`: TLS, or the server gets no rows. `none`: rows stand readable on the way; for a server on the same machine.',
    { default: 'required' },
  ),
  tls: clientTls,
  table: text('The table, with its schema where it is not in the search path: `events`, `audit.events`.', {
    pattern: /^[^."]+(\.[^."]+)?$/,
  }),
  columns: map(
    text('The column of the row.'),
    'By column of the table, the column of the row that goes into it. Default: those of one name.',
    {
      optional: true,
    },
  ),
  method: choice(
    ['copy', 'insert'],
    '`copy`: COPY, the fastest; it takes `columns`, no lists, and has no conflicts to settle. `insert`: one INSERT for all rows, from JSON, which the server takes apart. Default: `copy` where it can be.',
    { optional: true },
  ),
  on_conflict: choice(
    ['error', 'nothing', 'update'],
    'What happens to a row whose key is there already. `error`: it is refused; `nothing`: it is left out; `update`: it replaces the other. The last two make it harmless that rows may come twice.',
    { default: 'error' },
  ),
  conflict_columns: list(
    text('Name of a column.'),
    'The columns of the key, for `on_conflict`: a unique index must cover them.',
    {
      default: [],
    },
  ),
  unknown_columns: choice(
    ['error', 'ignore', 'store'],
    'What happens to columns of a row that have no place. `error`: the row is refused; `ignore`: they are left out; `store`: they go into `unknown_column` as an object. Default: `ignore` with `columns`, else `error`.',
    { optional: true },
  ),
  unknown_column: text('A column of type jsonb, for `unknown_columns: store`.', { optional: true }),
  create_table: map(
    text('Its type, as SQL has it: `timestamptz`, `bigint not null`.'),
    'Makes the table where it is not there, with these columns, and `conflict_columns` as its primary key. Default: nothing is made.',
    { optional: true },
  ),
  required_at_start: flag('True: a server that cannot be reached at the start ends the run. False: it is waited for.', {
    default: false,
  }),
  connect_timeout_secs: number('A connection must be there within this time.', { default: 10, min: 0.1, unit: 'seconds' }),
  statement_timeout_secs: number('A statement must be through within this time, or its rows are sent again.', {
    default: 60,
    min: 0.1,
    unit: 'seconds',
  }),
  ...bulkSettings({ rows: DEFAULT_BATCH.rows, bytes: DEFAULT_BATCH.bytes, timeoutMs: DEFAULT_BATCH.timeout_ms, concurrency: 2 }),
};

export type PostgresSettings = Settings<typeof settings>;

export function copies({ method, columns, on_conflict, unknown_columns = 'ignore' }: PostgresSettings): boolean {
  return method === undefined
    ? columns !== undefined && on_conflict === 'error' && unknown_columns === 'ignore'
    : method === 'copy';
}

/** For COPY: the columns of the row as one line of CSV, which is sent as it is; a lone one by its text. */
export function copySides(given: PostgresSettings): readonly SideColumn[] {
  if (!copies(given)) return [];
  const names = Object.values(given.columns ?? {});
  const [first, second, ...others] = names;
  return first !== undefined && second !== undefined ? [[first, second, ...others]] : names;
}

export function unknownColumns({ unknown_columns, columns }: PostgresSettings): 'error' | 'ignore' | 'store' {
  return unknown_columns ?? (columns === undefined ? 'error' : 'ignore');
}

export function checkSettings(given: PostgresSettings): SettingIssue[] {
  const { host, encryption, tls, method, columns, on_conflict, conflict_columns, unknown_columns, unknown_column } = given;
  const issues: SettingIssue[] = [...checkBulkSettings(given, DEFAULT_BATCH), ...checkClientTls(tls)];
  const issue = (path: string, message: string): void => {
    issues.push({ path: [path], message });
  };
  if (encryption === 'none' && !isLocal(host)) {
    const message = `is "none", so rows and what logs in stand readable on the way to ${host}: expected "required"`;
    issues.push({ path: ['encryption'], message, severity: 'warning' });
  }
  if (encryption === 'none' && asksForTls(tls)) issue('tls', 'is not used with encryption: none, expected "required"');
  if (columns !== undefined && Object.keys(columns).length === 0) issue('columns', 'is empty, expected at least one column');
  if (method === 'copy' && columns === undefined) issue('method', 'is "copy", which must know "columns"');
  if (method === 'copy' && on_conflict !== 'error')
    issue('on_conflict', `is "${on_conflict}", which COPY cannot do, expected method: insert`);
  if (method === 'copy' && unknown_columns !== undefined && unknown_columns !== 'ignore')
    issue('unknown_columns', `is "${unknown_columns}", which COPY cannot do, expected method: insert`);
  if (on_conflict === 'update' && conflict_columns.length === 0)
    issue('conflict_columns', 'is empty, expected the columns of the key that on_conflict: update goes by');
  if (on_conflict === 'update' && columns !== undefined && Object.keys(columns).every((name) => conflict_columns.includes(name)))
    issue('conflict_columns', 'has all columns, so there is nothing to update, expected on_conflict: nothing');
  if (unknown_columns === 'store' && unknown_column === undefined)
    issue('unknown_column', 'is missing, expected the column for unknown_columns: store');
  if (unknown_columns !== 'store' && unknown_column !== undefined)
    issue('unknown_column', 'stands without unknown_columns: store');
  return issues;
}

function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.');
}
