import { createServer } from 'node:net';

/**
 * Below the ports that the system gives to outgoing connections (32768 and up on Linux): while a server is down between a stop and a
 * restart, nobody else comes to sit on its port.
 */
const FIRST = 18_000;
const LAST = 32_000;
const given = new Set<number>();

/** A port that nobody listens on, and that is given out only once by this process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

/** On all addresses: a server may listen on more than loopback. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
