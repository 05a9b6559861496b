import type { PeerValues } from './peer-values.ts';

/** Whoever hands rows over. */
export interface Sender {
  /** What is known of who sends. */
  readonly peer: PeerValues;
  /** The bytes of one `add` are in shared memory: what they were copied from may go. */
  written(bytes: number): void;
  /** The rows of one `add` are delivered, or in an error table. */
  delivered(rows: number, rejected: number): void;
  /** The rows of one `add` will not be fed: the engine stops. `partly`: some of them were. */
  dropped(bytes: number, partly: boolean): void;
}
