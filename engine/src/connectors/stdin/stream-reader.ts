import { Socket } from 'node:net';
import { isatty, ReadStream } from 'node:tty';

/** Takes bytes from a pipe, socket or terminal when they are asked for, and not before. */
export interface StreamReader {
  /** The next bytes, good until the next call; `undefined` at the end or after `close`. */
  next(): Promise<Uint8Array | undefined>;
  close(): void;
}

/** As much as a pipe holds, and as libuv reads at once. */
const LARGEST = 65_536;

export function openStreamReader(fd: number): StreamReader {
  let bytes: Uint8Array | undefined;
  let ended = false;
  let failure: Error | undefined;
  let waiting: { readonly resolve: (bytes: Uint8Array | undefined) => void; readonly reject: (error: Error) => void } | undefined;

  function settle(): void {
    if (waiting === undefined) return;
    const { resolve, reject } = waiting;
    if (bytes !== undefined) resolve(bytes);
    else if (failure !== undefined) reject(failure);
    else if (ended) resolve(undefined);
    else return;
    bytes = undefined;
    waiting = undefined;
  }
  function take(piece: Uint8Array): void {
    bytes = piece;
    settle();
  }

  const socket = isatty(fd) ? openTerminal(fd, take) : openSocket(fd, take);
  socket.on('end', () => {
    ended = true;
    settle();
  });
  socket.on('error', (error) => {
    failure = error;
    settle();
  });
  return {
    next() {
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        settle();
        if (waiting !== undefined) socket.resume();
      });
    },
    close() {
      ended = true;
      settle();
      socket.destroy();
    },
  };
}

/** Reads into one piece of memory of its own, used again and again. */
function openSocket(fd: number, take: (bytes: Uint8Array) => void): Socket {
  const memory = Buffer.allocUnsafeSlow(LARGEST);
  const onread = {
    buffer: memory,
    callback(length: number): boolean {
      take(memory.subarray(0, length));
      // Stops reading: the memory belongs to whoever waited until the next call.
      return false;
    },
  };
  const socket = new Socket({ fd, readable: true, writable: false, onread, manualStart: true } as ConstructorParameters<
    typeof Socket
  >[0]);
  return socket;
}

function openTerminal(fd: number, take: (bytes: Uint8Array) => void): Socket {
  const terminal = new ReadStream(fd);
  terminal.on('data', (bytes: Buffer) => {
    terminal.pause();
    take(bytes);
  });
  terminal.pause();
  return terminal;
}
