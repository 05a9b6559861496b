/** A server that takes every bulk at once: what the OpenSearch sink costs shows beside it, not what the server takes. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer((request, response) => {
  let lines = 0;
  request.on('data', (part: Buffer) => {
    for (let at = part.indexOf(10); at >= 0; at = part.indexOf(10, at + 1)) lines++;
  });
  request.on('end', () =>
    response.end(
      `{"errors":false,"items":[${Array(lines / 2)
        .fill('{"index":{"status":201}}')
        .join()}]}`,
    ),
  );
});
server.listen(0, '127.0.0.1', () => console.log(`listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`));
