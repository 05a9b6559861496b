/** Keeps the rows of datagrams that a sink sends. */
import { createSocket } from 'node:dgram';
import type { Owner } from '../../../testing/owner.ts';
import type { Row } from '../../testing/conformance/rows.ts';

export interface DatagramStore {
  readonly port: number;
  readonly rows: Row[];
}

export async function startDatagramStore(owner: Owner, rowOf: (message: string) => Row): Promise<DatagramStore> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  const rows: Row[] = [];
  socket.on('message', (bytes) => rows.push(rowOf(bytes.toString())));
  await new Promise<void>((resolve) => socket.bind({ port: 0, address: '127.0.0.1' }, resolve));
  owner.after(() => void socket.close());
  return { port: socket.address().port, rows };
}
