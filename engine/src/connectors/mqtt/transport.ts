/** Bytes to and from a server: TCP, TLS, or WebSocket over either. */
import type { Duplex } from 'node:stream';
import type { ClientTlsContext } from '../../net/client-tls.ts';
import { webSocketStream } from './client.ts';
import type { ServerAddress } from './settings.ts';

/** A stream that may still be connecting: what is written waits, and what goes wrong is its error. */
export async function openTransport(
  { host, port, secure, webSocket }: ServerAddress,
  tls: ClientTlsContext | undefined,
  timeoutMs: number,
): Promise<Duplex> {
  // There is no ALPN name for MQTT that servers agree on.
  const { ALPNProtocols, ...options } = secure && tls ? await tls.options(host) : {};
  if (webSocket !== undefined) return webSocketStream(webSocket, { ...options, ...(secure ? { ALPNProtocols } : {}) }, timeoutMs);
  if (secure) return process.getBuiltinModule('node:tls').connect({ ...options, host, port });
  const socket = process.getBuiltinModule('node:net').connect({ host, port });
  return socket.setNoDelay(true);
}
