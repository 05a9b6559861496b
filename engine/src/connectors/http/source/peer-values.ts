/** What a connection says of who sends: columns that stand beside the rows where the punchline refers to them. */
import type { Socket } from 'node:net';
import type { RecordValue } from '../../../spec/records.ts';

const valueIn: Readonly<Record<string, (socket: Socket) => RecordValue>> = {
  _ppf_remote_host: (socket) => socket.remoteAddress,
  _ppf_remote_port: (socket) => socket.remotePort,
  _ppf_local_host: (socket) => socket.localAddress,
  _ppf_local_port: (socket) => socket.localPort,
};

export type PeerValues = readonly RecordValue[];

export class PeerColumns {
  /** Those that are referred to. */
  readonly names: readonly string[];

  constructor(referenced: ReadonlySet<string>) {
    this.names = Object.keys(valueIn).filter((name) => referenced.has(name));
  }

  /** To be asked while the connection is there. */
  of(socket: Socket): PeerValues {
    return this.names.map((name) => valueIn[name]!(socket));
  }
}
