/** Ends TLS with a certificate of the test's choice and passes bytes on: a server that speaks plainly then has that certificate. */
import { connect } from 'node:net';
import { createServer } from 'node:tls';
import type { Certificate } from '../../../testing/certificates.ts';
import type { Owner } from '../../../testing/owner.ts';

/** Resolves with its port. */
export async function openTlsDoor(owner: Owner, { certificate, key }: Certificate, targetPort: number): Promise<number> {
  const open = new Set<{ destroy(): void }>();
  const door = createServer({ cert: certificate, key }, (client) => {
    const server = connect({ port: targetPort, host: '127.0.0.1' });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        to.destroy();
        open.delete(from);
      });
      from.pipe(to);
    }
  });
  door.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => door.listen({ port: 0, host: '127.0.0.1' }, resolve));
  owner.after(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => door.close(resolve));
  });
  return (door.address() as { port: number }).port;
}
