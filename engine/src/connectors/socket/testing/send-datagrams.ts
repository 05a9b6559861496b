/** Sends datagrams to a source that listens, no faster than they are read: what finds the system's buffer full would be dropped. */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** So many are sent before it is looked whether they are read: the smallest buffer takes them. */
const AT_ONCE = 50;
const LOOK_MS = 1;
const LISTEN_LOOK_MS = 20;

export interface SendDatagramsOptions {
  readonly port: number;
  /** Nobody wants them any more. */
  over(): boolean;
}

export async function sendDatagrams(messages: readonly Uint8Array[], { port, over }: SendDatagramsOptions): Promise<void> {
  const socket = createSocket('udp4');
  try {
    let room = 0;
    for (const message of messages) {
      if (room-- === 0) {
        for (let waiting = unread(port); waiting !== 0; waiting = unread(port)) {
          if (over()) return;
          await pause(waiting === undefined ? LISTEN_LOOK_MS : LOOK_MS);
        }
        room = message.length > 1000 ? 1 : AT_ONCE;
      }
      await new Promise((resolve) => socket.send(message, port, '127.0.0.1', resolve));
    }
  } finally {
    socket.close();
  }
}

/** Bytes that the system holds for who listens at the port, as Linux says; `undefined`: nobody listens. */
function unread(port: number): number | undefined {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of readFileSync('/proc/net/udp', 'utf8').split('\n')) {
    const [, local, , , queues] = line.trim().split(/\s+/);
    if (local?.endsWith(end)) return Number.parseInt(queues!.slice(queues!.indexOf(':') + 1), 16);
  }
  return undefined;
}
