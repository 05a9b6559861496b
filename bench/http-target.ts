/** What the HTTP sink sends to in the bench: counts the rows of bodies with a row on each line, and says how many at GET. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

let rows = 0;
const server = createServer((request, response) => {
  request.on('data', (part: Buffer) => {
    for (let at = part.indexOf(10); at >= 0; at = part.indexOf(10, at + 1)) rows++;
  });
  request.on('end', () => response.end(request.method === 'GET' ? String(rows) : ''));
});
server.listen(0, '127.0.0.1', () => console.log(`listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`));
