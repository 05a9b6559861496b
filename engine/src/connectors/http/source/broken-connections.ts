/**
 * What a connection is told whose bytes are no HTTP. Node says it at once, in place of the answer that an earlier request of the
 * connection still waits for: its client would take rows for refused that are delivered.
 */
import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

const answers: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

export interface Answering {
  /** Of requests of the connection that are here whole, the answers that are not out. */
  waiting(socket: Duplex): readonly ServerResponse[];
  /** An answer has begun, and ends when its client stops sending. */
  begun(socket: Duplex): boolean;
}

export function tellBrokenConnections(server: Server, { waiting, begun }: Answering): void {
  const broken = new WeakSet<Duplex>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // What still comes is no HTTP either.
    if (broken.has(socket)) return;
    broken.add(socket);
    const told = /^(HPE_|ERR_HTTP_)/.test(error.code ?? '');
    if (!told || !socket.writable || begun(socket)) {
      socket.destroy(error);
      return;
    }
    socket.pause();
    const before = waiting(socket);
    let left = before.length;
    const tell = (): void => {
      if (left-- > 0) return;
      if (!socket.writable) socket.destroy();
      else {
        socket.end(
          `HTTP/1.1 ${answers[error.code ?? ''] ?? '400 Bad Request'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
          () => socket.destroy(),
        );
      }
    };
    for (const response of before) response.once('close', tell);
    tell();
  });
}
