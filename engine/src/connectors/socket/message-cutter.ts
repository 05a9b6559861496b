/**
 * Cuts what comes over a connection into messages. Lines are not looked for one by one: of what has come, all that ends with a
 * newline goes on as one piece, and the kernel finds the lines in it.
 */
import { delimiterBytes, type Framing } from './framing.ts';

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

const NEWLINE = 10;
const SPACE = 32;
const LESS = 0x3c;
/** No message has a length with more digits. */
const MOST_DIGITS = 10;

export function messageCutter(framing: Framing, maxBytes: number): MessageCutter {
  switch (framing.by) {
    case 'line':
      return new LineCutter(maxBytes);
    case 'delimiter':
      return new Cutter(maxBytes, delimiterFrames(delimiterBytes(framing.delimiter)!));
    case 'length':
      return new Cutter(maxBytes, lengthFrames(Number(framing.length_bytes) as 1 | 2 | 4, framing.byte_order));
    default:
      return new Cutter(maxBytes, octetFrames);
  }
}

/** Either framing of RFC 6587. Newlines are only looked for one by one on a connection where a length has been seen. */
export function syslogCutter(maxBytes: number, { counts }: { readonly counts: boolean }): MessageCutter {
  return counts ? new SyslogCutter(maxBytes) : new LineCutter(maxBytes);
}

/** A message at [from, to), the next one at `next`; these may lie behind what has come. */
interface Frame {
  readonly from: number;
  readonly to: number;
  readonly next: number;
}

/** Finds the frame at `from`; `undefined`: its end is not there, nor known. `searched`: where to look on. */
type FindFrame = (bytes: Buffer, from: number, searched: number) => Frame | undefined;

function delimiterFrames(delimiter: Buffer): FindFrame {
  return (bytes, from, searched) => {
    const to = bytes.indexOf(delimiter, Math.max(from, searched - delimiter.length + 1));
    return to < 0 ? undefined : { from, to, next: to + delimiter.length };
  };
}

function lengthFrames(width: 1 | 2 | 4, order: Framing['byte_order']): FindFrame {
  return (bytes, at) => {
    if (at + width > bytes.length) return undefined;
    const length = order === 'big' ? bytes.readUIntBE(at, width) : bytes.readUIntLE(at, width);
    const from = at + width;
    return { from, to: from + length, next: from + length };
  };
}

const octetFrames: FindFrame = (bytes, from) => {
  const frame = countedFrame(bytes, from, false);
  if (frame === NO_COUNT) throw new FramingError('a message does not begin with its length, expected digits and a blank');
  return frame;
};

const NO_COUNT: Frame = { from: 0, to: 0, next: 0 };

const newlineFrames = delimiterFrames(Buffer.of(NEWLINE));

/** Message by message, whichever framing each has. */
const syslogFrames: FindFrame = (bytes, from, searched) => {
  const frame = countedFrame(bytes, from);
  if (frame !== NO_COUNT) return frame;
  // What some senders put behind a counted message.
  return bytes[from] === NEWLINE ? { from: from + 1, to: from + 1, next: from + 1 } : newlineFrames(bytes, from, searched);
};

/** `12 `, and for syslog a `<` behind it: a line may begin with a number too. */
function countedFrame(bytes: Buffer, at: number, syslog = true): Frame | undefined {
  let length = 0;
  let p = at;
  while (p < bytes.length && p - at <= MOST_DIGITS) {
    const digit = bytes[p]! - 0x30;
    if (digit < 0 || digit > 9 || (digit === 0 && p === at)) break;
    length = length * 10 + digit;
    p++;
  }
  if (p === bytes.length) return undefined;
  if (p === at || bytes[p] !== SPACE) return NO_COUNT;
  if (syslog) {
    if (p + 1 === bytes.length) return undefined;
    if (bytes[p + 1] !== LESS) return NO_COUNT;
  }
  return { from: p + 1, to: p + 1 + length, next: p + 1 + length };
}

/** Both ways of one connection: lines in pieces, until a length has been seen. */
class SyslogCutter implements MessageCutter {
  readonly #lines: LineCutter;
  readonly #messages: Cutter;
  #counted = false;

  constructor(maxBytes: number) {
    this.#lines = new LineCutter(maxBytes);
    this.#messages = new Cutter(maxBytes, syslogFrames);
  }

  get begun(): boolean {
    return this.#lines.begun || this.#messages.begun;
  }

  get truncated(): number {
    return this.#lines.truncated + this.#messages.truncated;
  }

