import { accessSettings, checkAccess } from '../../net/client-access.ts';
import type { ClientAuth } from '../../net/client-auth.ts';
import { urlIssue } from '../../net/url-issue.ts';
import { bulkSettings, checkBulkSettings, punchBulkSettings } from '../../spec/bulk-settings.ts';
import { choice, flag, group, integer, list, number, type Settings, secret, text } from '../../spec/fields.ts';
import type { SettingIssue } from '../../spec/node.ts';
import { dateFormat } from '../generator/date-format.ts';
import { indexNameIssue } from './index-name.ts';

export const DEFAULT_BATCH = { rows: 1000, bytes: 5 * 1024 * 1024, timeout_ms: 500 };

const index = {
  type: choice(
    ['daily', 'fixed', 'data_stream'],
    '`daily`: an index for each day (UTC), `PREFIX-2026.12.31`; `fixed`: one index, or alias; `data_stream`: a data stream, to which documents are only added.',
    { default: 'daily' },
  ),
  prefix: text('For `daily`: what the names begin with. Beside `prefix_column`: for rows that have nothing there.', {
    optional: true,
  }),
  prefix_column: text(
    'Column that says where a row goes: what the name begins with (`daily`), or the whole name (`fixed`, `data_stream`).',
    { optional: true },
  ),
  whitelist: list(text('A value.'), 'What may stand in `prefix_column`: rows with anything else go to the error table.', {
    optional: true,
  }),
  name: text('For `fixed` and `data_stream`: the name.', { optional: true }),
  time_column: text(
    'For `daily`: column with the time of the row (ISO 8601, or milliseconds since 1970) that says its day. Without it, it is the day on which the row is sent.',
    { optional: true },
  ),
};

const extraField = {
  type: choice(['date'], 'What it holds: the time at which the document is sent.', { default: 'date' }),
  name: text('Its name.'),
  format: text("Its format in Java's letters (`yyyy-MM-dd'T'HH:mm:ss.SSSZ`). Without it ISO 8601 in UTC.", { optional: true }),
};

const document = {
  json_column: text('Column whose text is the document, a JSON object. Without it the whole row is the document.', {
    optional: true,
  }),
  column_fields: list(text('A column.'), 'The columns that the document is made of. Without it all.', { optional: true }),
  id_column: text(
    'Column with the id of the document. `_ppf_id` is the same when a row is sent again, so that it is stored once. Empty: the server makes ids, and a row that is sent again is stored twice.',
    { default: '_ppf_id' },
  ),
  extra_fields: list(group(extraField, 'A field.'), 'Fields that are added to each document.', { default: [] }),
};

const credentials = {
  username: text('User name.', { optional: true }),
  password: secret('Password.', { optional: true }),
  token: secret('A token, of the type `token_type`.', { optional: true }),
  token_type: choice(['Bearer', 'ApiKey', 'Basic'], 'What stands before the token in `Authorization`.', { default: 'Bearer' }),
};

const server = {
  host: text('Its name or address.'),
  port: integer('Its port.', { default: 9200, min: 1, max: 65_535 }),
  scheme: choice(['http', 'https'], '`https`: it is spoken with by TLS.', { default: 'http' }),
  path: text('What stands before the paths of its own, where it is behind another server.', { default: '' }),
};

export type ServerSettings = Settings<typeof server>;

export const settings = {
  http_hosts: list(
    group(server, 'A server.'),
    'The servers of the cluster. They take turns; one that cannot be reached rests for a while.',
    { min: 1 },
  ),
  index: group(index, 'Where documents go.'),
  document: group(document, 'What a document is made of.', {
    // The optional ones are absent.
    default: { id_column: '_ppf_id', extra_fields: [] } as unknown as Settings<typeof document>,
  }),
  compression: flag('Compresses bodies with gzip, and takes compressed answers.', { default: false }),
  pipeline: text('An ingest pipeline of the server that documents go through.', { optional: true }),
  ...bulkSettings({ rows: DEFAULT_BATCH.rows, bytes: DEFAULT_BATCH.bytes, timeoutMs: DEFAULT_BATCH.timeout_ms, concurrency: 4 }),
  ...punchBulkSettings,
  response_timeout_secs: number('An answer must be there within this time, or the rows are sent again.', {
    default: 60,
    min: 0.05,
    unit: 'seconds',
  }),
  request_timeout: text("Punch's word for `response_timeout_secs`, with its unit: `20s`, `500ms`.", {
    optional: true,
    pattern: /^\d+(\.\d+)?(ms|s|m)$/,
  }),
  bulk_failure_action: choice(
    ['retry', 'fail'],
    'When a server refuses a whole request for good (wrong credentials, no rights): `retry` sends it again, for ever unless `retry.max_attempts` says otherwise; `fail` sends its rows to the error table.',
    { default: 'retry' },
  ),
  document_failure_action: choice(
    ['fail', 'drop'],
    'When a server refuses a document for good (it does not fit the mapping): `fail` sends its row to the error table with the reason; `drop` only counts it, and warns.',
    { default: 'fail' },
  ),
  security: group(
    { credentials: group(credentials, "Punch's word for `auth`.", { optional: true }) },
    "Punch's place for credentials.",
    { optional: true },
  ),
  ...accessSettings,
};

