import { KeptBytes } from './kept-bytes.ts';
import type { MessageCutter, Piece } from './message-cutter.ts';

const NEWLINE = 10;

/**
 * Lines are not looked for one by one: of what has come, all that ends with a newline goes on as one piece, and the kernel finds the
 * lines in it.
 */
export class LineCutter implements MessageCutter {
  readonly #maxBytes: number;
  /** Of a line that has not ended. */
  readonly #kept = new KeptBytes();
  /** The head of the line that has not ended is on its way; the rest is read past. */
  #skipping = false;
  truncated = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get begun(): boolean {
    return this.#kept.length > 0 || this.#skipping;
  }

  *cut(chunk: Buffer): Generator<Piece> {
    const last = chunk.lastIndexOf(NEWLINE);
    if (last < 0) {
      yield* this.#keep(chunk);
      return;
    }
    let from = 0;
    if (this.begun) {
      // The line that was begun by itself: what came before is not worth a copy of all that comes now.
      from = chunk.indexOf(NEWLINE) + 1;
      if (this.#skipping) this.#skipping = false;
      else {
        this.#kept.append(chunk.subarray(0, from - 1));
        const bytes = this.#kept.take();
        if (bytes.length > this.#maxBytes) this.truncated++;
        yield { bytes: bytes.subarray(0, this.#maxBytes), rows: 'lines' };
      }
    }
    if (from <= last) yield { bytes: chunk.subarray(from, last), rows: 'lines' };
    if (last + 1 < chunk.length) yield* this.#keep(chunk.subarray(last + 1));
  }

  end(): Piece | undefined {
    const bytes = this.#kept.take();
    return bytes.length === 0 ? undefined : { bytes, rows: 'lines' };
  }

  *#keep(bytes: Buffer): Generator<Piece> {
    if (this.#skipping) return;
    this.#kept.append(bytes);
    if (this.#kept.length <= this.#maxBytes) return;
    this.truncated++;
    this.#skipping = true;
    yield { bytes: this.#kept.take().subarray(0, this.#maxBytes), rows: 'lines' };
  }
}
