/** Against a small server of Node's own with a feed that grows: what is asked for is what stands behind a cursor. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Owner } from '../../testing/owner.ts';
import { asSecret } from '../testing/conformance/as-secret.ts';
import { sourceConforms } from '../testing/conformance/conforms.ts';
import { startOwnServer } from '../testing/conformance/own-server.ts';
import type { Row } from '../testing/conformance/rows.ts';
import type { SettingsOptions } from '../testing/conformance/sides.ts';

const RIGHT = `Basic ${Buffer.from('reef:right').toString('base64')}`;
const PAGE_ROWS = 500;
const PAGE_CHARACTERS = 1_000_000;

/** Refuses whoever shows another password. */
async function startFeed(owner: Owner) {
  const rows: string[] = [];
  const answer = ({ url, headers }: IncomingMessage, response: ServerResponse): void => {
    if (headers.authorization !== undefined && headers.authorization !== RIGHT) {
      response.writeHead(401).end('wrong password');
      return;
    }
    const from = Number(new URL(url!, 'http://localhost').searchParams.get('after') ?? 0);
    let to = from;
    for (let left = PAGE_CHARACTERS; to < rows.length && to < from + PAGE_ROWS && left > 0; to++) left -= rows[to]!.length;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(`{"items":[${rows.slice(from, to).join()}],"next":${to}}`);
  };
  return { rows, ...(await startOwnServer(owner, answer)) };
}

sourceConforms({
  type: 'http_poller',
  async open(t) {
    const feed = await startFeed(t);
    const requests = (origin: string) => [
      {
        url: `${origin}/feed`,
        name: 'feed',
        rows: '/items',
        page: { type: 'cursor', cursor: '/next', parameter: 'after', keep: true },
      },
    ];
    const patience = ({ impatient }: SettingsOptions) => ({
      interval_secs: 0.1,
      ...(impatient ? { response_timeout_secs: 1 } : {}),
    });
    const settings = (options: SettingsOptions) => ({
      requests: requests(`http://127.0.0.1:${options.port}`),
      ...patience(options),
    });
    return {
      settings,
      serverPort: feed.port,
      server: feed,
      write: async (rows: readonly Row[]) => {
        for (const row of rows) feed.rows.push(JSON.stringify(row));
      },
      wrongPassword: (options) => ({
        ...settings(options),
        auth: { type: 'basic', username: 'reef', password: asSecret('wrong') },
      }),
      tls: ({ caFile, ...options }) => ({
        requests: requests(`https://localhost:${options.port}`),
        ...patience(options),
        tls: { ca_file: caFile },
      }),
    };
  },
  except: {
    acks: 'A server that is polled hears of nothing: the cursor that says what is delivered stands in the checkpoint.',
  },
});
