import { KeptBytes } from './kept-bytes.ts';
import type { MessageCutter, Piece } from './message-cutter.ts';
import { behindCount, countAt, NO_COUNT, UNKNOWN_COUNT } from './octet-count.ts';

const NEWLINE = 10;
const LESS = 0x3c;

/** The same as `countAt`, of syslog: a line may begin with a number and a blank too, but not with a `<` behind them. */
export function syslogCountAt(bytes: Buffer, at: number): number {
  const length = countAt(bytes, at);
  if (length <= 0) return length;
  const from = behindCount(at, length);
  if (from >= bytes.length) return UNKNOWN_COUNT;
  return bytes[from] === LESS ? length : NO_COUNT;
}

/**
 * Syslog messages behind their counts are not handed on one by one: all that are complete go on as one piece, and the kernel finds
 * them in it. Lines may stand among them; those get a count here, so that all go on in order.
 */
export class CountedCutter implements MessageCutter {
  readonly #maxBytes: number;
  /** What has come of a message that is not complete. */
  readonly #kept = new KeptBytes();
  /** Bytes that are read past: of a message whose head is on its way. */
  #skip = 0;
  /** The same of a line. */
  #skippingLine = false;
  truncated = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get begun(): boolean {
    return this.#kept.length > 0 || this.#skip > 0 || this.#skippingLine;
  }

  *cut(chunk: Buffer): Generator<Piece> {
    let bytes = chunk;
    let at = this.#passOver(chunk);
    const missing = this.#missing();
    if (missing > chunk.length) {
      this.#kept.append(chunk);
      return;
    }
    let searched = 0;
    if (missing > 0) {
      // The message that was begun by itself: what came before is not worth a copy of all that comes now.
      this.#kept.append(chunk.subarray(0, missing));
      yield { bytes: this.#kept.take(), rows: 'counted' };
      at = missing;
    } else if (this.#kept.length > 0) {
      searched = this.#kept.length;
      this.#kept.append(chunk);
      bytes = this.#kept.bytes;
    }
    /** From here to `at` stand whole messages that have not gone on. */
    let first = at;
    while (at < bytes.length) {
      const length = syslogCountAt(bytes, at);
      const from = behindCount(at, length);
      if (length > 0 && length <= this.#maxBytes && from + length <= bytes.length) {
        at = from + length;
        continue;
      }
      if (first < at) yield { bytes: bytes.subarray(first, at), rows: 'counted' };
      const next = yield* length === NO_COUNT ? this.#line(bytes, at, searched) : this.#unfinished(bytes, { from, length });
      if (next === undefined) {
        this.#keepFrom(bytes, at);
        return;
      }
      first = at = next;
    }
    if (first < at && at <= bytes.length) yield { bytes: bytes.subarray(first, at), rows: 'counted' };
    this.#kept.take();
  }

  end(): Piece | undefined {
    const bytes = this.#kept.take();
    if (bytes.length === 0) return undefined;
    const length = syslogCountAt(bytes, 0);
    return this.#head(bytes, length > 0 ? behindCount(0, length) : 0, bytes.length);
  }

  /** Reads past the rest of a message that was too long. Returns where the next one begins. */
  #passOver(bytes: Buffer): number {
    if (this.#skippingLine) {
      const newline = bytes.indexOf(NEWLINE);
      if (newline < 0) return bytes.length;
      this.#skippingLine = false;
      return newline + 1;
    }
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    return skipped;
  }

  /** Bytes that complete the message that is kept; 0 where its count does not say that. */
  #missing(): number {
    if (this.#kept.length === 0) return 0;
    const length = syslogCountAt(this.#kept.bytes, 0);
    return length > 0 && length <= this.#maxBytes ? behindCount(0, length) + length - this.#kept.length : 0;
  }

  /** The line at `at`. Returns what is behind it; `undefined`: its end has not come, and may be waited for. */
  *#line(bytes: Buffer, at: number, searched: number): Generator<Piece, number | undefined> {
    const newline = bytes.indexOf(NEWLINE, Math.max(at, searched));
    const end = newline < 0 ? bytes.length : newline;
    if (newline < 0 && end - at <= this.#maxBytes) return undefined;
    this.#skippingLine = newline < 0;
    // Some senders put a newline behind a counted message.
    if (end > at) yield this.#head(bytes, at, end);
    return end + 1;
  }

  /** The same of a message that is not complete, or too long. */
  *#unfinished(
    bytes: Buffer,
    { from, length }: { readonly from: number; readonly length: number },
  ): Generator<Piece, number | undefined> {
    if (length === UNKNOWN_COUNT || bytes.length - from < Math.min(length, this.#maxBytes)) return undefined;
    yield this.#head(bytes, from, from + length);
    const next = from + length;
    this.#skip = Math.max(0, next - bytes.length);
    return next;
  }

  /** A message of its own, cut off where it is too long. */
  #head(bytes: Buffer, from: number, to: number): Piece {
    if (to - from > this.#maxBytes) this.truncated++;
    const message = bytes.subarray(from, Math.min(to, from + this.#maxBytes));
    return { bytes: Buffer.concat([Buffer.from(`${message.length} `), message]), rows: 'counted' };
  }

  #keepFrom(bytes: Buffer, from: number): void {
    if (this.#kept.length > 0) this.#kept.keepFrom(from);
    else this.#kept.append(bytes.subarray(from));
  }
}