  cut(chunk: Buffer): Iterable<Piece> {
    if (!this.#counted && !this.#lines.begun) this.#counted = countedFrame(chunk, 0) !== NO_COUNT;
    return this.#counted ? this.#messages.cut(chunk) : this.#lines.cut(chunk);
  }

  end(): Piece | undefined {
    return this.#lines.end() ?? this.#messages.end();
  }
}

class LineCutter implements MessageCutter {
  readonly #maxBytes: number;
  /** Of a line that has not ended. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  /** The head of the line that has not ended is on its way; the rest is read past. */
  #skipping = false;
  truncated = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get begun(): boolean {
    return this.#keptBytes > 0 || this.#skipping;
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
        const bytes = Buffer.concat([...this.#kept, chunk.subarray(0, from - 1)]);
        if (bytes.length > this.#maxBytes) this.truncated++;
        yield { bytes: bytes.subarray(0, this.#maxBytes), lines: true };
      }
      this.#kept = [];
      this.#keptBytes = 0;
    }
    if (from <= last) yield { bytes: chunk.subarray(from, last), lines: true };
    if (last + 1 < chunk.length) yield* this.#keep(chunk.subarray(last + 1));
  }

  end(): Piece | undefined {
    const bytes = Buffer.concat(this.#kept);
    this.#kept = [];
    this.#keptBytes = 0;
    return bytes.length === 0 ? undefined : { bytes, lines: true };
  }

  *#keep(bytes: Buffer): Generator<Piece> {
    if (this.#skipping) return;
    // A view would hold all that came with it.
    this.#kept.push(Buffer.from(bytes));
    this.#keptBytes += bytes.length;
    if (this.#keptBytes <= this.#maxBytes) return;
    this.truncated++;
    this.#skipping = true;
    yield { bytes: Buffer.concat(this.#kept).subarray(0, this.#maxBytes), lines: true };
    this.#kept = [];
    this.#keptBytes = 0;
  }
}

class Cutter implements MessageCutter {
  readonly #find: FindFrame;
  readonly #maxBytes: number;
  /** What has come of a message that is not complete. */
  #kept: readonly Buffer[] = [];
  #keptBytes = 0;
  /** Bytes that are read past: of a message whose head is on its way. */
  #skip = 0;
  /** The same up to its end, wherever that is. */
  #skipping = false;
  truncated = 0;

  constructor(maxBytes: number, find: FindFrame) {
    this.#maxBytes = maxBytes;
    this.#find = find;
  }

  get begun(): boolean {
    return this.#keptBytes > 0 || this.#skip > 0 || this.#skipping;
  }

  *cut(chunk: Buffer): Generator<Piece> {
    let bytes = chunk;
    let from = 0;
    let searched = 0;
    if (this.#skip > 0) {
      from = Math.min(this.#skip, bytes.length);
      this.#skip -= from;
    }
    if (this.#keptBytes > 0) {
      searched = this.#keptBytes;
      bytes = Buffer.concat([...this.#kept, chunk]);
      this.#kept = [];
      this.#keptBytes = 0;
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
    // A count may be longer than what has come behind the last byte.
    if (from > bytes.length) this.#skip = from - bytes.length;
  }

  end(): Piece | undefined {
    const bytes = Buffer.concat(this.#kept);
    this.#kept = [];
    this.#keptBytes = 0;
    return bytes.length === 0 || this.#skipping ? undefined : { bytes, lines: false };
  }

  #whole(bytes: Buffer, { from, to }: Frame): Piece {
    if (to - from > this.#maxBytes) this.truncated++;
    return { bytes: bytes.subarray(from, Math.min(to, from + this.#maxBytes)), lines: false };
  }

  /** `frame`: its end is known, and not there. */
  *#unfinished(bytes: Buffer, from: number, frame: Frame | undefined): Generator<Piece> {
    const rest = bytes.subarray(from);
    if (this.#skipping) {
      // Only as much as a delimiter could begin in.
      this.#keep(frame ? rest : rest.subarray(Math.max(0, rest.length - 64)));
      return;
    }
    const begin = frame ? frame.from - from : 0;
    if (rest.length - begin <= this.#maxBytes) {
      this.#keep(rest);
      return;
    }
    this.truncated++;
    yield { bytes: rest.subarray(begin, begin + this.#maxBytes), lines: false };
    if (frame) this.#skip = frame.next - bytes.length;
    else this.#skipping = true;
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    // A view would hold all that came with it.
    this.#kept = [Buffer.from(bytes)];
    this.#keptBytes = bytes.length;
  }
}
