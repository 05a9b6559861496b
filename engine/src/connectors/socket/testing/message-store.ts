/** A small server for sinks that send over sockets: it keeps the rows of complete messages, and can be started again at its port. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Owner } from '../../../testing/owner.ts';
import { freePort } from '../../../testing/servers/free-port.ts';
import type { Row } from '../../testing/conformance/rows.ts';
import type { MessageCutter } from '../message-cutter.ts';
import { messagesOf } from './cut-messages.ts';

export interface MessageStore {
  readonly port: number;
  readonly rows: Row[];
  readonly log: string;
  restart(): Promise<void>;
}

export interface MessageStoreOptions {
  newCutter(): MessageCutter;
  rowOf(message: string): Row;
}

export async function startMessageStore(owner: Owner, { newCutter, rowOf }: MessageStoreOptions): Promise<MessageStore> {
  const port = await freePort();
  const rows: Row[] = [];
  const sockets = new Set<Socket>();
  let server: Server;
  const listen = (): Promise<void> => {
    server = createServer((socket) => {
      const cutter = newCutter();
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
      // What was cut off in the middle of a message is never asked for: the cutter is not told of the end.
      socket.on('data', (bytes: Buffer) => {
        for (const piece of cutter.cut(bytes)) {
          for (const message of messagesOf(piece)) if (message.length > 0) rows.push(rowOf(message.toString()));
        }
      });
    });
    return new Promise((resolve) => server.listen({ port, host: '127.0.0.1' }, resolve));
  };
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen();
  owner.after(close);
  return {
    port,
    rows,
    log: '',
    async restart() {
      await close();
      await listen();
    },
  };
}
