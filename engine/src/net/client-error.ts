/** What the errors of sockets, TLS and the HTTP library mean, for people. */
import { ReefError } from '../errors.ts';

/** The connection was closed or cut off, as opposed to slow, or answered with nonsense. */
const cuts = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']);

export function isCut(error: unknown): boolean {
  return cuts.has((error as NodeJS.ErrnoException).code ?? '');
}

/** To be read after the name of the server. All of them may pass. */
export function connectionError(error: Error): ReefError {
  return error instanceof ReefError ? error : new ReefError('io', reason(error), { cause: error, retry: true });
}

function reason(error: NodeJS.ErrnoException): string {
  const { code, message, name } = error;
  if (name === 'HTTPParserError') return `the response cannot be read: ${parserReason(message, code)}`;
  switch (code) {
    case 'UND_ERR_HEADERS_OVERFLOW':
      return 'the response cannot be read: its head is too long';
    case 'ERR_ASSERTION':
      return 'the response cannot be read: it answers what was not asked';
    case 'UND_ERR_SOCKET':
      return message === 'bad upgrade' || message === 'bad response'
        ? 'the response cannot be read: it answers what was not asked'
        : 'the connection was closed without an answer';
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return 'the connection was closed without an answer';
    case 'ECONNREFUSED':
      return 'the connection was refused: nothing listens there';
    case 'ENOENT':
      return 'there is no such socket';
    case 'ENOTFOUND':
      return 'the name of the host is not known';
    case 'EAI_AGAIN':
      return 'the name of the host cannot be looked up now';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection was cut off';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'the host cannot be reached';
    case 'ETIMEDOUT':
      return 'the connection has timed out';
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired';
    case 'CERT_NOT_YET_VALID':
      return 'its certificate is not valid yet';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `its certificate is for another name (${message.replace(/^.*altnames: /s, '').replace(/^Host: /, '')}), expected "tls.server_name" where that is right`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return 'its certificate is signed by itself, expected one of a known authority, or its authority in "tls.ca_file"';
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'its certificate is of an authority that is not known here, expected that in "tls.ca_file"';
    default:
      return message === '' ? (code ?? 'the connection failed') : message;
  }
}

/** `Response does not match the HTTP/1.1 protocol (Invalid character in chunk size)`: what stands in the brackets. */
function parserReason(message: string, code: string | undefined): string {
  return /\((.+)\)$/.exec(message)?.[1] ?? (message === '' ? (code ?? 'it is not HTTP') : message);
}
