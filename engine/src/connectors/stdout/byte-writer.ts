/**
 * Writes bytes, in order, to a descriptor that is not a regular file of its own: standard output, a pipe, a device.
 *
 * Pipes and sockets go through the event loop. A blocking write on the thread pool would do as well until the reader stops
 * reading: then neither a drain nor `process.exit` ends before it (tried). Everything else is written on the thread pool.
 */
import { close as closeCallback, fstatSync, write as writeCallback } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';
import { ReefError } from '../../errors.ts';

const writeSome = promisify(writeCallback) as (
  fd: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: null,
) => Promise<{ bytesWritten: number }>;

const closeDescriptor = promisify(closeCallback);

export interface ByteWriter {
  /** Resolves when the system has all bytes; the memory may then be used again. */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Standard error may have a line there that says how far the run is. */
const ERASE_LINE = Buffer.from('\r\x1b[K');

/**
 * `subject` names the node for messages. `close` closes the descriptor too, unless it is standard output or error. `besideProgress`: it
 * is the terminal on which the run also says how far it is; what is written begins on a line of its own.
 */
export async function openByteWriter(fd: number, subject: string, besideProgress = isatty(fd) && isatty(2)): Promise<ByteWriter> {
  const kind = fstatSync(fd);
  const writer = kind.isFIFO() || kind.isSocket() ? await openSocketWriter(fd, subject) : new DescriptorWriter(fd, subject);
  if (!besideProgress) return writer;
  return {
    write: (bytes) => writer.write(Buffer.concat([ERASE_LINE, bytes])),
    close: () => writer.close(),
  };
}

class DescriptorWriter implements ByteWriter {
  readonly #fd: number;
  readonly #subject: string;

  constructor(fd: number, subject: string) {
    this.#fd = fd;
    this.#subject = subject;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let pause = 1;
    for (let done = 0; done < bytes.length; ) {
      try {
        done += (await writeSome(this.#fd, bytes, done, bytes.length - done, null)).bytesWritten;
        pause = 1;
      } catch (error) {
        // A terminal that someone else has made non-blocking.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw writeError(this.#subject, error, done > 0);
        await delay(pause);
        pause = Math.min(pause * 2, 50);
      }
    }
  }

  async close(): Promise<void> {
    if (this.#fd > 2) await closeDescriptor(this.#fd);
  }
}

async function openSocketWriter(fd: number, subject: string): Promise<ByteWriter> {
  const { Socket } = await import('node:net');
  const socket = new Socket({ fd, readable: false, writable: true });
  let broken: Error | undefined;
  socket.on('error', (error) => {
    broken = error;
  });
  return {
    write(bytes) {
      return new Promise((resolve, reject) => {
        if (broken !== undefined) {
          reject(writeError(subject, broken, true));
          return;
        }
        socket.write(bytes, (error) => (error ? reject(writeError(subject, error, true)) : resolve()));
      });
    },
    close() {
      // A socket that has failed has closed itself.
      if (fd <= 2 || socket.closed) return Promise.resolve();
      return new Promise((resolve) => {
        socket.once('close', () => resolve());
        socket.destroy();
      });
    },
  };
}

/** `partly`: bytes may be out that cannot be taken back, so that the same chunk must not be written again. */
function writeError(subject: string, error: unknown, partly: boolean): ReefError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_DESTROYED') {
    return new ReefError(
      'closed',
      `Cannot write to ${subject}: the reader has closed its end, expected one that reads to the end`,
      {
        cause: error,
      },
    );
  }
  const retry = !partly && (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EIO');
  return new ReefError('io', `Cannot write to ${subject}: ${message}`, { cause: error, retry });
}
