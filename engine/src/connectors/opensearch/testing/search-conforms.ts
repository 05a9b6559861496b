/** How the sink joins the conformance suite, under either of its names, over a real server of that name. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { Owner } from '../../../testing/owner.ts';
import { missing, type Need } from '../../../testing/servers/needs.ts';
import { nginx, startNginx } from '../../../testing/servers/nginx.ts';
import type { SearchServer } from '../../../testing/servers/search-server.ts';
import { sinkConforms } from '../../testing/conformance/conforms.ts';
import type { Row } from '../../testing/conformance/rows.ts';
import type { SettingsOptions } from '../../testing/conformance/sides.ts';

export interface ConformingSearch {
  readonly type: 'opensearch' | 'elasticsearch';
  readonly needs: readonly Need[];
  start(owner: Owner): Promise<SearchServer>;
}

interface Hits {
  readonly hits: { readonly hits: readonly { readonly _source: Row; readonly sort: readonly number[] }[] };
}

const PAGE_ROWS = 1000;

/** All documents, by their number; none while the server is away, or has no such index. */
async function documents(server: SearchServer, index: string): Promise<Row[]> {
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

const USER = { name: 'reef', password: 'right horse' };

export async function searchConforms({ type, needs, start }: ConformingSearch): Promise<void> {
  const skip = await missing(...needs, nginx);
  const cleanUps: (() => unknown)[] = [];
  const owner: Owner = { after: (cleanUp) => cleanUps.push(cleanUp) };
  let server: SearchServer;
  /** Before it, and asks for a password. */
  let guardPort: number;
  let indices = 0;
  before(async () => {
    if (skip !== false) return;
    server = await start(owner);
    const guard = await startNginx(owner, { targetPort: server.port, user: USER });
    guardPort = guard.ports.http;
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

  sinkConforms(
    {
      type,
      open(_t, folder) {
        writeFileSync(join(folder, 'wrong'), 'wrong horse');
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
          read: () => documents(server, index),
          unordered: true,
          wrongPassword: (options) => ({
            ...settings({ ...options, port: guardPort }),
            // biome-ignore lint/suspicious/noTemplateCurlyInString: a file of the punchline's folder.
            auth: { type: 'basic', username: USER.name, password: '${file:wrong}' },
          }),
          tls: ({ caFile, ...options }) => ({
            ...settings(options, { host: 'localhost', scheme: 'https' }),
            tls: { ca_file: caFile },
          }),
        };
      },
    },
    { skip },
  );
}
