import type { Owner } from '../../../testing/owner.ts';
import { asSecret } from '../../testing/conformance/as-secret.ts';
import { sinkConforms } from '../../testing/conformance/conforms.ts';
import { startOwnServer } from '../../testing/conformance/own-server.ts';
import type { Row } from '../../testing/conformance/rows.ts';
import type { SettingsOptions } from '../../testing/conformance/sides.ts';

const RIGHT = `Basic ${Buffer.from('reef:right').toString('base64')}`;

/** Keeps rows; refuses whoever shows another password. */
async function startStore(owner: Owner) {
  const rows: Row[] = [];
  const server = await startOwnServer(owner, async (request, response) => {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of request) pieces.push(piece as Buffer);
    } catch {
      return;
    }
    const { authorization } = request.headers;
    if (authorization !== undefined && authorization !== RIGHT) {
      response.writeHead(401).end('wrong password');
      return;
    }
    for (const line of Buffer.concat(pieces).toString().split('\n')) if (line !== '') rows.push(JSON.parse(line) as Row);
    response.end();
  });
  return { rows, ...server };
}

sinkConforms({
  type: 'http',
  async open(t) {
    const store = await startStore(t);
    const patience = ({ impatient }: SettingsOptions) => ({
      ...(impatient ? { response_timeout_secs: 1 } : {}),
      retry: { initial_ms: 20, max_ms: 500 },
    });
    const settings = (options: SettingsOptions) => ({
      url: `http://127.0.0.1:${options.port}/`,
      body: 'lines',
      ...patience(options),
    });
    const wrong = { type: 'basic', username: 'reef', password: asSecret('wrong') };
    return {
      settings,
      serverPort: store.port,
      server: store,
      read: async () => store.rows,
      wrongPassword: (options) => ({ ...settings(options), auth: wrong }),
      tls: ({ caFile, ...options }) => ({
        url: `https://localhost:${options.port}/`,
        body: 'lines',
        ...patience(options),
        tls: { ca_file: caFile },
      }),
    };
  },
});
