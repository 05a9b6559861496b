import { accessSettings, checkAccess } from '../../../net/client-access.ts';
import { headerIssue, urlIssue } from '../../../net/url-issue.ts';
import { bulkSettings, checkBulkSettings, punchBulkSettings } from '../../../spec/bulk-settings.ts';
import { choice, flag, map, number, type Settings, text } from '../../../spec/fields.ts';
import type { SettingIssue } from '../../../spec/node.ts';
import type { Codec } from '../../../spec/plan.ts';
import { parseStatuses } from './statuses.ts';

const DEFAULT_BATCH = { rows: 1000, bytes: 1024 * 1024, timeout_ms: 20 };

export const settings = {
  url: text('Where rows are sent to.'),
  method: choice(['POST', 'PUT', 'PATCH'], 'The method of the requests.', { default: 'POST' }),
  headers: map(text('Value of the header.'), 'Further headers of every request. Who sends stands in `auth`, not here.', {
    default: {},
  }),
  body: choice(
    ['array', 'lines', 'object'],
    'How rows stand in a body. `array`: as one JSON array; `lines`: each on a line (NDJSON, the text of `line`, or CSV, each body with its header); `object`: a single row for each request. The default is `array` for json and `lines` for all else.',
    { optional: true },
  ),
  output_column: text('Each row is sent as `{"NAME":"…"}`, the row as it is encoded being the string.', { optional: true }),
  compression: flag('Compresses bodies.', { default: false }),
  compression_format: choice(['gzip', 'zstd', 'deflate', 'br'], 'How, with `compression`.', { default: 'gzip' }),
  ...bulkSettings({ rows: DEFAULT_BATCH.rows, bytes: DEFAULT_BATCH.bytes, timeoutMs: DEFAULT_BATCH.timeout_ms, concurrency: 4 }),
  ...punchBulkSettings,
  transient_statuses: text(
    'Answers after which the rows are sent again: numbers, `5xx` for all of a hundred, commas between. Any 2xx is success; rows that get another answer go to the error table.',
    { default: '408, 425, 429, 5xx' },
  ),
  split_statuses: text(
    'Answers after which the halves of a body are sent by themselves, down to single rows, so that only rows that are refused alone go to the error table. With `400, 413, 422` one bad row does not cost its neighbours.',
    { default: '413' },
  ),
  response_timeout_secs: number('An answer must be there within this time, or the rows are sent again.', {
    default: 30,
    min: 0.05,
    unit: 'seconds',
  }),
  ...accessSettings,
};

export type HttpSinkSettings = Settings<typeof settings>;

export function checkSettings(given: HttpSinkSettings, codec?: Codec): SettingIssue[] {
  const { url, headers, body, batch, bulk_size } = given;
  const issues: SettingIssue[] = [...checkBulkSettings(given, DEFAULT_BATCH), ...checkAccess(given, [url])];
  const wrongUrl = urlIssue(url);
  if (wrongUrl !== undefined) issues.push({ path: ['url'], message: wrongUrl });
  for (const [name, value] of Object.entries(headers)) {
    const message = /^authorization$/i.test(name) ? 'would show a secret, expected it in "auth"' : headerIssue(name, value);
    if (message !== undefined) issues.push({ path: ['headers', name], message });
  }
  for (const name of ['transient_statuses', 'split_statuses'] as const) {
    if (typeof parseStatuses(given[name]) === 'string')
      issues.push({ path: [name], message: `is "${given[name]}", expected numbers such as 429 or 5xx with commas between` });
  }
  if (body === 'object' && (bulk_size ?? batch.rows) > 1 && (bulk_size ?? batch.rows) !== DEFAULT_BATCH.rows)
    issues.push({ path: ['body'], message: 'is "object", which sends one row at a time, but more are to be sent together' });
  return [...issues, ...bodyIssues(given, codec?.name ?? 'json')];
}

/** What the encoding of rows leaves of ways to put them into a body. */
function bodyIssues({ body, output_column }: HttpSinkSettings, codec: Codec['name']): SettingIssue[] {
  if (codec === 'raw' && output_column !== undefined)
    return [
      { path: ['output_column'], message: 'is given with encoding "raw", expected one of them: JSON holds no bytes as they are' },
    ];
  if (codec === 'json' || output_column !== undefined || body === undefined || body === 'lines') return [];
  if (codec === 'raw')
    return [{ path: ['body'], message: `is "${body}" with encoding "raw", expected it left out: a body is a row` }];
  return body === 'array'
    ? [{ path: ['body'], message: `is "array" with encoding "${codec}", expected "json" or body: lines` }]
    : [];
}
