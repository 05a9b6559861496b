/** Says whom a TLS server refuses, and why, in the words of its settings; and lets go of who does not shake hands. */
import type { Server, TLSSocket } from 'node:tls';
import type { PeerWarnings } from './peer-warnings.ts';
import type { ServerTls } from './server-tls.ts';

const HANDSHAKE_TIMEOUT = 'ERR_TLS_HANDSHAKE_TIMEOUT';
const OF_AUTHORITY = 'expected one of an authority in "tls.ca_file"';

/** By the code of OpenSSL's verification. */
const certificateReasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: `its certificate is signed by itself, ${OF_AUTHORITY}`,
  SELF_SIGNED_CERT_IN_CHAIN: `its certificate is of an authority that is not known, ${OF_AUTHORITY}`,
};

export function tellFailedHandshakes(server: Server, { min_version }: ServerTls, warnings: PeerWarnings): void {
  // A refused connection is closed before it is told of, and knows its peer then only if it was asked before.
  server.on('keylog', (_, socket: TLSSocket) => void socket.remoteAddress);
  // Before others that let go of the connection.
  server.prependListener('tlsClientError', (error: NodeJS.ErrnoException & { reason?: string }, socket: TLSSocket) => {
    const { remoteAddress, remotePort } = socket;
    // Node says that the time is over, and keeps the connection.
    if (error.code === HANDSHAKE_TIMEOUT) socket.destroy();
    const why = reasonOf(error, socket, min_version);
    if (why !== undefined) warnings.refused({ remoteAddress, remotePort }, why);
  });
}

/** `undefined`: it has left, as those do who only look whether the port is open. */
function reasonOf(
  { code, reason, message }: NodeJS.ErrnoException & { reason?: string },
  { authorizationError }: TLSSocket,
  minVersion: string,
): string | undefined {
  // Node types it as an error, and has the code there.
  const refused = authorizationError as Error | string | null | undefined;
  if (refused)
    return (
      certificateReasons[String(refused)] ?? `its certificate is of no authority that is known (${refused}), ${OF_AUTHORITY}`
    );
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return undefined;
    case 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE':
      return `it shows no certificate, ${OF_AUTHORITY}`;
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_VERSION_TOO_LOW':
      return `it speaks an old version of TLS, expected ${minVersion} or newer ("tls.min_version")`;
    case 'ERR_SSL_HTTP_REQUEST':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'it does not speak TLS';
    case HANDSHAKE_TIMEOUT:
      return 'it has not shaken hands for TLS in time';
    default:
      return `it cannot shake hands for TLS: ${reason ?? message}`;
  }
}
