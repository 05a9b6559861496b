import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from './upload.ts';

/** How long, and for how many bytes, a body that is refused is still read: a client that is still sending would not see the answer. */
const LINGER_MS = 1000;
const LINGER_BYTES = 1024 * 1024;

export function answerAccepted(response: ServerResponse, accepted: number, rejected: number, closing: boolean): void {
  if (response.destroyed || response.headersSent) return;
  const text = `{"accepted":${accepted},"rejected":${rejected}}\n`;
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': text.length,
    ...(closing ? { Connection: 'close' } : {}),
  });
  response.end(text);
}

export interface RefusedOptions {
  /** The connection is not to be used again. */
  readonly closing: boolean;
  /** The client has not been told to send its body. */
  readonly unsent: boolean;
}

/** The connection goes on only when all of the body is here. */
export function answerRefused(
  request: IncomingMessage,
  response: ServerResponse,
  { status, error, headers = {} }: Refusal,
  { closing, unsent }: RefusedOptions,
): void {
  if (response.destroyed || response.headersSent) return;
  const text = `${JSON.stringify({ error })}\n`;
  const all: Record<string, string | number> = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
  Object.assign(all, headers);
  if (request.complete || !hasBody(request)) {
    response.writeHead(status, closing ? { ...all, Connection: 'close' } : all);
    response.end(text);
    return;
  }
  response.writeHead(status, { ...all, Connection: 'close' });
  if (unsent || request.method === 'HEAD') response.end(text);
  else {
    response.write(text);
    linger(request, response);
  }
}

/** Ends the answer, and so the connection, once the client has stopped sending or had time enough to see it. */
function linger(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES) end();
  });
  request.once('end', end);
  request.once('close', end);
  request.resume();
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
