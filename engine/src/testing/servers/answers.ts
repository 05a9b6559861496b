/** Ways of asking a server whether it serves, for {@link startServer}'s `ready`. */
import { connect } from 'node:net';

/** True when somebody accepts connections on the port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Sends bytes and resolves with the first that come back. */
export function firstAnswer(port: number, question: string | Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(question));
    socket.once('data', (bytes: Buffer) => {
      socket.destroy();
      resolve(bytes);
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`port ${port} closed the connection without an answer`)));
  });
}
