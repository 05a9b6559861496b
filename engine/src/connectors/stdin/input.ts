/**
 * The bytes of standard input, whatever it is. A regular file is read on the thread pool. A pipe, a socket or a terminal goes through
 * the event loop: a blocking read on the thread pool could not be interrupted, and would keep the process from ending (tried).
 */
import { fstatSync, read as readCallback } from 'node:fs';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';
import { openStreamReader, type StreamReader } from './stream-reader.ts';

const read = promisify(readCallback) as (
  fd: number,
  room: Uint8Array,
  offset: number,
  length: number,
  position: null,
) => Promise<{ bytesRead: number }>;

/** As much as a pipe holds. */
const PIECE_BYTES = 65_536;

export interface Input extends StreamReader {
  /** Of a regular file: reads straight into the room; 0 at the end. */
  readonly readInto?: (room: Uint8Array) => Promise<number>;
}

export function openInput(fd: number): Input {
  const kind = fstatSync(fd);
  if (kind.isFIFO() || kind.isSocket() || isatty(fd)) return openStreamReader(fd);
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  const readInto = async (room: Uint8Array): Promise<number> => (await read(fd, room, 0, room.length, null)).bytesRead;
  return {
    readInto,
    async next() {
      const length = await readInto(piece);
      return length === 0 ? undefined : piece.subarray(0, length);
    },
    close() {},
  };
}

/** Longest mark that tells what bytes are. */
const MARK_BYTES = 4;
/** What compressed bytes and a byte order mark begin with. */
const marks: readonly (readonly number[])[] = [[0x1f, 0x8b], [0x28, 0xb5, 0x2f, 0xfd], ...zstdSkips(), [0xef, 0xbb, 0xbf]];

/** Frames that readers of zstd skip. */
function zstdSkips(): number[][] {
  return Array.from({ length: 16 }, (_, low) => [0x50 + low, 0x2a, 0x4d, 0x18]);
}

/** A copy of the first bytes: enough to see whether they are a mark. A terminal's first line is not held back for that. */
export async function readMark(input: StreamReader): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < MARK_BYTES && marks.some((mark) => mayBegin(head, mark))) {
    const piece = await input.next();
    if (piece === undefined) break;
    head = Buffer.concat([head, piece]);
  }
  return head;
}

/** More bytes are needed to see whether they are the mark. */
function mayBegin(head: Uint8Array, mark: readonly number[]): boolean {
  return head.length < mark.length && head.every((byte, index) => byte === mark[index]);
}
