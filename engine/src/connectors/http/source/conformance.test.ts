import { freePort } from '../../../testing/servers/free-port.ts';
import { asSecret } from '../../testing/conformance/as-secret.ts';
import { listenerConforms, sourceConforms } from '../../testing/conformance/conforms.ts';
import { postRows } from '../../testing/conformance/post-rows.ts';

const listens = 'It listens: there is no server that it would connect to.';

sourceConforms({
  type: 'http',
  async open(t) {
    const port = await freePort();
    let known = 0;
    let over = false;
    t.after(() => {
      over = true;
    });
    return {
      settings: () => ({ port }),
      write: (rows) =>
        postRows(rows, {
          port,
          rowsAtOnce: 100,
          over: () => over,
          confirmed: (count) => {
            known += count;
          },
        }),
      acknowledged: async () => known,
    };
  },
  except: {
    restart: listens,
    cut: 'A client whose connection is cut has no answer and sends again: what then happens to a half request stands in its own tests.',
    absent: listens,
    silent: listens,
    password: 'Clients show passwords to it: who is refused stands below.',
    certificates: 'It shows its own certificate; which ones of clients it takes stands below.',
  },
});

function request(head: string, body: string, credentials?: string): string {
  const authorization = credentials === undefined ? '' : `Authorization: ${credentials}\r\n`;
  return `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${authorization}${head}\r\n\r\n${body}`;
}

const basic = (credentials: string): string => `Basic ${Buffer.from(credentials).toString('base64')}`;

listenerConforms({
  type: 'http',
  message(row, credentials) {
    const body = JSON.stringify(row);
    return Buffer.from(request(`Content-Length: ${body.length}`, body, credentials));
  },
  limits: {
    size: { max_body_bytes: 4096 },
    time: { header_timeout_secs: 0.3, request_timeout_secs: 0.3 },
  },
  begun: request('Content-Length: 100', '{"n":'),
  endless: { head: request('Transfer-Encoding: chunked', ''), piece: Buffer.from(`40000\r\n${'x'.repeat(0x40000)}\r\n`) },
  auth: {
    settings: { auth: { type: 'basic', username: 'ann', password: asSecret('right') } },
    right: basic('ann:right'),
    wrong: [undefined, basic('ann:wrong'), 'Bearer right'],
  },
});