export type OpenSearchSettings = Settings<typeof settings>;

export function hostUrl({ host, port, scheme, path }: ServerSettings): string {
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `${scheme}://${name}:${port}/${path.replace(/^\/+/, '')}`;
}

export function checkSettings(given: OpenSearchSettings): SettingIssue[] {
  const issues: SettingIssue[] = [...checkBulkSettings(given, DEFAULT_BATCH), ...checkIndex(given)];
  const urls = given.http_hosts.map(hostUrl);
  issues.push(...checkAccess({ ...given, auth: authOf(given) }, urls));
  given.http_hosts.forEach(({ host }, at) => {
    if (host === '' || /[/@?#]/.test(host) || urlIssue(urls[at]!) !== undefined)
      issues.push({ path: ['http_hosts', at, 'host'], message: `is "${host}", expected a name or an address` });
  });
  if (given.auth !== undefined && given.security?.credentials !== undefined)
    issues.push({ path: ['security', 'credentials'], message: 'stands beside "auth", expected one of both' });
  const { json_column, column_fields, extra_fields } = given.document;
  if (json_column !== undefined && column_fields !== undefined)
    issues.push({ path: ['document', 'column_fields'], message: 'stands beside "json_column", expected one of both' });
  extra_fields.forEach(({ format }, at) => {
    try {
      if (format !== undefined) dateFormat(format);
    } catch (error) {
      issues.push({ path: ['document', 'extra_fields', at, 'format'], message: `cannot be used: ${(error as Error).message}` });
    }
  });
  return issues;
}

function checkIndex({ index: given }: OpenSearchSettings): SettingIssue[] {
  const { type, prefix, prefix_column, whitelist, name, time_column } = given;
  const wrong = (setting: keyof typeof given, message: string): SettingIssue => ({ path: ['index', setting], message });
  const issues: SettingIssue[] = [];
  const [wanted, other] = type === 'daily' ? (['prefix', 'name'] as const) : (['name', 'prefix'] as const);
  const value = given[wanted];
  if (value === undefined && prefix_column === undefined)
    issues.push(wrong(wanted, `is missing, expected it or "prefix_column" with type "${type}"`));
  if (value !== undefined && indexNameIssue(value) !== undefined)
    issues.push(wrong(wanted, `is "${value}": ${indexNameIssue(value)}`));
  if (given[other] !== undefined && !(other === 'prefix' && prefix_column !== undefined))
    issues.push(wrong(other, `has no meaning with type "${type}", expected "${wanted}"`));
  if (prefix === undefined && whitelist !== undefined && prefix_column === undefined)
    issues.push(wrong('whitelist', 'has no meaning without "prefix_column"'));
  if (time_column !== undefined && type !== 'daily') issues.push(wrong('time_column', `has no meaning with type "${type}"`));
  if (name !== undefined && name === '') issues.push(wrong('name', 'is empty'));
  return issues;
}

/** `auth`, or what Punch's words mean. An API key goes where these servers look for it. */
export function authOf({ auth, security }: OpenSearchSettings): ClientAuth | undefined {
  const { username, password, token, token_type } = security?.credentials ?? {};
  const usual = { header: 'Authorization' } as ClientAuth;
  if (auth?.type === 'api_key' && auth.header === 'X-API-Key' && auth.key !== undefined)
    return { ...auth, header: 'Authorization', key: `ApiKey ${encodedKey(auth.key)}` };
  if (auth !== undefined || security?.credentials === undefined) return auth;
  if (token === undefined) return { ...usual, type: 'basic', username, password };
  return { ...usual, type: 'api_key', key: `${token_type} ${token_type === 'ApiKey' ? encodedKey(token) : token}` };
}

/** `id:key` goes in base64. */
function encodedKey(key: string): string {
  return key.includes(':') ? Buffer.from(key).toString('base64') : key;
}

/** Milliseconds. */
export function responseTimeoutMs({ request_timeout, response_timeout_secs }: OpenSearchSettings): number {
  const [, count, unit] = /^([\d.]+)(ms|s|m)$/.exec(request_timeout ?? '') ?? [];
  if (count === undefined) return response_timeout_secs * 1000;
  return Number(count) * (unit === 'ms' ? 1 : unit === 's' ? 1000 : 60_000);
}
