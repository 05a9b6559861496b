/** For `reef check --connect`: the port is taken for a moment, or a connection made and let go. No byte is sent. */
import { resolve } from 'node:path';
import type { Log } from '../../spec/node.ts';
import type { ConnectSettings } from './connect-settings.ts';
import { DatagramClient } from './datagram-client.ts';
import type { ListeningSource } from './listening-source.ts';
import { StreamClient } from './stream-client.ts';

/** `source` has not listened yet. */
export async function probeListening(source: ListeningSource): Promise<readonly string[]> {
  await source.listen();
  try {
    return [`may listen at ${source.where}`];
  } finally {
    await source.close();
  }
}

export interface ProbedPeer {
  readonly id: string;
  readonly settings: ConnectSettings;
  readonly folder: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export async function probeConnecting({ id, settings, folder, log, signal }: ProbedPeer): Promise<readonly string[]> {
  if (settings.proto === 'udp') {
    const client = new DatagramClient({ id, settings, log });
    await client.send([]);
    client.close();
    return [`knows the address of ${settings.host}; whether somebody listens there for UDP nobody can tell`];
  }
  const path = settings.proto === 'unix' ? resolve(folder, settings.path ?? '') : undefined;
  const client = await StreamClient.open({ id, settings, folder, path, log });
  try {
    await client.send(new Uint8Array(), signal);
    return [`reaches ${client.where}${settings.tls ? ' over TLS' : ''}`];
  } finally {
    await client.close();
  }
}
