import { bulkLimits } from '../../spec/bulk-settings.ts';
import type { BulkSink } from '../../spec/bulk-sink.ts';
import { bulkSink, type SinkContext } from '../../spec/sink.ts';
import { dateFormat } from '../generator/date-format.ts';
import { openAccess } from './access.ts';
import { Hosts } from './hosts.ts';
import { IndexChooser } from './index-chooser.ts';
import { OpenSearchSink } from './opensearch-sink.ts';
import { probeServers } from './probe.ts';
import { checkSettings, hostUrl, type OpenSearchSettings, settings } from './settings.ts';

export default bulkSink({
  summary: 'Stores rows as documents in OpenSearch or Elasticsearch, many in a request.',
  settings,
  check: checkSettings,
  codecs: ['json'],
  delivery:
    'At least once, and once in the index where `document.id_column` is the same at a replay (`_ppf_id` is): rows count as delivered when the server has answered for each of them. Documents that it is too busy for are sent again for ever; those that it refuses for good go to the error table with its reason.',
  security:
    'Documents go to the servers that `http_hosts` names, whose certificates are checked with `https:`; with `http:` documents and what authenticates stand readable on the way. A name that a row gives to its index is judged: it cannot lead to what belongs to the server. Passwords and tokens are secrets.',
  examples: [
    {
      title: 'An index a day; what is sent again is stored once',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the punchline.
      yaml: 'id: out\nkind: sink\ntype: opensearch\nsettings:\n  http_hosts: [{ host: search.example, scheme: https }]\n  index: { type: daily, prefix: logs }\n  auth: { type: basic, username: reef, password: "${SEARCH_PASSWORD}" }\n',
      needs: 'a server',
    },
    {
      title: "With Punch's words: the index by a column, the document in another",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the punchline.
      yaml: 'id: out\nkind: sink\ntype: elasticsearch_sink\nsettings:\n  http_hosts: [{ host: one.example, port: 9200 }, { host: two.example, port: 9200 }]\n  security: { credentials: { username: reef, password: "${SEARCH_PASSWORD}" } }\n  index: { type: daily, prefix_column: type, whitelist: [apache, haproxy] }\n  document:\n    json_column: log\n    id_column: _ppf_id\n    extra_fields: [{ type: date, name: ts }]\n  bulk_size: 500\n  document_failure_action: fail\n',
      needs: 'a server',
    },
    {
      title: 'A data stream',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the punchline.
      yaml: 'id: out\nkind: sink\ntype: opensearch\nsettings:\n  http_hosts: [{ host: search.example, scheme: https }]\n  index: { type: data_stream, name: logs-app }\n  document: { extra_fields: [{ name: "@timestamp" }] }\n  auth: { type: api_key, key: "${SEARCH_KEY}" }\n  compression: true\n',
      needs: 'a server',
    },
  ],
  sideColumns: ({ index, document }) => [
    ...new IndexChooser(index).columns,
    ...(document.id_column === '' ? [] : [document.id_column]),
    ...(document.json_column === undefined ? [] : [document.json_column]),
  ],
  probe: probeServers,
  open: openSink,
});

async function openSink(context: SinkContext<typeof settings>): Promise<BulkSink> {
  const { id, settings: given, log } = context;
  const { http_hosts, index, document, compression, pipeline, bulk_failure_action, document_failure_action } = given;
  const access = await openAccess(context);
  const clients = http_hosts.map((host) => access.client(hostUrl(host), `send to sink "${id}"`));
  return new OpenSearchSink({
    id,
    limits: bulkLimits(given),
    access,
    hosts: new Hosts(clients),
    body: {
      operation: index.type === 'data_stream' ? 'create' : 'index',
      index: new IndexChooser(index),
      hasId: document.id_column !== '',
      hasDocument: document.json_column !== undefined,
      fields: document.column_fields && new Set(document.column_fields),
      extra: extraFields(document.extra_fields),
    },
    compression,
    pipeline,
    failBulks: bulk_failure_action === 'fail',
    dropDocuments: document_failure_action === 'drop',
    log,
  });
}

/** Members to put behind others. */
function extraFields(fields: OpenSearchSettings['document']['extra_fields']): (now: number) => string {
  const made = fields.map(({ name, format }) => ({
    begin: `,${JSON.stringify(name)}:`,
    format: format === undefined ? (date: Date) => date.toISOString() : dateFormat(format),
  }));
  return (now) => made.map(({ begin, format }) => `${begin}${JSON.stringify(format(new Date(now)))}`).join('');
}
