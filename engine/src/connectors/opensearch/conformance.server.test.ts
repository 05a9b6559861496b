import { after, before } from 'node:test';
import { missing } from '../../testing/servers/needs.ts';
import { type OpenSearchServer, opensearch, startOpenSearch } from '../../testing/servers/opensearch.ts';
import { sinkConforms } from '../testing/conformance/conforms.ts';
import type { Row } from '../testing/conformance/rows.ts';
import type { SettingsOptions } from '../testing/conformance/sides.ts';

const skip = await missing(...opensearch);

let server: OpenSearchServer;
const cleanUps: (() => unknown)[] = [];
before(async () => {
  if (skip !== false) return;
  server = await startOpenSearch({ after: (cleanUp) => cleanUps.push(cleanUp) });
  // A text of a megabyte is no term to look for.
  const properties = { n: { type: 'integer' }, text: { type: 'text', index: false } };
  await server.ask('PUT', '/_index_template/conformance', {
    index_patterns: ['conformance-*'],
    template: { mappings: { properties } },
  });
});
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

interface Hits {
  readonly hits: { readonly hits: readonly { readonly _source: Row; readonly sort: readonly number[] }[] };
}

const PAGE_ROWS = 1000;

/** All documents, by their number; none while the server is away, or has no such index. */
async function documents(index: string): Promise<Row[]> {
  const rows: Row[] = [];
  try {
    await server.ask('POST', `/${index}/_refresh`);
    for (let behind: readonly number[] | undefined; ; ) {
      const search = { size: PAGE_ROWS, sort: [{ n: 'asc' }], ...(behind ? { search_after: behind } : {}) };
      const { hits } = (await server.ask<Hits>('POST', `/${index}/_search`, search)).hits;
      rows.push(...hits.map(({ _source }) => _source));
      behind = hits.at(-1)?.sort;
      if (hits.length < PAGE_ROWS) return rows;
    }
  } catch {
    return [];
  }
}

let indices = 0;

sinkConforms(
  {
    type: 'opensearch',
    open() {
      const index = `conformance-${process.pid}-${indices++}`;
      const settings = (options: SettingsOptions, host: object = { host: '127.0.0.1' }) => ({
        http_hosts: [{ ...host, port: options.port }],
        index: { type: 'fixed', name: index },
        batch: { timeout_ms: 50 },
        retry: { initial_ms: 20, max_ms: 500 },
        ...(options.impatient ? { response_timeout_secs: 1 } : {}),
      });
      return {
        settings,
        serverPort: server.port,
        server,
        read: () => documents(index),
        unordered: true,
        tls: ({ caFile, ...options }) => ({
          ...settings(options, { host: 'localhost', scheme: 'https' }),
          tls: { ca_file: caFile },
        }),
      };
    },
    except: {
      password:
        "The server of the tests has no security plug-in; how credentials are sent, and that a refusal is told of and waited for, stands in the sink's own tests.",
    },
  },
  { skip },
);
