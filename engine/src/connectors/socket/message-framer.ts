/** Puts messages into a stream, the other way round of message-cutter.ts. */
import { delimiterBytes, type Framing } from './framing.ts';

export interface MessageFramer {
  /** What stands before a message of this length. */
  readonly head: (length: number) => Uint8Array;
  readonly tail: Uint8Array;
  /** The longest message. */
  readonly most: number;
}

const NOTHING = Buffer.alloc(0);

export function messageFramer({ by, length_bytes, byte_order, delimiter }: Framing): MessageFramer {
  switch (by) {
    case 'line':
      return { head: () => NOTHING, tail: Buffer.from('\n'), most: Number.POSITIVE_INFINITY };
    case 'delimiter':
      return { head: () => NOTHING, tail: delimiterBytes(delimiter)!, most: Number.POSITIVE_INFINITY };
    case 'octets':
      return { head: (length) => Buffer.from(`${length} `), tail: NOTHING, most: Number.POSITIVE_INFINITY };
    default: {
      const width = Number(length_bytes);
      const head = Buffer.alloc(width);
      return {
        head(length) {
          if (byte_order === 'big') head.writeUIntBE(length, 0, width);
          else head.writeUIntLE(length, 0, width);
          return head;
        },
        tail: NOTHING,
        most: 256 ** width - 1,
      };
    }
  }
}

/** Why the message has no place in the framing: the other side would not cut it out as it was. */
export function unframeable(message: Uint8Array, { most, tail }: MessageFramer): string | undefined {
  if (message.length > most) return `the row has ${message.length} bytes, of which the length before it can say ${most} at most`;
  if (tail.length === 0 || Buffer.from(message.buffer, message.byteOffset, message.length).indexOf(tail) < 0) return undefined;
  return 'the row holds what ends a message, expected framing.by "length" or "octets" for such rows';
}

/** The messages with their frames, in one piece. None may be {@link unframeable}. */
export function framed(messages: readonly Uint8Array[], { head, tail }: MessageFramer): Buffer {
  const room = messages.reduce((sum, { length }) => sum + length + head(length).length + tail.length, 0);
  const out = Buffer.allocUnsafe(room);
  let at = 0;
  for (const message of messages) {
    for (const part of [head(message.length), message, tail]) {
      out.set(part, at);
      at += part.length;
    }
  }
  return out;
}
