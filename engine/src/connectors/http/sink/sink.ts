import { encodeCsvHeader } from '../../../codecs/csv-header.ts';
import { ReefError } from '../../../errors.ts';
import { openHttpAccess } from '../../../net/client-access.ts';
import { bulkLimits } from '../../../spec/bulk-settings.ts';
import type { BulkSink } from '../../../spec/bulk-sink.ts';
import type { ProbeContext } from '../../../spec/node.ts';
import type { CsvCodec } from '../../../spec/plan.ts';
import { bulkSink, type SinkContext } from '../../../spec/sink.ts';
import { contentTypes } from './body.ts';
import { HttpSink } from './http-sink.ts';
import { checkSettings, settings } from './settings.ts';
import { parseStatuses, type Statuses } from './statuses.ts';

export default bulkSink({
  summary: 'Sends rows to a server by HTTP, many in a request.',
  settings,
  check: checkSettings,
  codecs: ['json', 'line', 'csv', 'raw'],
  delivery:
    'At least once: rows count as delivered when the server has answered with 2xx. What may pass is sent again for ever, so a server may see rows twice; rows that it refuses for good go to the error table with what it said.',
  security:
    'Rows go to the server that `url` names, whose certificate is checked with `https:`; with `http:` rows and what authenticates stand readable on the way. Tokens and passwords are secrets: referred to, never shown.',
  examples: [
    {
      title: 'A JSON array of up to 1000 rows a request',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the punchline.
      yaml: 'id: out\nkind: sink\ntype: http\nsettings:\n  url: https://collector.example/rows\n  auth:\n    type: bearer\n    token: ${COLLECTOR_TOKEN}\n',
      needs: 'a server',
    },
    {
      title: "NDJSON, compressed, with Punch's words",
      yaml: 'id: out\nkind: sink\ntype: http_sink\nsettings:\n  url: http://127.0.0.1:8080/logs\n  encoding: {codec: json}\n  body: lines\n  compression: true\n  bulk_size: 500\n  bulk_interval: 1000\n',
      needs: 'a server',
    },
  ],
  open: openHttpSink,
  probe: probeServer,
});

type Context = SinkContext<typeof settings>;

async function openHttpSink({ id, settings: given, codec, folder, log }: Context): Promise<BulkSink> {
  const { url, headers, body, method, output_column, compression, compression_format } = given;
  // Whatever the codec: a row that is wrapped is JSON.
  const json = codec.name === 'json' || output_column !== undefined;
  const kind = body ?? (json ? 'array' : 'lines');
  // Nothing says where one row ends and the next begins.
  const raw = codec.name === 'raw' && !json;
  const csv = codec.name === 'csv' && !json ? codec : undefined;
  const responseTimeoutMs = given.response_timeout_secs * 1000;
  const access = await openHttpAccess({ settings: given, responseTimeoutMs, folder, subject: `sink "${id}"`, log });
  const limits = bulkLimits(given);
  return new HttpSink({
    id,
    limits: kind === 'object' || raw ? { ...limits, rows: 1 } : limits,
    access,
    client: access.client(url, `send to HTTP sink "${id}"`),
    method,
    origin: new URL(url).origin,
    headers: allHeaders(
      headers,
      json ? contentTypes[kind] : csv ? csvType(csv) : raw ? 'application/octet-stream' : 'text/plain; charset=utf-8',
      {
        ...(compression ? { 'Content-Encoding': compression_format } : {}),
      },
    ),
    body: kind,
    head: csv?.header ? encodeCsvHeader(csv) : undefined,
    outputColumn: output_column,
    compression: compression ? compression_format : undefined,
    transient: parseStatuses(given.transient_statuses) as Statuses,
    split: parseStatuses(given.split_statuses) as Statuses,
  });
}

/** OPTIONS moves no rows, and every server has an answer to it, if only that it does not know it. */
async function probeServer({
  id,
  settings: given,
  folder,
  log,
  signal,
}: ProbeContext<typeof settings>): Promise<readonly string[]> {
  const responseTimeoutMs = given.response_timeout_secs * 1000;
  const access = await openHttpAccess({ settings: given, responseTimeoutMs, folder, subject: `sink "${id}"`, log });
  try {
    const client = access.client(given.url, `reach HTTP sink "${id}"`);
    const headers = allHeaders(given.headers, 'application/json', {});
    const { status } = await access.request(client, { method: 'OPTIONS', headers, mostBodyBytes: 0 }, signal);
    const { origin } = new URL(given.url);
    if (status === 401 || status === 403 || status === 407)
      throw new ReefError('io', `Cannot reach HTTP sink "${id}": ${origin} answers ${status}, expected that \`auth\` lets it in`);
    return [`reaches ${origin}, which answers ${status} to OPTIONS`];
  } finally {
    access.close();
  }
}

/** RFC 4180 says in the type whether the first line names the columns. */
function csvType({ header }: CsvCodec): string {
  return `text/csv; charset=utf-8; header=${header ? 'present' : 'absent'}`;
}

/** The user's own win. */
function allHeaders(
  given: Readonly<Record<string, string>>,
  contentType: string,
  more: Readonly<Record<string, string>>,
): readonly (readonly [string, string])[] {
  const own = Object.entries(given);
  const usual = Object.entries({ 'Content-Type': contentType, 'User-Agent': 'reef', ...more });
  return [...usual.filter(([name]) => !own.some(([other]) => other.toLowerCase() === name.toLowerCase())), ...own];
}
