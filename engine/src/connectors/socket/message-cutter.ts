/** Cuts what comes over a connection into messages. */

/** Bytes of the connection, good until the next call of the cutter. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** True: lines, of which the last has no newline. False: one message, whatever bytes it holds. */
  readonly lines: boolean;
}

export interface MessageCutter {
  /** What is complete now. To be walked through before the next call. */
  cut(chunk: Buffer): Iterable<Piece>;
  /** The connection has ended: what nobody ended. */
  end(): Piece | undefined;
  /** A message has begun and not ended. */
  readonly begun: boolean;
  /** Messages of which only the head went on, because they were longer than allowed. */
  readonly truncated: number;
}

/** The bytes cannot be read as messages: where the next one begins is not known. */
export class FramingError extends Error {}
