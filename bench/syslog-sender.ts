/**
 * The sender of `syslog.ts`, a process of its own: `syslog-sender.ts PORT MESSAGES rfc5424|rfc3164`. It sends over one connection, as
 * fast as that takes them, and ends when the other side has closed it, which is when all of them have been read.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const [port, messages, standard] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const AT_ONCE = 1000;
const paths = ['/api/v1/items', '/api/v1/orders', '/health', '/login', '/static/app.js'];

/** About 170 bytes: octets are counted in RFC 5424, newlines end RFC 3164, as each is mostly sent. */
function frame(n: number): string {
  const [priority, host, process] = [128 + (n % 64), `web-${n % 17}`, 1000 + (n % 31)];
  const text = `client=10.0.${n % 256}.${(n * 7) % 256} method=GET path=${paths[n % paths.length]} status=200 bytes=${(n * 37) % 65_536} ms=${n % 211}`;
  const second = String(n % 60).padStart(2, '0');
  if (standard === 'rfc3164') return `<${priority}>Oct 11 22:14:${second} ${host} nginx[${process}]: ${text}\n`;
  const message = `<${priority}>1 2026-10-11T22:14:${second}.003Z ${host} nginx ${process} access [request@32473 id="${n}"] ${text}`;
  return `${Buffer.byteLength(message)} ${message}`;
}

const socket = await connected();
let failure: Error | undefined;
socket.on('error', (error) => {
  failure = error;
});
const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
const all = Buffer.from(Array.from({ length: AT_ONCE }, (_, n) => frame(n)).join(''));
for (let sent = 0; sent < messages && !socket.destroyed; sent += AT_ONCE) {
  const rest = messages - sent;
  const piece = rest >= AT_ONCE ? all : Buffer.from(Array.from({ length: rest }, (_, n) => frame(n)).join(''));
  if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), closed]);
}
socket.resume();
socket.end();
await closed;
if (failure) throw failure;

/** Reef may not listen yet. */
async function connected(): Promise<Socket> {
  for (;;) {
    const found = connect({ port, host: '127.0.0.1' });
    try {
      await once(found, 'connect');
      return found;
    } catch {
      await pause(20);
    }
  }
}
