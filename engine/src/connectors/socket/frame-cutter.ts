import type { FindFrame, Frame } from './frames.ts';
import { KeptBytes } from './kept-bytes.ts';
import type { MessageCutter, Piece } from './message-cutter.ts';

/** Cuts message by message, where each one's end must be known to find the next. */
export class FrameCutter implements MessageCutter {
  readonly #find: FindFrame;
  readonly #maxBytes: number;
  readonly #delimiterBytes: number;
  /** What has come of a message that is not complete. */
  readonly #kept = new KeptBytes();
  /** Bytes that are read past: of a message whose head is on its way. */
  #skip = 0;
  /** The same up to its end, wherever that is. */
  #skipping = false;
  truncated = 0;

  /** `delimiterBytes`: the length of what ends a message, where it is found by that. */
  constructor(maxBytes: number, find: FindFrame, delimiterBytes = 1) {
    this.#maxBytes = maxBytes;
    this.#find = find;
    this.#delimiterBytes = delimiterBytes;
  }

  get begun(): boolean {
    return this.#kept.length > 0 || this.#skip > 0 || this.#skipping;
  }

  *cut(chunk: Buffer): Generator<Piece> {
    let bytes = chunk;
    let from = 0;
    const searched = this.#kept.length;
    if (searched > 0) {
      this.#kept.append(chunk);
      bytes = this.#kept.bytes;
    } else if (this.#skip > 0) {
      from = Math.min(this.#skip, bytes.length);
      this.#skip -= from;
    }
    while (from < bytes.length) {
      const frame = this.#find(bytes, from, Math.max(searched, from));
      if (frame === undefined || frame.to > bytes.length) {
        yield* this.#unfinished(bytes, from, frame);
        return;
      }
      // The end of a message whose head has gone on.
      if (this.#skipping) this.#skipping = false;
      else if (frame.to > frame.from) yield this.#whole(bytes, frame);
      from = frame.next;
    }
    this.#kept.take();
    // A count may be longer than what has come behind the last byte.
    if (from > bytes.length) this.#skip = from - bytes.length;
  }

  end(): Piece | undefined {
    const bytes = this.#kept.take();
    return bytes.length === 0 || this.#skipping ? undefined : { bytes, rows: 'one' };
  }

  #whole(bytes: Buffer, { from, to }: Frame): Piece {
    if (to - from > this.#maxBytes) this.truncated++;
    return { bytes: bytes.subarray(from, Math.min(to, from + this.#maxBytes)), rows: 'one' };
  }

  /** `frame`: its end is known, and not there. */
  *#unfinished(bytes: Buffer, from: number, frame: Frame | undefined): Generator<Piece> {
    if (this.#skipping) {
      this.#keepFrom(bytes, frame ? from : this.#delimiterFrom(bytes, from));
      return;
    }
    const begin = frame ? frame.from : from;
    // What comes last may be the beginning of the delimiter.
    const least = bytes.length - begin - (frame ? 0 : this.#delimiterBytes - 1);
    if (least <= this.#maxBytes) {
      this.#keepFrom(bytes, from);
      return;
    }
    this.truncated++;
    yield { bytes: bytes.subarray(begin, begin + this.#maxBytes), rows: 'one' };
    if (frame) {
      this.#kept.take();
      this.#skip = frame.next - bytes.length;
    } else {
      this.#skipping = true;
      this.#keepFrom(bytes, this.#delimiterFrom(bytes, from));
    }
  }

  /** Where the delimiter may have begun that has not ended. */
  #delimiterFrom(bytes: Buffer, from: number): number {
    return Math.max(from, bytes.length - this.#delimiterBytes + 1);
  }

  #keepFrom(bytes: Buffer, from: number): void {
    if (this.#kept.length > 0) this.#kept.keepFrom(from);
    else this.#kept.append(bytes.subarray(from));
  }
}
