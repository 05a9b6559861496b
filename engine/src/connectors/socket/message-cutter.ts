/** Cuts what comes over a connection into messages. */
import type { RecordLayout } from '../../spec/records.ts';

/** Bytes of the connection, good until the next call of the cutter. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** `lines`: the last one has no newline. */
  readonly rows: RecordLayout['rows'];
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
