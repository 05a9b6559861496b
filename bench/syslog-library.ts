/**
 * node:net alone, on which the syslog source stands: takes what comes over one connection and counts its bytes. It looks at none of
 * them and writes nothing. `syslog-library.ts PORT`.
 */
import { createServer } from 'node:net';

let bytes = 0;
const server = createServer((socket) => {
  socket.on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  socket.once('end', () => server.close(() => console.log(bytes)));
});
server.listen(Number(process.argv[2]), '127.0.0.1');
