/** Sends messages to a source that listens, as a client does that must not lose any: nobody confirms them. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface SendOptions {
  /** Of TCP on this machine, or the path of a Unix socket. */
  readonly at: { readonly port: number } | { readonly path: string };
  /** Nobody wants them any more. */
  over(): boolean;
}

/** Resolves once a connection took them all and was closed by the other side in order; until then all are sent again. */
export async function sendMessages(messages: readonly Uint8Array[], { at, over }: SendOptions): Promise<void> {
  while (!(await sent(messages, at)) && !over()) await pause(20);
}

async function sent(messages: readonly Uint8Array[], at: SendOptions['at']): Promise<boolean> {
  const socket = connect('port' in at ? { ...at, host: '127.0.0.1' } : at);
  try {
    await once(socket, 'connect');
    const closed = once(socket, 'close') as Promise<[failed: boolean]>;
    closed.catch(() => {});
    for (const message of messages) if (!socket.write(message)) await Promise.race([once(socket, 'drain'), closed]);
    socket.resume();
    // What the other side closes before all is sent has not been read to its end.
    if (socket.destroyed || socket.readableEnded) return false;
    socket.end();
    return !(await closed)[0];
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
